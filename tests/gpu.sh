#!/usr/bin/env bash
# All that only a CUDA card can show: one verdict a line, at the end "N passed, N failed".
#     tests/gpu.sh [PART...]    needs no network; without a name all parts but the first two
#   build         what can be built here: without the headers of libraries what needs none, without nvcc what a build from
#                 elsewhere has
#   pack          PACK: the programs and their libraries, for a machine that cannot build them (BUILD=PACK there)
#   instructions  each instruction beside the executor
#   conformance   every way to multiply, those on trial included, bit for bit
#   selftest      all vectors
#   trial         ways on trial, each in a process of its own; what is right and faster is used by what follows
#   bench         how fast, beside what was promised
#   rows          how fast by each way
#   work          proofs, mining, embeddings
#   MODEL=DIR      a model as `minerva model import` made it, or an embedding model's folder; else the tiny one
#   CUBLASLT=PATH  the library to compare with, where it is not found by itself
#   BUILD=DIR      (build)
#   PACK=DIR       (build-gpu)
#   OUT=DIR        logs and the JSON of the benchmarks (build/gpu)
#   GPU_LIMIT=S    seconds that a program may take (200)
#   GPU_SUBJECTS=  ways to multiply, in place of all
#   GPU_GO_ON=1    goes on behind an instruction that differs, to see what else does
#   GPU_SHORT=1    the smallest shapes, once: for the test of this script
# Exit code: 0 all passed, 1 something failed.  An instruction that differs ends it; no other step hides one.  Without a
# card every line fails and says so.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
out=${OUT:-$build/gpu}
pack=${PACK:-build-gpu}
minerva=$build/minerva
short=${GPU_SHORT:-} limit=${GPU_LIMIT:-200}
parts=" ${*:-instructions conformance selftest trial bench rows work} "
passed=0 failed=0 cards=0
libraries=$(realpath -m "$build")/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
for place in /usr/local/nvidia/lib64 /usr/lib/wsl/lib; do [ ! -d $place ] || libraries+=:$place; done
run=(env "LD_LIBRARY_PATH=$libraries" timeout -k 10 "$limit")
ways=${GPU_SUBJECTS:-$(sed -n 's/^CUDA_MATMUL(\([a-z_]*\))/\1/p' backends/cuda/cuda_matmul.def | tac)}

for part in $parts; do
    case $part in
    build | pack | instructions | conformance | selftest | trial | bench | rows | work) ;;
    *)
        echo "gpu.sh: there is no part \"$part\": build pack instructions conformance selftest trial bench rows work" >&2
        exit 2
        ;;
    esac
