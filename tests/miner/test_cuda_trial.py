#!/usr/bin/env python3
"""Claim: `minerva selftest --trial` tries what is on trial for a card, each way in a process of its own: one
that is right is kept, and used where it was faster; one that computes wrongly or does not end is a sentence,
exit code 5, and not used; what is on no trial is said; nothing is kept where nobody wants it.

labels: plain
Against the stand-in for the driver: which one is faster there means nothing.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

MINERVA, BUILD = os.environ["MINERVA"], os.environ["BUILD"]
HOME = tempfile.mkdtemp(prefix="minerva-trial-")
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}, "HOME": HOME,
               "XDG_CONFIG_HOME": HOME, "XDG_CACHE_HOME": HOME, "LD_LIBRARY_PATH": f"{BUILD}/stand-in"}
UNTRIED = "not tried on this card yet: minerva selftest --trial"


def minerva(stand_in, *words, **more):
    done = subprocess.run([MINERVA, *words], capture_output=True, text=True, check=False,
                          env={**ENVIRONMENT, "CUDA_STAND_IN": f"devices=1 capability=90 processors=1 {stand_in}", **more})
    return done.returncode, done.stdout, done.stderr


def trial(stand_in, *words, way="=wgmma_lane", **more):
    return minerva(stand_in, "selftest", f"--trial{way}", "-d", "cuda", *words, **more)


def check(what, holds, *said):
    if not holds:
        sys.exit(f"does not hold: {what}\n{said}")


def kept():
    return glob.glob(f"{HOME}/minerva/kernels/ways-*")


if not os.path.exists(f"{BUILD}/stand-in/libcuda.so.1"):
    print("the stand-in for libcuda.so.1 is not built here")
    sys.exit(77)
if "built without the CUDA toolkit" in minerva("", "devices", "--quick")[1]:
    print("skipped: this build has no CUDA kernels")
    sys.exit(77)

code, out, err = trial("capability=80", way="")
check("a card for which there is none on trial", code == 0 and out == "cuda:0: nothing is on trial here\n", out, err)
code, out, err = trial("", way="=nonsense")
check("a way that does not exist", code == 0 and out == "cuda:0: no nonsense is on trial here\n", out, err)
code, out, err = minerva("", "selftest", "--trial", "--limit", "0")
check("a limit that is none", code == 2 and "expected 1 to 3600 seconds" in err, out, err)
code, out, err = minerva("", "devices")
check("what was not tried is said", re.search(r"^cuda:0: wgmma_lane, .* were " + UNTRIED, out, re.M), out, err)

code, out, err = trial("wrong_at=2")
check("a wrong self-test", code == 5 and re.fullmatch(r"cuda:0 wgmma_lane: wrong: it failed its self-test: .*: not used\n", out),
      out, err)
code, out, err = trial("wrong_at=230")
check("a wrong product", code == 5 and re.fullmatch(r"cuda:0 wgmma_lane: wrong: \d+ x \d+ x \d+ of rank \d+: .*: not used\n", out),
      out, err)
begin = time.monotonic()
code, out, err = trial("hang_at=100", "--limit", "1")
check("a kernel that hangs", code == 5 and out == "cuda:0 wgmma_lane: did not end within 1 s: not used\n", out, err)
check("is not waited for", time.monotonic() - begin < 30, out, err)
code, out, err = minerva("", "devices")
check("neither is used, nor asked for again", "wide_lane" in out and len(kept()) == 1 and
      re.search(r"^cuda:0: wgmma_quad, wgmma_pair_lane, wgmma_pair_quad were " + UNTRIED, out, re.M), out, err)
shutil.rmtree(f"{HOME}/minerva")
code, out, err = trial("wrong_at=2", "--cache", f"{HOME}/elsewhere")
check("it is kept where mine finds it", code == 5 and glob.glob(f"{HOME}/elsewhere/kernels/ways-*") and not kept(), out, err)

code, out, err = trial("wrong_at=2", "--no-kernel-cache")
check("nothing is kept where nobody wants it", code == 5 and not kept(), out, err)
code, out, err = trial("memory=9000000", XDG_CACHE_HOME="/proc/no")
check("too little memory, and no room to keep it", code == 1 and "wgmma_lane: could not be tried: " in out and
      "what was seen cannot be kept: " in err and "/proc/no" in err, out, err)

code, out, err = trial("")
found = re.fullmatch(r"cuda:0 wgmma_lane: right in (\d+) products, (?:(\d\.\d\d) times wide_lane: used from now on|"
                     r"but slower \(\d\.\d\d times wide_lane\): not used)\n", out)
check("one that is right", code == 0 and found and int(found[1]) > 10 and len(kept()) == 1, out, err)
used = "wgmma_lane" if found[2] else "wide_lane"
code, out, err = minerva("", "devices")
check("it is used where it was faster", re.search(rf" 9\.0 +{used} ", out), out, err)
told = json.loads(minerva("", "devices", "--json")[1])["devices"]
way, *others = next(device["ways"] for device in told if device["backend"] == "cuda")
check("and programs are told", way["name"] == "wgmma_lane" and way["state"] == ("used" if found[2] else "slower") and
      way["rival"] == "wide_lane" and way["times"] > 0, way)
check("of the others too", [(other["state"], other["times"]) for other in others] == [("untried", None)] * 3, others)
with open(kept()[0], "r+b") as file:
    file.truncate(100)
code, out, err = minerva("", "devices")
check("a damaged file says nothing", re.search(r" 9\.0 +wide_lane ", out) and "cuda:0: wgmma_lane, " in out, out, err)
shutil.rmtree(HOME)
