#!/usr/bin/env python3
"""Claim: whole programs work on CUDA as on the processor: a product and an embedding come out the same,
byte for byte, with the same proofs; mining finds shares that are accepted; a card that is lost in the
middle, or has too little memory, is a sentence.

labels: plain
The driver is the stand-in of tests/stand_in, whose streams lag.
"""
import os
import re
import sys

from device_work import MINERVA, PRODUCT, SOURCE, Work

STAND_IN = os.path.join(os.environ["BUILD"], "stand-in")
if not os.access(MINERVA, os.X_OK) or not os.path.exists(os.path.join(STAND_IN, "libcuda.so.1")):
    sys.exit(77)
work = Work("cuda", lambda switches: {"LD_LIBRARY_PATH": STAND_IN, "CUDA_STAND_IN": switches}, usual="lag=1")
if "built without the CUDA toolkit" in work.minerva("devices", "--quick"):
    print("skipped: this build has no CUDA kernels")
    sys.exit(77)
with open(os.path.join(SOURCE, "backends/cuda/cuda_driver.def"), encoding="utf-8") as table:
    calls = re.findall(r"^CUDA_CALL\((\w+)", table.read(), re.M)
LAUNCH = f"fail_call={calls.index('launch') + 1} fail_stays=1"

work.same_product_and_embedding()
said = work.task(*PRODUCT, switches="memory=300000", code=1)
if not re.search(r"needs \d+ MiB, the device has \d+|out of memory", said):
    sys.exit(f"too little memory: {said}")
said = work.task(*PRODUCT, switches=f"fail_at=3 {LAUNCH}", code=1)
if not re.search(r"a kernel failed \(CUDA_ERROR_\w+ 719\); the device is given up", said) or "the device failed" not in said:
    sys.exit(f"a card lost in the middle: {said}")
work.mine(r"share +accepted \(1/0/0\) cuda0", switches="lag=2 memory=24000000")
said = work.mine(r"device 0 \(cuda\): the device failed; tried again in \d+ s",
                 switches=f"fail_at=200 memory=24000000 {LAUNCH}")
if "the device is given up" not in said:
    sys.exit(f"a card lost while mining: {said}")