done
wants() { [[ $parts == *" $1 "* ]]; }

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
why() { # exit code, log
    case $1 in
    124 | 137) echo "not done after $limit s: $(last_line "$2")" ;;
    *) echo "exit code $1: $(last_line "$2")" ;;
    esac
}
log_of() { echo "$out/$(echo "$1" | tr -c 'a-z0-9_\n' '-').log"; }
# step NAME COMMAND...: its output goes to a log; passed when it exits 0.
step() {
    local name=$1 log status=0
    log=$(log_of "$1")
    shift
    if [ "$cards" = 0 ]; then
        verdict "$name" FAILED "there is no CUDA device to show it"
        return 1
    fi
    "$@" >"$log" 2>&1 || status=$?
    if [ $status = 0 ]; then
        verdict "$name" passed "$(last_line "$log")"
    elif grep -q '" has no kernels for compute capability' "$log"; then
        echo "left out $name: no card here is for it"
    else
        verdict "$name" FAILED "$(why $status "$log")"
    fi
    return $status
}
mkdir -p "$out"
rm -f "$out"/*.log "$out"/*.json

# --- the programs ---
build_all() {
    local log=$out/build.log generator=()
    command -v ninja >/dev/null && generator=(-G Ninja)
    if cmake -B "$build" "${generator[@]}" >"$log" 2>&1; then
        if cmake --build "$build" --parallel --target minerva test_conformance >>"$log" 2>&1; then
            verdict "build" passed "$(grep -m 1 'CUDA kernels:' "$log")"
        else
            verdict "build" FAILED "$(last_line "$log")"
        fi
        cmake --build "$build" --parallel --target tests_gpu >>"$log" 2>&1 || echo "without gpu_instructions: see $log"
        return
    fi
    echo "not all can be built: $(grep -m 1 -E "No package|Could NOT|required|not found" "$log")"
    rm -f "$build/CMakeCache.txt"
    if cmake -B "$build" "${generator[@]}" -DMINERVA_BARE=ON >"$log" 2>&1 &&
        cmake --build "$build" --parallel >>"$log" 2>&1; then
        verdict "build" passed "without libraries: instructions and conformance alone"
    else
        verdict "build" FAILED "$(last_line "$log")"
    fi
}
pack_all() { # the C library is the machine's own
    rm -rf "$pack"
    mkdir -p "$pack/lib"
    cp "$build"/{minerva,test_conformance,gpu_instructions,libexecutor_cases.so} "$pack" || return 1
    ldd "$build/minerva" "$build/test_conformance" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u |
        grep -v -E '/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[a-z0-9-]*)\.so' | xargs -r cp -L -t "$pack/lib" || return 1
    strip --strip-debug "$pack/minerva" "$pack/test_conformance" 2>/dev/null
    du -sh "$pack"
}
if wants build; then build_all; fi
if wants pack; then
    if pack_all >"$out/pack.log" 2>&1; then
        verdict "pack" passed "$(last_line "$out/pack.log")"
    else
        verdict "pack" FAILED "$(last_line "$out/pack.log")"
    fi
fi
case ${parts// /} in build | pack | buildpack) finish ;; esac

# --- the cards ---
probe() {
    "${run[@]}" "$minerva" devices --json >"$out/devices.json" 2>"$out/devices.log"
    cards=$(python3 - "$out/devices.json" <<'PY'
import json, sys
print(sum(d["backend"] == "cuda" and d["usable"] and (d["selftest"] or {}).get("passed", False)
          for d in json.load(open(sys.argv[1]))["devices"]))
PY
    ) || cards=0
    python3 - "$out/devices.json" <<'PY'
import json, sys
for d in json.load(open(sys.argv[1]))["devices"]:
    if d["backend"] == "cuda":
        test = d.get("selftest") or {}
        print("card    ", d.get("name") or "-", d.get("bus", "-"), "driver", d.get("driver") or "-", "cc",
              d.get("capability") or "-", "kernels", d.get("variant") or "-",
              d["reason"] or test.get("reason") or f"passed its self-test in {test.get('seconds', 0):.2f} s")
PY
}
if [ -x "$minerva" ]; then
    probe 2>>"$out/devices.log"
else
    echo "$minerva is not built: only instructions and conformance can be shown"
    parts=" $(for part in instructions conformance; do ! wants $part || echo -n "$part "; done)"
    cards=$(find /dev -maxdepth 1 -name 'nvidia[0-9]*' 2>/dev/null | wc -l)
fi
if [ "$cards" -gt 0 ]; then
    verdict "a CUDA device that works" passed "$cards"
else
    echo "No CUDA device works here (minerva devices says why): what follows cannot be shown and counts as failed."
    verdict "a CUDA device that works" FAILED "${out}/devices.log: $(last_line "$out/devices.log")"
fi

# --- one instruction at a time, against the executor ---
instructions() {
    local log=$out/instructions.log status=0
    if [ ! -x "$build/gpu_instructions" ]; then
        verdict "instructions as in the executor" FAILED "$build/gpu_instructions is not built: it needs nvcc"
        return
    fi
    "${run[@]}" "$build/gpu_instructions" >"$log" 2>&1 || status=$?
    case $status in
    0) verdict "instructions as in the executor" passed "$(last_line "$log")" ;;
    77) verdict "instructions as in the executor" FAILED "there is no CUDA device to show it" ;;
    *)
        verdict "instructions as in the executor" FAILED "$(why $status "$log")"
        grep FAILED "$log" | head -n 20
        echo "What was shown of kernels with those instructions on the executor does not hold for this card."
        if [ $status = 1 ] && [ -z "${GPU_GO_ON:-}" ]; then finish; fi
        ;;
    esac
}
if wants instructions; then instructions; fi

# --- every kernel and product, bit for bit, by one way after the other ---
conformance() { # way
    local log status=0
    log=$(log_of "conformance: $1")
    if [ "$cards" = 0 ]; then
        verdict "conformance: $1" FAILED "there is no CUDA device to show it"
        return
    fi
    SUBJECTS=$1 "${run[@]}" "$build/test_conformance" >"$log" 2>&1 || status=$?
    if [ $status != 0 ]; then
        verdict "conformance: $1" FAILED "$(why $status "$log")"
    elif grep -q '" has no kernels for compute capability' "$log"; then
        echo "left out conformance: $1: no card here is for it"
    else
        verdict "conformance: $1" passed ""
    fi
}
if wants conformance; then
    for way in $ways; do conformance "$way"; done
fi
if wants selftest; then
    step "selftest and all vectors" "${run[@]}" "$minerva" selftest -d cuda --vectors "tests/vectors${short:+/det1}"
fi

# --- what was never seen on such a card: kept with the compiled kernels, for this card, driver and build ---
if wants trial; then
    step "ways on trial" "${run[@]}" "$minerva" selftest -d cuda --trial${short:+=none} --limit $((limit / 5 + 1))
    [ ! -e "$out/ways-on-trial.log" ] || sed 's/^/  /' "$out/ways-on-trial.log"
fi

# --- how fast ---
square=8192,8192,8192,128 useful=4096,14336,4096,128 seconds=3
mined=,mining
if [ -n "$short" ]; then square=128,128,1024,64 useful=$square seconds=0 mined=; fi
cublaslt_find() { # where pip or the toolkit put it, unless the loader finds it
    local file
    for file in "${CUBLASLT:-}" "${CUDA_HOME:-/usr/local/cuda}"/lib64/libcublasLt.so.1[1-9] \
        /usr/local/cuda*/lib64/libcublasLt.so.1[1-9] \
        $(python3 -c 'import glob, sys; [print(f) for p in sys.path for f in glob.glob(p + "/nvidia/*/lib/libcublasLt.so.1?")]'); do
        if [ -f "$file" ]; then
            echo "$file"
            return
        fi
    done
}
cublaslt=${CUBLASLT:-}
if [ -z "$short$cublaslt" ]; then cublaslt=$(cublaslt_find); fi
bench() { # name of the JSON, shape, what
    "${run[@]}" "$minerva" bench --json -d cuda --shape "$2" --only "$3" --seconds $seconds \
        ${cublaslt:+--cublaslt "$cublaslt"} >"$out/$1.json"
}
# What the JSON says, against what was promised of Hopper; by whichever way was fastest.
judge() { # file or its beginning, a row's name or a ratio's, least or most, limit
    python3 - "$out/$1" "$out/devices.json" "$2" "$3" "$4" <<'PY'
import glob, json, sys
begin, devices, what, sense, limit = sys.argv[1:]
found = []
for file in sorted(glob.glob(begin + "*.json")):
    try:
        got = json.load(open(file))
    except ValueError:
        continue
    rows = {row["name"]: row for row in got["results"]}
    ratios = {ratio["name"]: ratio for ratio in got["ladder"]}
    if what in rows or what in ratios:
        value = ratios[what]["best"] if what in ratios else rows[what]["min" if rows[what]["unit"] == "ms" else "max"]
        found.append((value, "" if what in ratios else " " + rows[what]["unit"], file[len(begin):-5].strip("-")))
if not found:
    sys.exit(f"{what} was not measured")
value, unit, way = (max if sense == "least" else min)(found)
hopper = any(d["backend"] == "cuda" and d.get("capability") == "9.0" and "Stand-in" not in d.get("name", "")
             for d in json.load(open(devices))["devices"])
holds = value >= float(limit) if sense == "least" else value <= float(limit)
print(f"{value:.4g}{unit}{' by ' + way if way.endswith('_lane') else ''}, at {sense} {limit} was promised of Hopper" +
      ("" if hopper else ": not this card"))
sys.exit(1 if hopper and not holds else 0)
PY
}
# Each way that holds a ticket in a lane.
speed() { # way
    local also=${cublaslt:+,cublaslt_int8}
    MINERVA_CUDA=$1 bench "square-$1" "$square" "int8_product,mma_peak${mined:+,tickets,mining}$also" || return 1
    MINERVA_CUDA=$1 bench "useful-$1" "$useful" "useful$mined$also" || return 1
    python3 - "$out/square-$1.json" "$out/useful-$1.json" <<'PY'
import json, sys
said = []
for file in sys.argv[1:]:
    got = json.load(open(file))
    said += [f"{row['name']} {row['max']:.4g}" for row in got["results"]]
    said += [f"{ratio['name']} {ratio['best']:.2f}" for ratio in got["ladder"] if "cublaslt" in ratio["name"]]
print(", ".join(said))
PY
}
if wants rows; then
    for way in $ways; do
        case $way in
        turing*) ;;
        *_lane) step "speed: $way" speed "$way" ;;
        esac
    done
