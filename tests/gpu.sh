#!/usr/bin/env bash
# All that only a CUDA card can show: one verdict a line, at the end "N passed, N failed".
#     tests/gpu.sh            after make; needs no network
#   MODEL=DIR      a model as `minerva model import` made it, or an embedding model's folder; else the tiny one
#   CUBLASLT=PATH  the library to compare with, where it is not found by itself
#   BUILD=DIR      (build)
#   OUT=DIR        logs and the JSON of the benchmarks (build/gpu)
#   GPU_SHORT=1    the smallest shapes, once: for the test of this script
# Exit code: 0 all passed, 1 something failed.  A difference between card and executor ends it at once: nothing
# that was shown without a card then holds for this one.  Without a card every line fails and says so.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
out=${OUT:-$build/gpu}
minerva=$build/minerva
short=${GPU_SHORT:-}
passed=0 failed=0 cards=0

verdict() { # what, passed or FAILED, why
    if [ "$2" = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%-7s  %-34s  %s\n' "$2" "$1" "$3"
}
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}
last_line() { # of a file, the last one that says something
    grep -v '^ *$' "$1" 2>/dev/null | tail -n 1 | cut -c 1-160
}
# step NAME COMMAND...: its output goes to a log; passed when it exits 0.
step() {
    local name=$1 log status=0
    log=$out/$(echo "$1" | tr -c 'a-z0-9\n' '-').log
    shift
    if [ "$cards" = 0 ]; then
        verdict "$name" FAILED "there is no CUDA device to show it"
        return 1
    fi
    "$@" >"$log" 2>&1 || status=$?
    if [ $status = 0 ]; then
        verdict "$name" passed "$(last_line "$log")"
    else
        verdict "$name" FAILED "exit code $status: $(last_line "$log")"
    fi
    return $status
}

