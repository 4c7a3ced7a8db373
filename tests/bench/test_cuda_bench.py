#!/usr/bin/env python3
"""Claim: on a CUDA device `minerva bench` lets its products take turns with cuBLASLt's and with the
peak of the tensor cores, compares cuBLASLt's answer too, says how they stand to each other, and
says what is missing when the library, a way to multiply or a right answer is.

labels: plain
Against stand-ins for the driver and for cuBLASLt: no figure here is one of a card.
"""
import json
import os
import subprocess
import sys

MINERVA, BUILD = os.environ["MINERVA"], os.environ["BUILD"]
SHAPE = ("--shape", "128,128,1024,64")
PRODUCTS = ["int8_product", "cublaslt_int8", "mma_peak", "tickets", "mining", "useful"]


def run(*words, mode=""):
    done = subprocess.run([MINERVA, "bench", "-d", "cuda", "--seconds", "0", *words], capture_output=True, text=True,
                          check=False, env={**os.environ, "CUBLASLT_STAND_IN": mode, "MINERVA_CUDA": "mma_lane"})
    return done.returncode, done.stdout, done.stderr


def check(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


if not os.path.exists(f"{BUILD}/stand-in/libcublasLt.so.13"):
    print("the stand-in for cuBLASLt is not built here")
    sys.exit(77)

code, text, err = run("--json", "--only", ",".join(PRODUCTS), *SHAPE)
check(f"exit 0 ({code}, {err})", code == 0)
told = json.loads(text)
check("all take part", [row["name"] for row in told["results"]] == PRODUCTS)
for row in told["results"]:
    check(f"{row['name']} took at least three turns on the card that is named",
          row["runs"] >= 3 and row["min"] > 0 and row["device"].startswith("cuda:") and row["device_name"])
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
