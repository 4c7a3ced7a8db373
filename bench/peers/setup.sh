#!/bin/sh
# Makes build/peers-venv with what the peers in Python need; does nothing when it is there.
#   bench/peers/setup.sh [--torch]     --torch: sentence-transformers too (some GB)
set -eu
cd "$(dirname "$0")/../.."
venv=${BUILD:-build}/peers-venv
here=bench/peers

install() { # requirements file
    stamp=$venv/$(basename "$1")
    cmp -s "$1" "$stamp" && return 0
    echo "installing $1 into $venv ..."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1" || {
        echo "$1 could not be installed: its peers are skipped." >&2
        return 1
    }
    cp "$1" "$stamp"
}

[ -x "$venv/bin/python" ] || python3 -m venv "$venv" || {
    echo "python3 cannot make a virtual environment (Debian: python3-venv)." >&2
    exit 1
}
install $here/requirements.txt
[ "${1:-}" != --torch ] || install $here/requirements-torch.txt