fi
# From the plain loop to a useful product, and each thing that it is made of by itself.
ladder() {
    local peak=mma_peak,ladder alone=steps
    if [ -n "$short" ]; then peak=ladder_loop,ladder_fold alone=steps_draw; fi
    bench ladder "$square" "$peak" && bench steps "$useful" "$alone" || return 1
    if [ -z "$short" ]; then bench ladder-useful "$useful" "$peak" || return 1; fi
    ladder_quote | grep -c '^  .* ms' | sed 's/$/ lines, quoted below/'
}
ladder_quote() { # what the JSON of the last step says; what no sensor said is a dash
    python3 - "$out"/ladder*.json "$out/steps.json" <<'PY'
import json, sys
def cell(value, form, unit=1):
    return "-" if value is None else format(value * unit, form)
def gauged(row):
    return (f"{cell(row['clock_mhz'], '.0f'):>5} MHz  {cell(row['power_w'], '.0f'):>4} W  {cell(row['j_per_tmac'], '.3g'):>6} J/TMAC  "
            f"{cell(row['of_peak'], '.1f', 100):>5} % of peak")
for file in sys.argv[1:]:
    got = json.load(open(file))
    for ladder in got["ablation"]:
        print(f"ladder of {ladder['shape']} on {ladder['device']} by {ladder['kernels']}" + ("" if ladder["apart"] else ", whole products only"))
        for step in ladder["steps"]:
            print(f"  {step['name']:<15} {step['ms']:9.4g} ms  {step['tmac_s']:7.4g} TMAC/s  {100 * step['of_first']:5.1f} %  "
                  f"{step['delta_ms']:+9.4g} ms  {step['slow_is']} {step['slow']:.4g} ms  {gauged(step)}  {step['adds']}")
    for row in got["results"]:
        if row["name"].startswith("steps_"):
            print(f"  {row['name']:<19} {row['median']:9.4g} ms  {row['slow_is']} {row['slow']:.4g} ms  of {row['shape']}")
PY
}
if wants bench; then
    step "bench: plain, tickets, mining, peak" bench square "$square" int8_product,mma_peak,tickets,mining
    step "bench: useful and a new header" bench useful "$useful" "useful$mined,new_header"
    step "bench: beside cuBLASLt, square" bench square-cublaslt "$square" int8_product,cublaslt_int8
    step "bench: beside cuBLASLt, useful" bench useful-cublaslt "$useful" useful,cublaslt_int8
    step "plain product to cuBLASLt's" judge square "int8_product / cublaslt_int8" least 0.7
    step "mining, GMAC/s" judge square mining least 400000
    step "useful time to cuBLASLt's" judge useful "useful / cublaslt_int8, time" most 1.5
    step "a new header to its product, ms" judge useful new_header most 20
    if step "bench: the ladder, and each step alone" ladder; then ladder_quote; fi
