#!/usr/bin/env python3
"""Claim: gcc and clang make of each tuned way to multiply an inner loop that keeps its sums in
registers (no stack, no stores) and spends at most so many instructions on a dot product.

labels: plain
gcc 12 is known to copy and spill the sums when it may. A loop is found by its shape: it ends in a
jump back, holds no other loop, and multiplies at least eight times. Files are compiled with the
project's own flags.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD") or os.path.join(SOURCE, "build")

# Instructions for one dot product: 1 for itself (2 where it is a multiplication and an addition), its
# part of the loads and of the loop's end, and little more.
MOST = {"avx512": 1.95, "avx512vl": 2.25, "avxvnni": 2.25, "avx2": 3.15, "neon": 1.6}
DOTS = {"vpdpbusd": 4, "vpdpwssd": 2, "vpmaddwd": 2, "sdot": 4, "smlal": 1, "smlal2": 1}  # products a lane
BYTES = {"vpdpbusd", "vpmaddwd", "sdot"}  # of the product; the others correct it
LEAST_DOTS = 8
CROSS = "aarch64-linux-gnu-"


class Instruction:
    def __init__(self, address, text):
        words = text.replace("{vex} ", "").split(None, 1)
        self.address, self.text, self.name = address, text, words[0]
        self.operands = words[1].split("#")[0].split("//")[0].strip() if len(words) > 1 else ""

    def target(self):
        """Where a jump goes, or None."""
        if not re.fullmatch(r"j[a-z]+|b|b\.[a-z]+|cbn?z|tbn?z", self.name):
            return None
        found = re.search(r"\b([0-9a-f]+) <", self.operands)
        return int(found.group(1), 16) if found else None

    def stores(self):
        if self.name.startswith(("st1", "str", "stp", "stur")):
            return True
        return re.match(r"v?mov", self.name) is not None and self.operands.endswith(")")

    def uses_stack(self, frame):
        return (self.name in ("push", "pop", "call", "bl") or re.search(r"\(%rsp|\[sp", self.operands) is not None
                or frame and "(%rbp" in self.operands)


def functions(disassembly):
    name, body = None, []
    for line in disassembly.splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        item = re.match(r"\s+([0-9a-f]+):\s+(\S.*)$", line)
        if head:
            yield name, body
            name, body = head.group(1), []
        elif item:
            body.append(Instruction(int(item.group(1), 16), item.group(2)))
    yield name, body


def inner_loops(body):
    """Lists of instructions between a jump back and its target, with no such pair inside."""
    ends = [(i.target(), i.address) for i in body if i.target() is not None and i.target() <= i.address]
    for first, last in ends:
        if not any((a, b) != (first, last) and first <= a and b <= last for a, b in ends):
            yield [i for i in body if first <= i.address <= last]


def check(row, compiler, obj, objdump):
    """Prints the loops of one object; how many promises it breaks."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", obj], capture_output=True, text=True, check=True).stdout
    broken, found = 0, set()
    for name, body in functions(text):
        frame = any(i.name == "mov" and i.operands == "%rsp,%rbp" for i in body)
        for loop in inner_loops(body):
            dots = [i.name for i in loop if i.name in DOTS]
            if len(dots) < LEAST_DOTS:
                continue
            found.update(dots)
            bad = [i.text for i in loop if i.uses_stack(frame) or i.stores()]
            cost = len(loop) / len(dots)
            lanes = 16 if "%zmm" in text else 8 if "%ymm" in text else 4
            products = lanes * sum(DOTS[dot] for dot in dots)
            verdict = "FAILED" if bad or cost > MOST[row] else "ok"
            broken += verdict != "ok"
            print(f"{verdict:8} {row:9} {compiler:6} {name:16} {dots[0]:9} {len(dots):3} dots"
                  f" {len(loop):4} instructions  {cost:.2f} of {MOST[row]:.2f} a dot,"
                  f" {len(loop) / products:.3f} a product, {len(bad)} of stack or stores")
            for line in bad[:4]:
                print(f"             {line}")
    if row == "avxvnni" and re.search(r"\s(?<!\{vex\} )vpdp", text):
        print(f"FAILED   {row:9} {compiler:6} is encoded as AVX-512")
        broken += 1
    if not found & BYTES:
        print(f"FAILED   {row:9} {compiler:6} has no loop of at least {LEAST_DOTS} dots")
        broken += 1
    return broken


def compile_with(compiler, words, obj):
    """The project's command for a file, by another compiler."""
    out = list(compiler)
    rest = iter(words[1:])
    for word in rest:
        if word in ("-o", "-MF", "-MT"):
            next(rest)
        elif word != "-MD":
            out.append(word)
    subprocess.run([*out, "-o", obj], check=True, cwd=BUILD)


def compilers_of(row):
    """Names, commands and the tool that reads their objects."""
    if row != "neon":
        return [(name, [name], "objdump") for name in ("gcc", "clang") if shutil.which(name)]
    found = []
    if shutil.which(CROSS + "gcc") and shutil.which(CROSS + "objdump"):
        found.append(("gcc", [CROSS + "gcc"], CROSS + "objdump"))
        if shutil.which("clang"):
            found.append(("clang", ["clang", "--target=aarch64-linux-gnu"], CROSS + "objdump"))
    return found


def main():
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = {os.path.basename(c["file"]): shlex.split(c["command"]) for c in json.load(file)}
    with open(os.path.join(SOURCE, "backends/cpu/cpu_matmul.def"), encoding="utf-8") as file:
        rows = [r for r in re.findall(r"^CPU_MATMUL\((\w+)\)", file.read(), re.M) if r != "portable"]
    if set(rows) != set(MOST):
        sys.exit(f"the rows are {rows}, the ceilings are for {list(MOST)}")
    if "-mavx2" not in commands.get("cpu_matmul_avx2.c", []) or not shutil.which("objdump"):
        print("skipped  no objdump, or this is not a build for x86-64")
        sys.exit(77)
    broken = checked = 0
    with tempfile.TemporaryDirectory() as work:
        for row in rows:
            words = commands[f"cpu_matmul_{row}.c"]
            if row == "neon":  # an absent row here: the portable row's flags, and those of the suffix
                path = os.path.join(SOURCE, "backends/cpu/cpu_matmul_neon.c")
                words = commands["cpu_matmul_portable.c"][:-1] + ["-march=armv8.2-a+dotprod", path]
            for name, compiler, objdump in compilers_of(row):
                obj = os.path.join(work, f"{row}.o")
                compile_with(compiler, words, obj)
                broken += check(row, name, obj, objdump)
                checked += 1
    print(f"{checked} objects, {broken} promises broken")
    sys.exit(broken != 0 or checked == 0)


main()
