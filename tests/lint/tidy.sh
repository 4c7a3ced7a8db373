#!/bin/sh
# clang-tidy over every C file of the program (not the tests): tidy.sh [BUILD-FOLDER]. Exit 1 with findings.
set -u
cd "$(dirname "$0")/../.."
build=${1:-build}
[ -f "$build/compile_commands.json" ] || cmake --preset default >/dev/null
# The analyser walks at most so many states of a function: a third of its own limit, which makes all of it three
# times as fast and is still far more than our functions, 60 lines at most, need to show a mistake.
nodes="--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=75000"
# shellcheck disable=SC2086 # several words
git ls-files 'miner/*.c' 'kernels/*.c' 'backends/*.c' 'pool-protocol/*.c' 'pool/*.c' 'bench/*.c' |
    while read -r file; do # what this machine does not compile cannot be looked at
        grep -q "/$file\"" "$build/compile_commands.json" && echo "$file"
    done |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet $nodes -p "$build" 2>/dev/null || exit 1
