#!/bin/bash
# Claim: launched through OpenCL on the processor, by few lanes or by many, the texts make the bits of
# tests/vectors; so they do with the barrier alone, and without pragma and barrier they do not.
# labels: plain opencl slow
# Skipped where there is no OpenCL, or none whose device shares the host's memory, unless MINERVA_TEST_OPENCL says that
# there must be one.
set -u
skipped=77
[ -z "${MINERVA_TEST_OPENCL:-}" ] || skipped=1
source=$(cd "${SOURCE:-$(dirname "$0")/../..}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$source" || exit 1

if ! echo '#include <CL/cl.h>' | gcc -E -DCL_TARGET_OPENCL_VERSION=200 - >/dev/null 2>&1; then
    echo "skipped: the OpenCL headers are missing"
    exit $skipped
fi
mkdir "$work/kernels"
sed -n 's/^KERNEL([a-z0-9_]*, *\([a-z_]*\), *\([a-z0-9_]*\),.*/TEXT(\1, \2)/p' kernels/kernels.def | uniq \
    >"$work/kernels/opencl_texts.h"
for runner in det1 pow; do
    # The runners hash with the host's BLAKE3; everything else goes through the table.
    # shellcheck disable=SC2046
    gcc -std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE -DTEST_DATA="\"$source/tests/vectors\"" -I. -I"$work" \
        tests/kernels/opencl_table.c tests/kernels/test_${runner}_vectors.c kernels/blake3_host.c \
        kernels/pattern.c miner/base/memory.c $(pkg-config --cflags --libs jansson) -lOpenCL -lpthread \
        -o "$work/$runner" || exit 1
done
mkdir "$work/bare"
cp -r kernels "$work/bare/"
sed -i '/FP_CONTRACT/d' "$work/bare/kernels/vocabulary.h"

failed=0
# launched RUNNER SOURCE LANES OPTIONS: from the source's folder, where compilers look for includes first,
# and in a cache of its own, for PoCL's cache does not see what lies behind an include.
launched() {
    local cache
    cache=$(mktemp -d -p "$work") || exit 1
    cd "$2" && POCL_CACHE_DIR=$cache KERNEL_SOURCE=$2 OPENCL_LANES=$3 OPENCL_OPTIONS=$4 "$work/$1" >"$work/log" 2>&1
}
# reproduces NAME RUNNER SOURCE LANES OPTIONS
reproduces() {
    launched "${@:2}"
    local code=$?
    [ $code = 77 ] && { echo "skipped: $(tail -1 "$work/log")"; exit $skipped; }
    if [ $code = 0 ]; then
        echo "ok       $1, $2: $(tail -1 "$work/log")"
    else
        echo "FAILED   $1, $2"
        head -20 "$work/log"
        failed=1
    fi
}
reproduces "pragma, 3 lanes" det1 "$source" 3 ""
reproduces "pragma, 256 lanes" pow "$source" 256 ""
reproduces "barrier alone, 256 lanes" det1 "$work/bare" 256 -DKERNEL_BARRIER

launched det1 "$work/bare" 256 ""
if grep -q 'cases, [1-9][0-9]* failed' "$work/log"; then
    echo "ok       neither, det1 differs: $(tail -1 "$work/log")"
elif grep -qw fma /proc/cpuinfo; then
    echo "FAILED   neither pragma nor barrier, and yet the right bits: the test has gone blind"
    failed=1
else
    echo "skipped  the control: this processor has no fused multiply-add"
fi
exit $failed
