#!/bin/sh
# Installs the Debian packages that Minerva is built and tested with, and says nothing when they are there.
set -eu
packages="build-essential cmake ninja-build pkg-config clang clang-format clang-tidy libclang-rt-14-dev
libcurl4-openssl-dev libjansson-dev libinih-dev libmicrohttpd-dev libsqlite3-dev zlib1g-dev libcmocka-dev
ocl-icd-opencl-dev pocl-opencl-icd python3 python3-pip unzip git ca-certificates"
# 56 MB more: the AArch64 code is built and run on other processors (tests/backends/test_neon.sh).
[ "$(uname -m)" != x86_64 ] || packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"

command -v dpkg-query >/dev/null || {
    echo "This is no Debian system. Install what packaging/install-deps.sh lists, then run cmake yourself." >&2
    exit 0
}
missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "These packages are missing and only root can install them: $missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing:$missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
    echo "apt-get could not install:$missing" >&2
    exit 1
}
