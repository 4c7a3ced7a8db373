#!/usr/bin/env python3
"""Claim: in the compiled CUDA kernels no operation may round differently (no fused or unmarked float
operation, no approximation, no flushing, no double), nothing spills, no kernel takes more registers
than it declares, none of ours keeps arrays in local memory, wgmma is not serialised, no stage waits for
a fence of the whole device, and each file holds its kernels for every architecture that it is for.

labels: plain
Reads what nvcc and ptxas left beside the fatbins; skipped in a build without them.
"""
import glob
import os
import re
import sys

BUILD, SOURCE = os.environ["BUILD"], os.environ["SOURCE"]
FORBIDDEN = re.compile(r"fma\.|mad\.[a-z.]*f32|(mul|add|sub)\.f32|div\.[a-z.]*f32|(sqrt|ex2|lg2|sin|cos|tanh)\.|"
                       r"\.(ftz|approx|f64|f16|bf16)")
REGISTERS, REGISTERS_MAX, TEXT_THREADS = 65536, 255, 256
problems = []
used = {}  # registers by entry and architecture


def complain(what):
    problems.append(what)


def blind(line):
    return not FORBIDDEN.search(line)


# The search must see what it forbids, and nothing else.
for line in ("fma.rn.f32 %f1, %f2, %f3, %f4;", "mul.f32 %f1, %f2, %f3;", "add.rn.ftz.f32 %f1, %f2, %f3;",
             "rcp.approx.f32 %f1, %f2;", "div.rn.f32 %f1, %f2, %f3;", "cvt.rn.f64.s32 %fd1, %r1;", "sqrt.rn.f32 %f1, %f2;"):
    if blind(line):
        complain(f"the search is blind to {line}")
for line in ("mul.rn.f32 %f1, %f2, %f3;", "mad.lo.s32 %r1, %r2, %r3, %r4;", "cvt.rn.f32.s32 %f1, %r1;",
             "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r1}, {%r2}, {%r3}, {%r4};"):
    if not blind(line):
        complain(f"the search forbids {line}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def ceilings(ptx):
    """Registers that a thread of each entry may have, by the launch bounds it declares."""
    found = {}
    for part in re.split(r"\.visible \.entry ", ptx)[1:]:
        name = re.match(r"\w+", part).group()
        head = part[:part.index("{")]
        threads = re.search(r"\.maxntid (\d+)", head)
        blocks = re.search(r"\.minnctapersm (\d+)", head)
        if not threads and not name.startswith("kernel_"):
            complain(f"{name} has no launch bounds, expected KERNEL(name, threads, blocks, ...)")
        all_threads = int(threads.group(1) if threads else TEXT_THREADS) * int(blocks.group(1) if blocks else 1)
        found[name] = min(REGISTERS_MAX, REGISTERS // all_threads // 8 * 8)
    return found


def check_figures(name, said, ceiling):
    compiled = {}
    for entry, arch, frame, stores, loads, registers in re.findall(
            r"Compiling entry function '(\w+)' for 'sm_(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, "
            r"(\d+) bytes spill loads.*?Used (\d+) registers", said, re.S):
        compiled.setdefault(arch, set()).add(entry)
        used.setdefault(entry, {})[arch] = int(registers)
        where = f"{name}: {entry} for sm_{arch}"
        if int(stores) or int(loads):
            complain(f"{where} spills {stores} bytes, reads back {loads}")
        if int(registers) > ceiling.get(entry, 0):
            complain(f"{where} takes {registers} registers, at most {ceiling.get(entry, 0)}")
        if int(frame) and not name.startswith("cuda_text_"):
            complain(f"{where} keeps {frame} bytes in local memory")
    for number, line in enumerate(said.splitlines(), 1):
        if re.search(r"C75\d\d|warning|erializ", line):
            complain(f"{name}: {line.strip()}")
    return compiled


figures = sorted(glob.glob(os.path.join(BUILD, "cuda", "*.ptxas")))
if not figures:
    print("skipped: this build has no CUDA kernels")
    sys.exit(77)
entries = set()
rounded = 0
archs_known = set()
for path in figures:
    name = os.path.basename(path)[:-len(".ptxas")]
    texts = sorted(glob.glob(os.path.join(BUILD, "cuda", name + ".*.ptx")))
    ceiling = {}
    for text in texts:
        ptx = read(text)
        ceiling.update(ceilings(ptx))
        for found in re.findall(r"mbarrier\.arrive\S*\.release\.cluster\S*", ptx):
            complain(f"{os.path.basename(text)}: {found} is a fence for all of the device")
        rounded += len(re.findall(r"\b(?:mul|add|sub)\.rn\.f32", ptx))
        for found in FORBIDDEN.finditer(ptx):
            begin = ptx.rindex("\n", 0, found.start()) + 1
            line = ptx[begin:ptx.index("\n", found.end())]
            if not line.lstrip().startswith(("//", ".")):
                complain(f"{os.path.basename(text)}:{ptx.count(chr(10), 0, begin) + 1}: {line.strip()}")
    compiled = check_figures(name, read(path), ceiling)
    archs = {text.split(".")[-2] for text in texts}
    archs_known |= archs
    entries |= set(ceiling)
    if not ceiling:
        complain(f"{name} has no kernels")
    if set(compiled) != archs or any(found != set(ceiling) for found in compiled.values()):
        complain(f"{name}: PTX for {sorted(archs)}, compiled for {sorted(compiled)}, or not all kernels everywhere")

rows = re.findall(r"^KERNEL\((\w+)", read(os.path.join(SOURCE, "kernels", "kernels.def")), re.M)
for row in rows:
    if f"kernel_{row}" not in entries:
        complain(f"kernel_{row} was not compiled")
if rounded < 100:
    complain(f"{rounded} marked float operations: the search has gone blind")
for entry, registers in sorted(used.items()):
    print(f"{entry:28}", *(f"sm_{arch} {count}" for arch, count in sorted(registers.items())))
for problem in problems[:40]:
    print(problem)
print(f"{len(figures)} files, {len(entries)} kernels, sm_{' sm_'.join(sorted(archs_known))}: {len(problems)} problems")
sys.exit(1 if problems else 0)
