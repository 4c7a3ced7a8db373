#!/usr/bin/env python3
"""Claim: whole programs work on OpenCL as on the processor: a product and an embedding come out the same, byte for byte,
with the same proofs; mining finds shares that are accepted; a device that is lost in the middle, or gives too little
memory in one piece, is a sentence; compiled kernels are kept, and are not where nobody wants it.

labels: plain opencl
Skipped where there is no usable device, unless MINERVA_TEST_OPENCL says that there must be one.
"""
import filecmp
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

MINERVA, BUILD, SOURCE = os.environ["MINERVA"], os.environ["BUILD"], os.environ["SOURCE"]
TINY = os.path.join(SOURCE, "tests", "vectors", "models", "tiny-bert")
SHIM = os.path.join(BUILD, "stand-in", "libopencl_shim.so")
HEADER = bytes(range(76)).hex()
TARGET = "2" + "0" * 59  # 2^237: a tile of 2^18 multiply-accumulates wins half the time
HOME = tempfile.mkdtemp(prefix="minerva-opencl-")
KERNELS = os.path.join(HOME, "minerva", "kernels", "*.opencl")


def environment(shim=""):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
    more = {"MINERVA_OPENCL": SHIM, "OPENCL_SHIM": shim} if shim else {}
    return {**kept, "HOME": HOME, "XDG_CONFIG_HOME": HOME, "XDG_CACHE_HOME": HOME, **more}


def minerva(*words, shim="", code=0):
    done = subprocess.run([MINERVA, *words], env=environment(shim), capture_output=True, text=True, timeout=200,
                          check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def same_on_both(name, *words):
    """The result's file and every proof, on the processor and on the device."""
    made = {}
    for device in ("cpu", "opencl"):
        folder = os.path.join(HOME, f"{name}-{device}")
        os.makedirs(os.path.join(folder, "proofs"))
        minerva("task", "run", *words, "-d", device, "-o", os.path.join(folder, "out"), "--prove",
                os.path.join(folder, "proofs"), "--header", HEADER, "--target", TARGET, "--cert-version", "3",
                "--min-rank", "32")
        made[device] = folder
    proofs = [sorted(os.listdir(os.path.join(made[d], "proofs"))) for d in ("cpu", "opencl")]
    files = ["out"] + [os.path.join("proofs", p) for p in proofs[1]]
    _, differing, missing = filecmp.cmpfiles(made["cpu"], made["opencl"], files, shallow=False)
    if proofs[0] != proofs[1] or differing or missing:
        sys.exit(f"{name}: {differing or missing or proofs} differ")
    return len(proofs[1])


def mine(wanted, *words, shim=""):
    """Mines alone until it says what is wanted; all that it said."""
    process = subprocess.Popen([MINERVA, "mine", "-o", "simulate://60000000", "-u", "me", "-d", "opencl", "--no-color",
                                *words], env=environment(shim), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    said = ""
    for line in process.stdout:
        said += line
        if re.search(wanted, line):
            process.send_signal(signal.SIGTERM)
    watchdog.cancel()
    process.wait()
    if not re.search(wanted, said):
        sys.exit(f"never said {wanted!r}:\n{said}")
    return said


devices = json.loads(minerva("devices", "--quick", "--json"))["devices"]
if not any(d["backend"] == "opencl" and d["usable"] for d in devices):
    print("no usable OpenCL device")
    sys.exit(1 if os.environ.get("MINERVA_TEST_OPENCL") else 77)

PRODUCT = ("--kind", "matmul", "--shape", "48,80,2048")
minerva("task", "run", *PRODUCT, "-d", "opencl", "--no-kernel-cache")
if glob.glob(KERNELS):
    sys.exit("--no-kernel-cache, and yet kernels were kept")
count = same_on_both("product", *PRODUCT)
if not count:
    sys.exit("no proof was found: the target tells nothing")
if len(glob.glob(KERNELS)) != 1:
    sys.exit(f"kept are {glob.glob(KERNELS)}, expected one file")
model, text = os.path.join(HOME, "tiny"), os.path.join(HOME, "text")
minerva("model", "import", TINY, "-o", model)
with open(text, "w", encoding="utf-8") as file:
    file.write("".join(" ".join(f"w{5 + (i * 7 + j * 3) % 55}" for j in range(1 + i * 9 % 50)) + "\n" for i in range(5)))
same_on_both("embedding", "--kind", "embed", "--model", model, "--text", text)
print(f"{count} proofs and both results are the processor's")
mine(r"share +accepted \(1/0/0\) opencl0")

if not os.path.exists(SHIM):
    print("skipped: the stand-in for the loader is not built")
    sys.exit(0)
said = minerva("task", "run", "--kind", "matmul", "--shape", "4096,4096,2048", "-d", "opencl", shim="piece_max=8000000",
               code=1)
if not re.search(r"needs \d+ MiB in one piece, the device gives at most 7", said):
    sys.exit(f"too little memory in one piece: {said}")
mine(r"device 0 \(opencl\): the device failed; tried again in \d+ s", shim="lose_at=2000")
