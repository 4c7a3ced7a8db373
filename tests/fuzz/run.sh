#!/bin/sh
# Fuzzes every target for SECONDS_EACH (default 60) from its corpus; new inputs go to build-fuzz/found/.
# A crash stops the run and leaves its input in build-fuzz/crashes/.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p build-fuzz/crashes
for target in build-fuzz/fuzz_*; do
    [ -x "$target" ] || continue
    name=$(basename "$target" | sed 's/^fuzz_//')
    mkdir -p "build-fuzz/found/$name"
    echo "== $name"
    "$target" -max_total_time="${SECONDS_EACH:-60}" -artifact_prefix=build-fuzz/crashes/ -print_final_stats=0 \
        "build-fuzz/found/$name" "tests/fuzz/corpus/$name"
done
