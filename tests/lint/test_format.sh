#!/bin/sh
# Claim: the layout of every C file is what .clang-format says.
# labels: plain
cd "${SOURCE:-.}" || exit 1
command -v clang-format >/dev/null || { echo "clang-format is not installed: skipped"; exit 77; }
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
