#!/usr/bin/env bash
# Every measurement of this machine: JSON and a plot in build/bench, and the page docs/performance.md.
# What cannot be measured here is said and skipped.  Takes about ten minutes; leave the machine alone meanwhile.
#   MINERVA_BENCH_ROUNDS   of what takes turns (7)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build} rounds=${MINERVA_BENCH_ROUNDS:-7}
out=$build/bench python=$build/peers-venv/bin/python
mkdir -p "$out"
rm -f "$out"/*.json
failed=0

step() { # what, then a command; 77: it said what is missing
    local what=$1 status=0
    shift
    echo "== $what"
    "$@" || status=$?
    [ $status = 0 ] || [ $status = 77 ] || { echo "$what failed ($status)"; failed=1; }
}
json() { # a file, then a command that prints JSON
    local file=$1
    shift
    "$@" >"$file.part" && mv "$file.part" "$file"
}

json "$out/machine.json" bench/machine.py "$build"
step "minerva bench" json "$out/minerva.json" "$build/minerva" bench --json
if [ -x "$build/minerva_peers" ]; then
    step "minerva_peers" "$build/minerva_peers" --rounds "$rounds" --json "$out/peers.json"
else
    echo "== minerva_peers: skipped, it is not built: cmake says why (Debian: libdnnl-dev)"
fi
if [ -x "$build/minerva_naive" ]; then
    step "OpenCL beside a naive kernel" "$build/minerva_naive" "$out/naive.json"
else
    echo "== OpenCL beside a naive kernel: skipped, it is not built: cmake says why (Debian: ocl-icd-opencl-dev)"
fi
step "profile" json "$out/profile.json" bench/profile.py "$build"
if bench/peers/setup.sh; then
    step "MiniLM" "$python" bench/peers/minilm.py --rounds "$rounds" --json "$out/minilm.json"
    step "plot" "$python" bench/plot.py "$out"/*.json -o "$out/performance.png"
else
    echo "== MiniLM and plot: skipped, see above"
fi
step "page" bench/page.py keep "$out"
step "page" bench/page.py render
exit $failed
