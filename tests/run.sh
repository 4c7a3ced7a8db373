#!/usr/bin/env bash
# All tests: the plain build (gcc), the same under ASan + UBSan (clang), the threaded ones under TSan.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)

run() { # preset, target to build, then arguments of ctest
    local preset=$1 target=$2
    shift 2
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; exit 1; }
    cmake --build --preset "$preset" --target "$target" >>"build-$preset.log" 2>&1 || { tail -n 60 "build-$preset.log"; exit 1; }
    rm -f "build-$preset.log"
    echo "== $preset"
    ctest --preset "$preset" -j "$jobs" --output-on-failure "$@"
}

# Where PoCL is installed, tests on OpenCL must find it.
if dpkg-query -W pocl-opencl-icd >/dev/null 2>&1; then export MINERVA_TEST_OPENCL=1; fi
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
run tsan tests_tsan -L tsan
run asan all -LE plain
run default all
