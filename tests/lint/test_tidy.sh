#!/bin/sh
# Claim: no function of the program is too long, too deep or too tangled, and none makes a classic mistake.
# labels: plain slow
command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed: skipped"; exit 77; }
exec "$SOURCE/tests/lint/tidy.sh" "$BUILD"