fi

# --- at work ---
wants work || finish
# mine SECONDS DEVICES: every share is proved by the processor before it leaves.
mine() {
    "${run[@]}" timeout --preserve-status -s INT "$1" "$minerva" mine -o simulate:// -u gpu -w here -d "$2" \
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
    "${run[@]}" "$minerva" task run --kind matmul --shape "$shape" -d cuda --prove "$out/proofs" --header "$(printf '%0152d' 7)" \
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
    "${run[@]}" "$minerva" model import "$from" -o "$model" >"$out/import.log" 2>&1 || last_line "$out/import.log"
}
same_vectors() { # the embedding task on the card and on the processor: one file, bit for bit
    local device
    for device in cuda cpu; do
        "${run[@]}" "$minerva" task run --kind embed --model "$model" --text "$out/sentences.txt" -d $device \
            -o "$out/$device.safetensors" || return 1
    done
    cmp "$out/cuda.safetensors" "$out/cpu.safetensors" && echo "$(wc -l <"$out/sentences.txt") sentences"
}
embed_speed() { # 512 sentences, against two processors
    "${run[@]}" "$minerva" bench --json --only embed --model "$model" --text "$out/sentences.txt" --seconds $seconds -d cuda \
        >"$out/embed-cuda.json" &&
        "${run[@]}" "$minerva" bench --json --only embed --model "$model" --text "$out/sentences.txt" --seconds $seconds -d cpu -t 2 \
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