[ -x "$minerva" ] || {
    echo "gpu.sh: $minerva is missing: run make first" >&2
    exit 1
}
mkdir -p "$out"
rm -f "$out"/*.log "$out"/*.json

# --- the cards ---
"$minerva" devices --json >"$out/devices.json" 2>"$out/devices.log"
cards=$(python3 - "$out/devices.json" <<'PY'
import json, sys
print(sum(d["backend"] == "cuda" and d["usable"] and (d["selftest"] or {}).get("passed", False)
          for d in json.load(open(sys.argv[1]))["devices"]))
PY
)
python3 - "$out/devices.json" <<'PY'
import json, sys
for d in json.load(open(sys.argv[1]))["devices"]:
    if d["backend"] == "cuda":
        test = d.get("selftest") or {}
        print("card    ", d.get("name") or "-", d.get("bus", "-"), "driver", d.get("driver") or "-", "cc",
              d.get("capability") or "-", "kernels", d.get("variant") or "-",
              d["reason"] or test.get("reason") or f"passed its self-test in {test.get('seconds', 0):.2f} s")
PY
if [ "$cards" -gt 0 ]; then
    verdict "a CUDA device that works" passed "$cards"
else
    echo "No CUDA device works here (minerva devices says why): what follows cannot be shown and counts as failed."
    verdict "a CUDA device that works" FAILED "see above"
fi

# --- one instruction at a time, against the executor ---
instructions() {
    "$build/gpu_instructions" >"$out/instructions.log" 2>&1
}
if [ ! -x "$build/gpu_instructions" ]; then
    verdict "instructions as in the executor" FAILED "$build/gpu_instructions is not built: it needs nvcc"
else
    instructions
    status=$?
    case $status in
    0) verdict "instructions as in the executor" passed "$(last_line "$out/instructions.log")" ;;
    77) verdict "instructions as in the executor" FAILED "there is no CUDA device to show it" ;;
    *)
        verdict "instructions as in the executor" FAILED "$(last_line "$out/instructions.log")"
        grep FAILED "$out/instructions.log" | head -n 20
        if [ $status = 1 ]; then
            echo "The card does not do what the executor does: nothing else is tried."
            finish
        fi
        ;;
    esac
fi

# --- every kernel and product, bit for bit ---
export SUBJECTS=${GPU_SUBJECTS:-cuda}
step "conformance" "$build/test_conformance"
unset SUBJECTS
step "selftest and all vectors" "$minerva" selftest -d cuda --vectors "tests/vectors${short:+/det1}"

# --- how fast ---
square=8192,8192,8192,128 useful=4096,14336,4096,128 seconds=3
if [ -n "$short" ]; then square=128,128,1024,64 useful=$square seconds=0; fi
bench() { # name of the JSON, shape, what
    "$minerva" bench --json -d cuda --shape "$2" --only "$3" --seconds $seconds \
        ${CUBLASLT:+--cublaslt "$CUBLASLT"} >"$out/$1.json"
}
# What the JSON says, against what was promised of Hopper.
judge() { # file, a row's name or a ratio's, least or most, limit
    python3 - "$out/$1.json" "$out/devices.json" "$2" "$3" "$4" <<'PY'
import json, sys
file, devices, what, sense, limit = sys.argv[1:]
got = json.load(open(file))
rows = {row["name"]: row for row in got["results"]}
ratios = {ratio["name"]: ratio for ratio in got["ladder"]}
if what not in rows and what not in ratios:
    sys.exit(f"{what} was not measured")
value = ratios[what]["best"] if what in ratios else rows[what]["min" if rows[what]["unit"] == "ms" else "max"]
unit = "" if what in ratios else " " + rows[what]["unit"]
hopper = any(d["backend"] == "cuda" and d.get("capability") == "9.0" and "Stand-in" not in d.get("name", "")
             for d in json.load(open(devices))["devices"])
holds = value >= float(limit) if sense == "least" else value <= float(limit)
print(f"{value:.4g}{unit}, at {sense} {limit} was promised of Hopper" + ("" if hopper else ": not this card"))
sys.exit(1 if hopper and not holds else 0)
PY
}
step "bench: plain, tickets, mining, peak" bench square "$square" int8_product,mma_peak,tickets,mining
step "bench: useful and a new header" bench useful "$useful" useful,mining,new_header
step "bench: beside cuBLASLt, square" bench cublaslt "$square" int8_product,cublaslt_int8
step "bench: beside cuBLASLt, useful" bench cublaslt-useful "$useful" useful,cublaslt_int8
step "plain product to cuBLASLt's" judge cublaslt "int8_product / cublaslt_int8" least 0.7
step "mining, GMAC/s" judge square mining least 400000
step "useful time to cuBLASLt's" judge cublaslt-useful "useful / cublaslt_int8, time" most 1.5
step "a new header to its product, ms" judge useful new_header most 20

# --- at work ---
# mine SECONDS DEVICES: every share is proved by the processor before it leaves.
mine() {
    timeout --preserve-status -s INT "$1" "$minerva" mine -o simulate:// -u gpu -w here -d "$2" \
        --no-color --print-time 5 >"$out/mine.log" 2>&1 || return 1
    ! grep -q 'does not verify' "$out/mine.log" || return 1
    grep -o 'accepted ([0-9/]*)' "$out/mine.log" | tail -n 1
    grep -q 'accepted (' "$out/mine.log"
}
# A product under a job that a few tickets of it win; the verifier alone judges each proof.
prove() {
    local proof shape=${square%,*} target
    target=$(python3 -c "import sys; m, n, k = map(int, sys.argv[1].split(',')); print(f'{2**256 * 9 // (m * n * k):064x}')" \
        "$shape")
    rm -rf "$out/proofs"
    "$minerva" task run --kind matmul --shape "$shape" -d cuda --prove "$out/proofs" --header "$(printf '%0152d' 7)" \
        --target "$target" --cert-version 3 --min-rank 64 -o "$out/product.safetensors" || return 1
    for proof in "$out"/proofs/*; do [ -e "$proof" ] && return 0; done
    echo "no ticket won"
    return 1
}
step "proofs of a product" prove
if [ -z "$short" ]; then step "minerva mine" mine 15 cuda; fi

import_model() {
    local from=${MODEL:-tests/vectors/models/tiny-bert}
    model=$from
    [ -f "$from/manifest.json" ] && [ -f "$from/model.safetensors" ] && [ ! -f "$from/config.json" ] && return 0
    model=$out/model
    rm -rf "$model"
    "$minerva" model import "$from" -o "$model" >"$out/import.log" 2>&1 || last_line "$out/import.log"
}
same_vectors() { # the embedding task on the card and on the processor: one file, bit for bit
    local device
    for device in cuda cpu; do
        "$minerva" task run --kind embed --model "$model" --text "$out/sentences.txt" -d $device \
            -o "$out/$device.safetensors" || return 1
    done
    cmp "$out/cuda.safetensors" "$out/cpu.safetensors" && echo "$(wc -l <"$out/sentences.txt") sentences"
}
embed_speed() { # 512 sentences, against two processors
    "$minerva" bench --json --only embed --model "$model" --text "$out/sentences.txt" --seconds $seconds -d cuda \
        >"$out/embed-cuda.json" &&
        "$minerva" bench --json --only embed --model "$model" --text "$out/sentences.txt" --seconds $seconds -d cpu -t 2 \
            >"$out/embed-cpu.json" &&
        python3 - "$out" "${MODEL:-}" <<'PY'
import json, sys
rate = {d: json.load(open(f"{sys.argv[1]}/embed-{d}.json"))["results"][0]["max"] for d in ("cuda", "cpu")}
ratio = rate["cuda"] / rate["cpu"]
print(f"{rate['cuda']:.0f} sentences/s, {ratio:.1f} times two processors; 20 was promised of MiniLM")
sys.exit(1 if sys.argv[2] and ratio < 20 else 0)
PY
}
sentences=512
if [ -n "$short" ]; then sentences=2; fi
for _ in 1 2 3 4; do cat packaging/demo-sentences.txt; done | head -n $sentences >"$out/sentences.txt"
[ "$cards" = 0 ] || import_model
step "embedding as on the processor" same_vectors
if [ -z "$short" ]; then step "embedding, its speed" embed_speed; fi

# --- two of them ---
both() {
    mine 20 cuda || return 1
    [ "$(grep -o ' cuda[0-9]* ' "$out/mine.log" | sort -u | wc -l)" -ge 2 ]
}
if [ "$cards" -ge 2 ] && [ -z "$short" ]; then
    step "shares from more than one card" both
else
    echo "skipped  shares from more than one card: there are $cards"
fi
finish
