#!/usr/bin/env python3
"""Claim: tests/gpu.sh runs to its end and counts honestly: with a card that is only imitated all but the
instructions pass; without one every line fails and says so; a card that computes wrongly is no card;
a card that differs from the executor ends it, unless told to go on; a program that does not end hides nothing;
what was packed runs elsewhere.

labels: plain
Against the stand-in for the driver: no figure here is one of a card.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD, SOURCE = os.environ["BUILD"], os.environ["SOURCE"]
HOME = tempfile.mkdtemp(prefix="minerva-gpu-")


def gpu(stand_in, *parts, build=BUILD, **more):
    environment = {**os.environ, "CUDA_STAND_IN": stand_in, "BUILD": build, "OUT": f"{HOME}/out", "GPU_SHORT": "1",
                   "GPU_SUBJECTS": "mma_lane turing_lane", "MINERVA_CUDA": "mma_lane", "CONFORMANCE_K_MAX": "100", **more}
    done = subprocess.run([f"{SOURCE}/tests/gpu.sh", *parts], capture_output=True, text=True, check=False, env=environment)
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
check("a way that is for other cards is left out", "left out conformance: turing_lane" in text, text)

code, text, none = gpu("devices=0")
check("without a card nothing passes", code == 1 and text.endswith(f"0 passed, {len(none)} failed\n"), text)
check("and that is said", "No CUDA device works here" in text and set(none) == {*lines, "conformance: turing_lane"}, text)
code, text, wrong = gpu("devices=1 wrong_at=3", "conformance", "selftest")
check("a card that computes wrongly is none", code == 1 and "failed its self-test" in text and
      wrong["conformance: mma_lane"][0] == "FAILED" and text.endswith(f"0 passed, {len(wrong)} failed\n"), text)

build = f"{HOME}/build"
os.makedirs(build)
os.symlink(f"{BUILD}/minerva", f"{build}/minerva")
for name, script in (("gpu_instructions", "echo 'FAILED   mma_m16n8k32'\necho '41 passed, 1 failed'\nexit 1\n"),
                     ("test_conformance", "echo begun\nexec sleep 600\n")):
    with open(f"{build}/{name}", "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{script}")
    os.chmod(f"{build}/{name}", 0o755)
code, text, ended = gpu("devices=1", "instructions", "conformance", "selftest", build=build)
check("a difference ends it", code == 1 and list(ended)[-1] == "instructions as in the executor" and
      text.endswith("1 passed, 1 failed\n"), text)
code, text, going = gpu("devices=1", "instructions", "conformance", "selftest", build=build, GPU_LIMIT="8",
                        GPU_SUBJECTS="mma_lane", GPU_GO_ON="1")
check("a difference is shown", going["instructions as in the executor"] == ("FAILED", "exit code 1: 41 passed, 1 failed") and
      "FAILED   mma_m16n8k32" in text, text)
check("a program that does not end is ended", going["conformance: mma_lane"] == ("FAILED", "not done after 8 s: begun"), text)
check("what is behind both is seen", "selftest and all vectors" in going and text.endswith(" failed\n"), text)
check("a part that does not exist is refused", gpu("devices=1", "everything")[0] == 2, text)

if os.path.exists(f"{BUILD}/gpu_instructions"):
    code, text, _ = gpu("devices=1", "pack", PACK=f"{HOME}/packed")
    check("it is packed", code == 0 and os.path.exists(f"{HOME}/packed/lib"), text)
    code, text, packed = gpu("devices=1", "conformance", "selftest", build=f"{HOME}/packed", GPU_SUBJECTS="plain")
    check("what was packed works", code == 0 and len(packed) == 3, text)
shutil.rmtree(HOME)
