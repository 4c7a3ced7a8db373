#!/usr/bin/env python3
"""Claim: where nobody names a device, a GPU works; one that computes wrongly is left out with a sentence,
and the processor mines instead; a device that was named is never replaced by another.

labels: plain
Against the stand-in for the driver.
"""
import os
import signal
import subprocess
import sys
import tempfile

MINERVA, BUILD = os.environ["MINERVA"], os.environ["BUILD"]
HOME = tempfile.mkdtemp(prefix="minerva-fallback-")
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}, "HOME": HOME,
               "XDG_CONFIG_HOME": HOME, "XDG_CACHE_HOME": HOME}


def mine(stand_in, *words, until=None):
    """What it said, until a line holds the words; without any, until its end: (exit code, text)."""
    process = subprocess.Popen([MINERVA, "mine", "-o", "simulate://", "-u", "me", "-t", "1", "--no-color",
                                *words], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**ENVIRONMENT, "CUDA_STAND_IN": stand_in})
    said = []
    for line in process.stdout:
        said.append(line)
        if until and until in line:
            process.send_signal(signal.SIGINT)
            until = None
    return process.wait(), "".join(said)


def check(what, holds, text):
    if not holds:
        sys.exit(f"does not hold: {what}\n{text}")


if not os.path.exists(f"{BUILD}/stand-in/libcuda.so.1"):
    print("the stand-in for libcuda.so.1 is not built here")
    sys.exit(77)
code, text = mine("devices=1", "--idle", "wait", until="logged in")
check("the card alone is at work", code == 0 and "#0 cuda 1a:00.0  NVIDIA" in text and " cpu " not in text, text)
check("what it could try is said once", text.count("not tried on this card yet: minerva selftest --trial") == 1, text)
code, text = mine("devices=1 wrong_at=3", until="accepted (1/0/0) cpu")
check("the card is left out and said", "device 0 (cuda): it failed its self-test" in text, text)
check("the processor mines instead", code == 0 and "the processor works instead" in text and "cpu -  " in text, text)
code, text = mine("devices=1 wrong_at=3", "-d", "cuda")
check("a card that was named is not replaced", code == 5 and "it failed its self-test" in text and "instead" not in text, text)
code, text = mine("devices=0", "-d", "nvidia")
check("nor one that is not there", code == 4 and "no usable nvidia device: the machine has none" in text, text)
code, text = mine("devices=2", "-d", "1b:00.0", "--idle", "wait", until="logged in")
check("an address picks its card", code == 0 and "#1 cuda 1b:00.0" in text and "#0 cuda" not in text, text)
code, text = mine("devices=1 wrong_at=3", "-d", "cuda,cpu", "--print-time", "1", until="  LOST")
check("of two that were named the other works, and the first is shown as lost", code == 0 and "accepted (1/0/0) cpu" in text, text)
