#!/usr/bin/env python3
"""Claim: tests/gpu.sh runs to its end and counts honestly: with a card that is only imitated all but the
instructions pass; without one every line fails and says so; a card that computes wrongly is no card;
one that differs from the executor ends it at once.

labels: plain
Against the stand-in for the driver: no figure here is one of a card.
"""
import os
import re
import subprocess
import sys
import tempfile

BUILD, SOURCE = os.environ["BUILD"], os.environ["SOURCE"]
HOME = tempfile.mkdtemp(prefix="minerva-gpu-")


def gpu(stand_in, build=BUILD):
    environment = {**os.environ, "CUDA_STAND_IN": stand_in, "BUILD": build, "OUT": f"{HOME}/out", "GPU_SHORT": "1",
                   "GPU_SUBJECTS": "mma_lane", "MINERVA_CUDA": "mma_lane", "CONFORMANCE_K_MAX": "100"}
    done = subprocess.run([f"{SOURCE}/tests/gpu.sh"], capture_output=True, text=True, check=False, env=environment)
    found = re.findall(r"^(passed|FAILED)   (.*?)   *(\S.*)?$", done.stdout, re.M)
    return done.returncode, done.stdout, {what: (verdict, why) for verdict, what, why in found}


def check(what, holds, text):
    if not holds:
        sys.exit(f"does not hold: {what}\n{text}")


if not os.path.exists(f"{BUILD}/stand-in/libcuda.so.1"):
    print("the stand-in for libcuda.so.1 is not built here")
    sys.exit(77)

code, text, lines = gpu("devices=1")
failed = [what for what, (verdict, _) in lines.items() if verdict == "FAILED"]
check("only the card's instructions are missing", failed == ["instructions as in the executor"], text)
check("so the end is not good", code == 1 and text.endswith(f"{len(lines) - 1} passed, 1 failed\n") and len(lines) > 10, text)
check("a promise of Hopper's is not held against another card", "was promised of Hopper: not this card" in text, text)

code, text, none = gpu("devices=0")
check("without a card nothing passes", code == 1 and text.endswith(f"0 passed, {len(none)} failed\n"), text)
check("and that is said", "No CUDA device works here" in text and set(none) == set(lines), text)
code, text, wrong = gpu("devices=1 wrong_at=3")
check("a card that computes wrongly is none", code == 1 and "failed its self-test" in text and
      wrong["conformance"][0] == "FAILED" and text.endswith(f"0 passed, {len(wrong)} failed\n"), text)

build = f"{HOME}/build"
os.makedirs(build)
os.symlink(f"{BUILD}/minerva", f"{build}/minerva")
with open(f"{build}/gpu_instructions", "w", encoding="utf-8") as file:
    file.write("#!/bin/sh\necho 'FAILED   mma_m16n8k32'\necho '41 passed, 1 failed'\nexit 1\n")
os.chmod(f"{build}/gpu_instructions", 0o755)
code, text, stopped = gpu("devices=1", build)
check("a difference ends it", code == 1 and "nothing else is tried" in text and "conformance" not in stopped and
      "FAILED   mma_m16n8k32" in text and text.endswith("1 passed, 1 failed\n"), text)
