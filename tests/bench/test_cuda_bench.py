#!/usr/bin/env python3
"""Claim: on a CUDA device `minerva bench` lets its products take turns with cuBLASLt's and with the
peak of the tensor cores, compares cuBLASLt's answer too, climbs the ladder from the plain loop to a
useful product with every step's answer checked, says how they stand to each other, what the card
drew where its sensors say it, and what is missing when the library, a way to multiply or a right
answer is.

labels: plain
Against stand-ins for the driver and for cuBLASLt: no figure here is one of a card.
"""
import json
import os
import subprocess
import sys
import tempfile

MINERVA, BUILD = os.environ["MINERVA"], os.environ["BUILD"]
SHAPE = ("--shape", "128,128,1024,64")
PRODUCTS = ["int8_product", "cublaslt_int8", "mma_peak", "tickets", "mining", "useful"]
STEPS = ["ladder_" + step for step in ("loop", "fold", "hash", "noise", "commit", "factors", "correct", "store")]
GAUGED = ("clock_mhz", "power_w", "j_per_tmac", "of_peak")


def run(*words, mode="", **environment):
    done = subprocess.run([MINERVA, "bench", "-d", "cuda", "--seconds", "0", *words], capture_output=True, text=True,
                          check=False, env={**os.environ, "CUBLASLT_STAND_IN": mode, "MINERVA_CUDA": "mma_lane", **environment})
    return done.returncode, done.stdout, done.stderr


def check(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


if not os.path.exists(f"{BUILD}/stand-in/libcublasLt.so.13"):
    print("the stand-in for cuBLASLt is not built here")
    sys.exit(77)

code, text, err = run("--json", "--only", ",".join(PRODUCTS + STEPS), *SHAPE)
check(f"exit 0 ({code}, {err})", code == 0)
told = json.loads(text)
check("all take part", [row["name"] for row in told["results"]] == PRODUCTS + STEPS)
for row in told["results"]:
    check("without sensors nothing is made up", all(row[name] is None for name in GAUGED))
    check(f"{row['name']} took at least five turns on the card that is named",
          row["runs"] >= 5 and row["min"] > 0 and row["device"].startswith("cuda:") and row["device_name"])
rows = {row["name"]: row for row in told["results"]}
ratios = {ratio["name"]: ratio for ratio in told["ladder"]}
check("the ladder and both measures are there", set(ratios) == {
    "int8_product / cublaslt_int8", "useful / cublaslt_int8, time", "tickets / int8_product", "mining / tickets",
    "useful / mining", "int8_product / mma_peak", "mining / mma_peak", "useful / mma_peak"})
for name, over, under in (("tickets / int8_product", "tickets", "int8_product"),
                          ("useful / cublaslt_int8, time", "cublaslt_int8", "useful")):
    want = rows[over]["median"] / rows[under]["median"]
    check(f"{name} is what it says", abs(ratios[name]["median"] / want - 1) < 1e-4)
check("nothing is promised of this shape", not any("at_least" in r or "at_most" in r for r in told["ladder"]))

(ladder,) = told["ablation"]
check("each step of the ladder stands by itself", ladder["apart"] and ladder["kernels"] == "mma_lane"
      and [step["name"] for step in ladder["steps"]] == STEPS)
check("the cache that nobody knows is null", ladder["cache_bytes"] is None and ladder["operands_bytes"] == 2 * 128 * 1024)
for below, step in zip([None] + ladder["steps"], ladder["steps"]):
    check(f"{step['name']} is its row", abs(step["tmac_s"] * 1000 / rows[step["name"]]["median"] - 1) < 1e-4
          and abs(step["delta_ms"] - (step["ms"] - below["ms"] if below else 0)) < 1e-4 * step["ms"] and step["adds"])
code, text, err = run("--only", "ladder_fold", "--shape", "128,256,2048,128", MINERVA_CUDA="wgmma_lane",
                      CUDA_STAND_IN="capability=90 cache=16777216")
check(f"the kernels of warp groups have steps too ({err})", code == 0 and len(text.splitlines()) == 2)
code, _, err = run("--only", "ladder_fold", *SHAPE, MINERVA_CUDA="mma_any")
check(f"a way without steps is named ({err})", code == 4 and "products by mma_any have no kernels with steps left out" in err)
for step in ("ladder_fold", "ladder_store"):  # not every launch writes what is looked at
    found = (run("--only", step, *SHAPE, CUDA_STAND_IN=f"wrong_at={launch}") for launch in (9, 10, 11, 12))
    check(f"a wrong bit in {step} is found", any(code == 5 and f"{step}: " in err and "wrong" in err for code, _, err in found))

code, text, err = run("--json", "--only", "steps", *SHAPE)
check(f"each step alone is right too ({err})", code == 0 and len(json.loads(text)["results"]) == 10)
found = (run("--only", "steps_noise_x", *SHAPE, CUDA_STAND_IN=f"wrong_at={launch}") for launch in (3, 4, 5, 6))
check("a wrong bit in a step is found", any(code == 5 and "is wrong in the first lines" in err for code, _, err in found))

with tempfile.TemporaryDirectory() as folder:
    os.symlink(f"{BUILD}/stand-in/libnvml_shim.so", f"{folder}/libnvidia-ml.so.1")
    seen = f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    code, text, err = run("--json", "--only", "int8_product,mma_peak", *SHAPE, LD_LIBRARY_PATH=seen,
                          CUDA_STAND_IN="cache=1048576")
    check(f"with sensors ({code}, {err})", code == 0)
    for row in json.loads(text)["results"]:
        check("clock and power are told", row["clock_mhz"] == 1755 and row["power_w"] > 0)
        check("a product's joules follow", abs(row["j_per_tmac"] * row["median"] / 1000 / row["power_w"] - 1) < 1e-4)
        check("and its share of the peak", row["of_peak"] is not None and (row["of_peak"] == 1 or row["name"] != "mma_peak"))
    code, text, err = run("--only", "steps_draw", *SHAPE, LD_LIBRARY_PATH=seen, NVML_SHIM="old")
    check(f"a card without clock and counter has watts alone ({err})", code == 0
          and text.splitlines()[1].endswith("  338.5 W") and "MHz" not in text)

code, _, err = run("--only", "cublaslt_int8", *SHAPE, mode="wrong")
check(f"a wrong answer of the library is found ({code}, {err})", code == 5 and "of the product is wrong" in err)
code, _, err = run("--only", "cublaslt_int8", *SHAPE, mode="none")
check(f"no way is said ({code}, {err})", code == 1 and "knows no int8 product of 128 x 128 x 1024" in err)
code, _, err = run("--only", "cublaslt_int8", "--cublaslt", "/nonexistent/libcublasLt.so", *SHAPE)
check(f"a file that is not there is said ({code}, {err})", code == 4 and "/nonexistent/libcublasLt.so cannot be" in err)
code, _, err = run("--only", "cublaslt_int8", "--cublaslt", f"{BUILD}/stand-in/libcuda.so.1", *SHAPE)
check(f"another library is said ({code}, {err})", code == 4 and "has no cublasLtCreate" in err)
code, text, err = run("--json", "--cublaslt", "/nonexistent", "--only", "int8_product,mining", *SHAPE)
check(f"it is asked for only where it is wanted ({code}, {err})", code == 0 and len(json.loads(text)["results"]) == 2)
done = subprocess.run([MINERVA, "bench", "-d", "cpu", "--only", "mma_peak", "--seconds", "0"], capture_output=True, text=True,
                      check=False)
check("the processor has no such peak", done.returncode == 4 and "on CUDA devices only" in done.stderr)
