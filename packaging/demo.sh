#!/usr/bin/env bash
# The demo: a pool and a worker on this machine's loopback, real sentences, real proofs, one screen.
# Ends by itself: 0, or 1 with one sentence that says what is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

minerva=build/minerva
home=build/demo
tasks=6
cache=${MINERVA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/minerva}
started=$(date +%s)
pids=()

fail() {
    echo "demo: $1" >&2
    exit 1
}

stop() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    return 0
}
trap stop EXIT

# Waits until a command succeeds, a process has gone, or the seconds are over.
await() { # seconds, pid, command...
    local end=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@"; do
        kill -0 "$pid" 2>/dev/null || return 1
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

import_model() {
    local from=$cache/all-MiniLM-L6-v2
    if [ ! -f "$from/.complete" ]; then
        echo "The real model is not in the cache: the tiny random model of the tests runs instead."
        echo "Its vectors mean nothing, and its products are too small to prove work."
        from=tests/vectors/models/tiny-bert
    fi
    "$minerva" model import "$from" -o "$home/models/demo" >"$home/import.log" 2>&1 ||
        fail "the model cannot be imported: $(tail -n 1 "$home/import.log")"
    model=$("$minerva" model show "$home/models/demo" | awk 'NR == 1 { print $3 }')
    echo "model     $from as $model"
}

start_pool() {
    "$minerva" pool --listen 127.0.0.1:0 --http 127.0.0.1:0 --db "$home/pool.db" --models "$home/models" \
        --share-macs $((1 << 30)) >"$home/pool.log" 2>&1 &
    pids+=($!)
    await 20 $! grep -q ready "$home/pool.log" || fail "the pool does not start: $(tail -n 1 "$home/pool.log")"
    wire=$(grep -o 'pouw+tcp://[0-9.:]*' "$home/pool.log" | head -n 1)
    http=$(grep -o 'http://[0-9.:]*' "$home/pool.log" | head -n 1)
    echo "pool      $wire, $http"
}

# Neighbouring lines are about the same topic, so a run of lines holds near neighbours.
submit_tasks() {
    local i lines
    lines=$(wc -l <packaging/demo-sentences.txt)
    for ((i = 0; i < tasks; i++)); do
        sed -n "$((lines * i / tasks + 1)),$((lines * (i + 1) / tasks))p" packaging/demo-sentences.txt \
            >"$home/task$i.txt"
        id[i]=$("$minerva" task submit --pool "$http" --kind embed --model "$model" --text "$home/task$i.txt") ||
            fail "the pool does not take task $i"
    done
    echo "tasks     $tasks, with $(wc -l <packaging/demo-sentences.txt) sentences"
}

run_worker() {
    "$minerva" mine -o "$wire" -u demo -w here --idle wait --cache "$home/cache" --models "$home/models" \
        --tasks $tasks --print-time 5 >"$home/worker.log" 2>&1 &
    local worker=$!
    pids+=("$worker")
    await 20 "$worker" grep -q ' miner    #' "$home/worker.log" || true
    echo "worker    at work on $(worker_device) ..."
    await 100 "$worker" is_finished || {
        kill -0 "$worker" 2>/dev/null && fail "the worker does not finish; see $home/worker.log"
    }
    wait "$worker" || fail "the worker ended with code $?: $(tail -n 1 "$home/worker.log")"
}

# As the worker says it: a GPU where one works, else the processor.
worker_device() {
    sed -n 's/.* miner    #[0-9]* \([a-z]*\) [^ ]*  \(.*\)  [0-9.]* GiB  .*/\1: \2/p' "$home/worker.log" | tail -n 1
}

is_finished() {
    ! kill -0 "${pids[-1]}" 2>/dev/null
}

claim_results() {
    local i
    for ((i = 0; i < tasks; i++)); do
        "$minerva" task claim "${id[i]}" --pool "$http" -o "$home/results/task$i.safetensors" \
            >"$home/claim.log" 2>&1 || fail "task $i has no result: $(tail -n 1 "$home/claim.log")"
    done
}

[ -x "$minerva" ] || fail "$minerva is missing: run make first"
rm -rf "$home"
mkdir -p "$home/models" "$home/results"
declare -a id
import_model
start_pool
submit_tasks
run_worker
claim_results
echo
"$minerva" task claim "${id[0]}" --pool "$http" --text "$home/task0.txt" 2>/dev/null
echo
grep -A 20 'summary' "$home/worker.log" | sed 's/^\[[^]]*\] *//' || true
echo "device    $(worker_device)"
echo "results   $tasks files in $home/results (safetensors); logs in $home"
echo "took      $(($(date +%s) - started)) s"
