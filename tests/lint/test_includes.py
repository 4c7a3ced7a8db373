#!/usr/bin/env python3
"""Claim: every room includes only what stands below it, third parties stay in their files, files
keep their size, names are unique, and calls that grow without bound are not made.

labels: plain
The table is house rule 3 of ARCHITECTURE.md. Prints one line a violation; exit 1 if there is one.
"""
import os
import re
import sys

ROOT = os.environ.get("SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HOST = ("kernels/blake3_host.h", "kernels/pattern.h")  # kernel text for the host: open to every rank
WORK = ("miner/base/", "miner/work/") + HOST
DEVICES = ("backends/backend.h", "backends/device.h", "backends/matmul.h")
KERNELS_C = ("kernels/",)
MODELS = ("miner/base/", "miner/models/") + DEVICES + KERNELS_C
POW = WORK + ("miner/pow/",) + DEVICES + KERNELS_C
TASKS = WORK + ("miner/tasks/", "miner/models/") + DEVICES + KERNELS_C
ALL = ("miner/", "kernels/", "backends/", "pool-protocol/", "pool/", "bench/")

# The longest matching folder counts.
MAY_INCLUDE = {
    "miner/base/": ("miner/base/",),
    "miner/work/": WORK,
    "kernels/": ("kernels/",),
    "backends/": ("backends/", "miner/base/", "kernels/"),
    "pool-protocol/": WORK + ("pool-protocol/",),
    "miner/models/": MODELS,
    "miner/pow/": POW,
    "miner/tasks/": TASKS,
    "pool/": POW + TASKS + ("pool/", "pool-protocol/"),
    "bench/": ALL,
    "miner/": ALL,
    "tests/": ("",),
}

# Third-party headers and the files that may hold them.
THIRD_PARTY = {
    "jansson.h": r"pool-protocol/message_\w+\.[ch]|miner/models/(artifact|safetensors|manifest|import|tokenizer)\w*\.[ch]"
                 r"|miner/\w*json\.[ch]|tests/.*",
    "curl/curl.h": r"pool-protocol/(transport|http|artifact_http)\w*\.[ch]|tests/.*",
    "zlib.h": r"pool-protocol/gzip\.c|tests/.*",
    "sqlite3.h": r"pool/store\w*\.[ch]|tests/.*",
    "microhttpd.h": r"pool/http\w*\.[ch]|miner/status_server\.[ch]|tests/.*",
    "ini.h": r"miner/config\w*\.[ch]|tests/.*",
    "cmocka.h": r"tests/.*",
    "cuda.h": r"backends/cuda/.*",
    "CL/cl.h": r"backends/opencl/.*|bench/naive/.*|tests/kernels/opencl_table\.c|tests/stand_in/opencl_shim\.c",
    "oneapi/dnnl/dnnl.h": r"bench/peers/.*",
    "omp.h": r"bench/peers/.*",
    "immintrin.h": r"backends/cpu/.*|tests/.*",
}

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtok|gets|malloc|calloc|realloc|alloca)\s*\(")
ALLOCATOR = "miner/base/memory.c"
SIZE_MAX = {".c": 500, ".h": 150}


def sources():
    for top in ("miner", "kernels", "backends", "pool-protocol", "pool", "bench", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cl", ".def", ".cu")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def without_comments(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_includes(path, text, complain):
    room = max((r for r in MAY_INCLUDE if path.startswith(r)), key=len)
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not found:
            continue
        kind, name = found.groups()
        if kind == '"' and not name.startswith(MAY_INCLUDE[room]):
            complain(path, number, f'{room} may not include "{name}"')
        if kind == '"' and "/" not in name:
            complain(path, number, f'"{name}": includes are written from the root')
        if kind == "<" and name in THIRD_PARTY and not re.fullmatch(THIRD_PARTY[name], path):
            complain(path, number, f"<{name}> does not belong in this file")


def check_kernel_text(path, text, complain):
    allowed = r"kernels/(vocabulary|exact_\w+|blake3_compress|blake3_tree|noise_stream)\.h"
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*["<]([^">]+)', line)
        if found and not re.fullmatch(allowed, found.group(1)):
            complain(path, number, f"kernel text includes only {allowed}")


def check_text(path, text, complain):
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        found = BANNED.search(line)
        if found and path != ALLOCATOR:
            complain(path, number, f"{found.group(1)} is banned: base has what you need")
    if path.endswith((".c", ".h")) and "SPDX-License-Identifier: MIT" not in text:
        complain(path, 1, "no SPDX line")


def main():
    problems = []
    names = {}

    def complain(path, number, what):
        problems.append(f"{path}:{number}: {what}")

    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        base, ending = os.path.basename(path), os.path.splitext(path)[1]
        names.setdefault(base, []).append(path)
        check_includes(path, text, complain)
        if ending == ".cl":
            check_kernel_text(path, text, complain)
        if ending in SIZE_MAX and len(text.splitlines()) > SIZE_MAX[ending]:
            complain(path, 1, f"{len(text.splitlines())} lines, at most {SIZE_MAX[ending]}")
        if not path.startswith("tests/") and ending != ".def":
            check_text(path, text, complain)
    for base, paths in names.items():
        if len(paths) > 1:
            complain(paths[1], 1, f"the name {base} is taken by {paths[0]}")
    for problem in problems:
        print(problem)
    print(f"{len(names)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
