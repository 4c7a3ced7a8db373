#!/bin/sh
# clang-tidy over every C file of the program (not the tests): tidy.sh [BUILD-FOLDER]. Exit 1 with findings.
set -u
cd "$(dirname "$0")/../.."
build=${1:-build}
[ -f "$build/compile_commands.json" ] || cmake --preset default >/dev/null
git ls-files 'miner/*.c' 'kernels/*.c' 'backends/*.c' 'pool-protocol/*.c' 'pool/*.c' 'bench/*.c' |
    while read -r file; do # what this machine does not compile cannot be looked at
        grep -q "/$file\"" "$build/compile_commands.json" && echo "$file"
    done |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" 2>/dev/null || exit 1
