#!/usr/bin/env python3
"""Claim: no tuned CUDA kernel spills or keeps an array in memory, each stays below the registers that
its blocks on a multiprocessor leave it, none has its wgmma made serial, and none holds a float
operation that could round differently.

labels: plain
Read out of what nvcc said when the kernels were compiled (cuda/*.ptxas and *.ptx in the build).
"""
import collections
import glob
import os
import re
import sys

BUILD = os.environ.get("BUILD", "build")
REGISTERS = 65536  # of a multiprocessor
FORBIDDEN = re.compile(r"fma\.|mad\.[a-z.]*f32|(mul|add|sub)\.f32|\.ftz|\.approx|div\.[a-z.]*f32|sqrt\.|ex2\.|lg2\.|sin\.|cos\.|\.f64")
ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\w+)'")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
LAUNCH = re.compile(r"\.entry (\w+)\(.*?\)\s*(?:\.maxntid (\d+)[, 1]*\s*)?(?:\.minnctapersm (\d+))?", re.S)
SERIAL = re.compile(r"wgmma.*serializ", re.I)


def ceilings(name):
    """Registers that a thread of each entry may have, from the bounds it was compiled for."""
    most = {}
    for path in glob.glob(f"{BUILD}/cuda/{name}.*.ptx"):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line):
                yield f"{os.path.basename(path)}:{number}: {line.strip()} may round differently"
        for entry, threads, blocks in LAUNCH.findall(text):
            if not threads:
                yield f"{entry}: no bounds, expected KERNEL(name, threads, blocks, ...)"
                continue
            most[entry] = min(255, REGISTERS // (int(threads) * int(blocks or 1)))
    yield most


def check(path, figures):
    name = os.path.basename(path)[: -len(".ptxas")]
    *problems, most = ceilings(name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    problems += [f"{name}: {line}" for line in text.splitlines() if SERIAL.search(line)]
    parts = ENTRY.split(text)[1:]
    for entry, arch, said in zip(parts[::3], parts[1::3], parts[2::3]):
        frame, used = FRAME.search(said), USED.search(said)
        if not frame or not used:
            problems.append(f"{entry} for sm_{arch}: no figures")
            continue
        if any(int(size) for size in frame.groups()):
            problems.append(f"{entry} for sm_{arch}: {frame.group()}, expected none")
        if int(used.group(1)) > most.get(entry, 0):
            problems.append(f"{entry} for sm_{arch}: {used.group(1)} registers, at most {most.get(entry)}")
        figures[entry][arch] = int(used.group(1))
    return problems


def main():
    said = [p for p in sorted(glob.glob(f"{BUILD}/cuda/*.ptxas")) if not os.path.basename(p).startswith("cuda_text_")]
    figures = collections.defaultdict(dict)
    problems = [problem for path in said for problem in check(path, figures)]

    if not said:
        print("skipped  this build has no CUDA kernels")
        return 77
    for entry, registers in sorted(figures.items()):
        print(f"{entry:24}", *(f"sm_{arch} {count}" for arch, count in sorted(registers.items())))
    for problem in problems:
        print("FAILED  ", problem)
    # The search must see what it forbids.
    if not FORBIDDEN.search("fma.rn.f32 %f1") or FORBIDDEN.search("mul.rn.f32 %f1") or not FRAME.search("8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads"):
        problems.append("the search is blind")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
