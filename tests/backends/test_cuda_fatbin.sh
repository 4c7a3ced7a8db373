#!/bin/bash
# Claim: a file of CUDA kernels is compiled once for all builds, and again exactly when something that
# goes into it changes: itself, what it includes, the flags, the architectures or the compiler; PTX goes
# in only where newer cards are to run it; a compiler that fails says so and leaves nothing behind.
# labels: plain
# The compiler is a script that notes how it was called.
set -u
source=$(cd "${SOURCE:-$(dirname "$0")/../..}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work/root/kernels" "$work/one" "$work/two"
echo '#include "kernels/outer.h"' >"$work/root/some.cu"
echo '#include "kernels/inner.h"' >"$work/root/kernels/outer.h"
echo '/* nothing */' >"$work/root/kernels/inner.h"

cat >"$work/nvcc" <<'END'
#!/bin/bash
echo "$*" >>"$(dirname "$0")/calls"
[ ! -e "$(dirname "$0")/broken" ] || { echo "error: broken on purpose"; exit 2; }
while [ $# -gt 0 ]; do
    case $1 in
    -o) out=$2 ;;
    --keep-dir) keep=$2 ;;
    esac
    shift
done
echo "ptxas info: figures"
echo "the ptx of 80" >"$keep/some.compute_80.ptx"
echo "the fatbin" >"$out"
END
chmod +x "$work/nvcc"

# fatbin BUILD [NAME=VALUE...]: as the build calls it
fatbin() {
    local build=$1
    shift
    cmake -DNVCC="$work/nvcc" -DVERSION=13.0 -DROOT="$work/root" -DSOURCE="$work/root/some.cu" -DNAME=some -DARCHS=75,80 -DPTX=80 \
        -DFLAGS=-O3,-v -DCACHE="$work/cache" -DOUT="$work/$build" "$@" -P "$source/backends/cuda/fatbin.cmake" >"$work/log" 2>&1
}

calls() { wc -l <"$work/calls"; }

# expect COUNT WHAT: so many calls until now
expect() {
    if [ "$(calls)" != "$1" ]; then
        echo "does not hold: $2 ($(calls) calls, expected $1)"
        cat "$work/log"
        failed=1
    fi
}

holds() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" || { echo "does not hold: $what"; cat "$work/log"; failed=1; }
}

touch "$work/calls"
fatbin one
expect 1 "it is compiled"
holds "the fatbin is there" grep -q "the fatbin" "$work/one/some.fatbin"
holds "what ptxas said is there" grep -q figures "$work/one/some.ptxas"
holds "PTX is there by architecture" grep -q "ptx of 80" "$work/one/some.80.ptx"
holds "the build knows what it depends on" grep -q "some.fatbin: .*some.cu .*outer.h .*inner.h" "$work/one/some.d"
holds "every architecture was asked for, and PTX of the highest" grep -q -- \
    "-gencode arch=compute_75,code=sm_75 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_80,code=compute_80" "$work/calls"
fatbin one
fatbin two
expect 1 "neither another time nor another build compiles it again"
holds "the other build has it" cmp -s "$work/one/some.fatbin" "$work/two/some.fatbin"
echo '/* something */' >"$work/root/kernels/inner.h"
fatbin two
expect 2 "a header of a header counts"
fatbin one
expect 2 "for all builds"
echo '/* nothing */' >"$work/root/kernels/inner.h"
fatbin one
expect 2 "what was there before is still there"
fatbin one -DFLAGS=-O2,-v
expect 3 "flags count"
fatbin one -DARCHS=75,80,90a
expect 4 "architectures count"
holds "PTX is made of the one that has successors" grep -q "code=sm_90a -gencode arch=compute_80,code=compute_80 -fatbin" \
    <(tail -1 "$work/calls")
fatbin one -DVERSION=13.1
expect 5 "the compiler's version counts"
fatbin one -DARCHS=75 -DPTX=120
expect 6 "a file may be for old cards alone"
holds "then new ones find no PTX to compile" grep -q -v "code=compute" <(tail -1 "$work/calls")

touch "$work/broken"
echo '/* else */' >"$work/root/kernels/inner.h"
if fatbin one; then
    echo "does not hold: a compiler that fails stops the build"
    failed=1
fi
holds "its words are shown" grep -q "broken on purpose" "$work/log"
rm "$work/broken"
fatbin one
expect 8 "what failed is tried again"
exit $failed
