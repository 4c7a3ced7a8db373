#!/bin/bash
# Claim: on AArch64 the kernels make the bits of tests/vectors, the NEON row makes those of the
# shared text, and a processor without the dot product is told so and computes without.
# labels: plain slow
# Cross-built without any library, run by qemu's user emulation.
set -u
source=$(cd "${SOURCE:-$(dirname "$0")/../..}" && pwd) || exit 1
build=${BUILD:-$source/build}/aarch64

for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || {
        echo "skipped  $tool is not installed (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
        exit 77
    }
done
mkdir -p "$build" || exit 1
{
    cd "$source" && cmake --preset aarch64 -B "$build" && cmake --build "$build" -j 2
} >"$build/log" 2>&1 || {
    tail -n 40 "$build/log"
    exit 1
}
ctest --test-dir "$build" -E conformance -j 3 --output-on-failure >"$build/log" 2>&1 || {
    cat "$build/log"
    exit 1
}
sed -n 's/ Test *#[0-9]*:/ /p' "$build/log"

# The row was run, not passed over; and a processor of 2015 has no dot product.
SUBJECTS=neon qemu-aarch64 -cpu max "$build/test_conformance" >"$build/log" && grep -qx 'passed   cpu neon: mined products' "$build/log" || {
    echo "FAILED   the NEON row was not run"
    cat "$build/log"
    exit 1
}
qemu-aarch64 -cpu cortex-a57 "$build/test_cpu_launches" >"$build/log" &&
    grep -qx 'neon: needs NEON dot product, not offered by this processor and system' "$build/log" || {
    echo "FAILED   a processor without the dot product"
    cat "$build/log"
    exit 1
}
