#!/bin/bash
# Claim: gcc and clang, at -O0 and -O3, baseline and native, with denormals flushed or not, make the
# bits of tests/vectors out of the kernels; and a build that contracts or relaxes does not.
# labels: plain slow
# Only the kernels and their two runners are built, in a folder of its own.
set -u
source=$(cd "${SOURCE:-$(dirname "$0")/../..}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$source" || exit 1

# All texts of kernels.def as one unit: they share no names.
{
    echo '#include "kernels/kernels_c.h"'
    sed -n 's/^KERNEL([a-z0-9_]*, *\([a-z_]*\), *\([a-z0-9_]*\),.*/#include "kernels\/\1\/\2.cl"/p' \
        kernels/kernels.def | uniq
} >"$work/texts.c"
libraries="$(pkg-config --cflags --libs jansson) -lpthread"
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

# build NAME LINK-FLAGS COMPILER FLAGS...: both runners, in $work/NAME
build() {
    local folder=$work/$1 link=$2 runner
    shift 2
    mkdir -p "$folder"
    for unit in "$work/texts.c" kernels/*.c miner/base/memory.c tests/kernels/test_*_vectors.c; do
        "$@" -D_GNU_SOURCE -DTEST_DATA="\"$source/tests/vectors\"" -I. -c "$unit" \
            -o "$folder/$(basename "$unit" .c).o" || return 1
    done
    for runner in det1 pow; do
        # shellcheck disable=SC2086
        "$1" $link $(ls "$folder"/*.o | grep -v '_vectors\.o') "$folder/test_${runner}_vectors.o" \
            $libraries -o "$folder/$runner" || return 1
    done
}

# reproduces NAME LINK-FLAGS COMPILER FLAGS...: builds and passes
reproduces() {
    local name=$1 start=$SECONDS
    if build "$@" >"$work/$name.log" 2>&1 && "$work/$name/det1" >>"$work/$name.log" &&
        "$work/$name/pow" >>"$work/$name.log"; then
        echo "ok       $name ($(grep -h cases, "$work/$name.log" | paste -sd';'), $((SECONDS - start)) s)"
    else
        echo "FAILED   $name"
        head -20 "$work/$name.log"
        touch "$work/failed"
    fi
}

# differs NAME COMPILER FLAGS...: builds, runs to its end and finds differing cases
differs() {
    local name=$1
    shift
    if ! build "$name" "" "$@" >"$work/$name.log" 2>&1; then
        echo "FAILED   $name does not build"
        head -20 "$work/$name.log"
    elif "$work/$name/det1" >"$work/$name.out" || ! grep -q "cases, [1-9][0-9]* failed" "$work/$name.out"; then
        echo "FAILED   $name gives the right bits: the test has gone blind"
    else
        echo "ok       $name differs ($(tail -1 "$work/$name.out"))"
        return
    fi
    touch "$work/failed"
}

strict="-std=c11 -ffp-contract=off -fno-fast-math $warnings"
jobs_at_once=2
run() {
    while [ "$(jobs -rp | wc -l)" -ge $jobs_at_once ]; do wait -n; done
    "$@" &
}

for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null; then
        echo "skipped  $compiler is not installed"
        continue
    fi
    # shellcheck disable=SC2086
    {
        run reproduces "$compiler-O0" "" $compiler $strict -O0
        run reproduces "$compiler-O3" "" $compiler $strict -O3
        run reproduces "$compiler-O3-native" "" $compiler $strict -O3 -march=native
    }
done
if command -v gcc >/dev/null; then
    if [ "$(uname -m)" = x86_64 ]; then
        # Linked with -ffast-math a program flushes denormals, whatever its objects were built with.
        echo 'int main(void) { volatile float x = 1e-38f; return x * 0.5f != 0; }' >"$work/tiny.c"
        gcc -c "$work/tiny.c" -o "$work/tiny.o" && gcc -ffast-math "$work/tiny.o" -o "$work/tiny" &&
            "$work/tiny" || { echo "FAILED   -ffast-math does not flush"; touch "$work/failed"; }
        # shellcheck disable=SC2086
        run reproduces gcc-O3-flushing "-ffast-math" gcc $strict -O3
    else
        echo "skipped  gcc-O3-flushing: no start-up code that flushes denormals here"
    fi
    if grep -qw fma /proc/cpuinfo || [ "$(uname -m)" = aarch64 ]; then
        run differs gcc-O3-contracting gcc -std=gnu11 -O3 -march=native
    else
        echo "skipped  gcc-O3-contracting: this processor has no fused multiply-add"
    fi
    if gcc -std=c11 -O3 -ffast-math -D_GNU_SOURCE -I. -c "$work/texts.c" -o "$work/fast.o" 2>"$work/fast.log"; then
        echo "FAILED   -ffast-math is not refused"
        touch "$work/failed"
    else
        grep -q 'build without fast-math' "$work/fast.log" && echo "ok       -ffast-math is refused" ||
            touch "$work/failed"
    fi
fi
wait
[ ! -e "$work/failed" ]
