#!/bin/sh
# clang-tidy over every C file of the program (not the tests), four at a time. Exit 1 with findings.
set -eu
cd "$(dirname "$0")/../.."
[ -f build/compile_commands.json ] || cmake --preset default >/dev/null
git ls-files 'miner/*.c' 'kernels/*.c' 'backends/*.c' 'pool-protocol/*.c' 'pool/*.c' 'bench/*.c' |
    xargs -P 4 -n 4 clang-tidy --quiet -p build 2>/dev/null
