#!/usr/bin/env python3
"""profile.py - where the time of a benchmark goes, by the kernel's sampling (perf), as JSON: what binds is looked up
here, not guessed.

    bench/profile.py BUILD      exit 77 with a sentence where there is no perf, or none that may sample

Making the operands and checking the answer is left out; symbols under a hundredth are one row.

SPDX-License-Identifier: MIT
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

OUTSIDE = {"kernel_test_matrix", "product_check", "kernel_matmul_i8"}  # before the clock starts
SECONDS, LEAST = "4", 0.01
RUNS = (  # benchmark, shape and rank, instruction set
    ("int8_product", "2048,2048,4096,128", "avx512"),
    ("mining", "2048,2048,4096,128", "avx512"),
    ("useful", "2048,2048,4096,128", "avx512"),
    ("useful", "1024,5120,2048,128", "avx512"),
    ("useful", "64,4096,4096,128", "avx512"),
    ("int8_product", "2048,2048,4096,128", "avx2"),
)


def leave(sentence):
    print(f"profile: {sentence}", file=sys.stderr)
    sys.exit(77)


def symbols(data):
    """Samples of each symbol: a line is a share, the program, the library, [.] or [k], the symbol."""
    text = subprocess.run(["perf", "report", "-i", data, "--stdio"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if found := re.match(r"\s+([0-9.]+)%\s.*\[([.k])\]\s+(\S+)", line):
            yield ("the system" if found.group(2) == "k" else found.group(3)), float(found.group(1))


def shares(data):
    """What each symbol has of the time that counts, largest first."""
    parts = {}
    for name, share in symbols(data):
        if name not in OUTSIDE:
            parts[name] = parts.get(name, 0) + share
    whole = sum(parts.values())
    rows = sorted(((share / whole, name) for name, share in parts.items()), reverse=True)
    large = [[name, round(share, 4)] for share, name in rows if share >= LEAST]
    return large + [["the rest", round(1 - sum(share for _, share in large), 4)]]


def profile(minerva, folder, name, shape, row):
    data = os.path.join(folder, "data")
    done = subprocess.run(["perf", "record", "-q", "-o", data, minerva, "bench", "-d", "cpu", "--only", name, "--shape", shape,
                           "-t", "1", "--seconds", SECONDS], capture_output=True, text=True,
                          env={**os.environ, "MINERVA_CPU": row})
    if done.returncode:
        leave((done.stderr.strip().splitlines() or ["perf record failed"])[-1])
    m, n, k, _ = shape.split(",")
    return {"name": name, "shape": f"{m},{n},{k}", "row": row, "parts": shares(data)}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("perf"):
        leave("there is no perf here (Debian: linux-perf)")
    minerva = os.path.join(sys.argv[1], "minerva")
    with tempfile.TemporaryDirectory() as folder:
        json.dump({"profiles": [profile(minerva, folder, *run) for run in RUNS]}, sys.stdout, indent=2)
    print()


main()
