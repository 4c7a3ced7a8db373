#!/usr/bin/env python3
"""Claim: whole programs work on OpenCL as on the processor: a product and an embedding come out the same, byte for byte,
with the same proofs; mining finds shares that are accepted; a device that is lost in the middle, or gives too little
memory in one piece, is a sentence; compiled kernels are kept, and are not where nobody wants it.

labels: plain opencl
Skipped where there is no usable device, unless MINERVA_TEST_OPENCL says that there must be one.
"""
import glob
import json
import os
import re
import sys

from device_work import PRODUCT, Work

SHIM = os.path.join(os.environ["BUILD"], "stand-in", "libopencl_shim.so")
work = Work("opencl", lambda shim: {"MINERVA_OPENCL": SHIM, "OPENCL_SHIM": shim} if shim else {})
KERNELS = os.path.join(work.home, "minerva", "kernels", "*.opencl")

devices = json.loads(work.minerva("devices", "--quick", "--json"))["devices"]
if not any(d["backend"] == "opencl" and d["usable"] for d in devices):
    print("no usable OpenCL device")
    sys.exit(1 if os.environ.get("MINERVA_TEST_OPENCL") else 77)

work.task(*PRODUCT, "--no-kernel-cache")
if glob.glob(KERNELS):
    sys.exit("--no-kernel-cache, and yet kernels were kept")
work.same_product_and_embedding()
if len(glob.glob(KERNELS)) != 1:
    sys.exit(f"kept are {glob.glob(KERNELS)}, expected one file")
work.mine(r"share +accepted \(1/0/0\) opencl0")

if not os.path.exists(SHIM):
    print("skipped: the stand-in for the loader is not built")
    sys.exit(0)
said = work.task("--kind", "matmul", "--shape", "4096,4096,2048", switches="piece_max=8000000", code=1)
if not re.search(r"needs \d+ MiB in one piece, the device gives at most 7", said):
    sys.exit(f"too little memory in one piece: {said}")
work.mine(r"device 0 \(opencl\): the device failed; tried again in \d+ s", switches="lose_at=2000")
