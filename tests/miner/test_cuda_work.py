#!/usr/bin/env python3
"""Claim: whole programs work on CUDA as on the processor: a product and an embedding come out the same,
byte for byte, with the same proofs; mining finds shares that are accepted; a card that is lost in the
middle, or has too little memory, is a sentence.

labels: plain
The driver is the stand-in of tests/stand_in, whose streams lag.
"""
import filecmp
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

MINERVA, BUILD, SOURCE = os.environ["MINERVA"], os.environ["BUILD"], os.environ["SOURCE"]
TINY = os.path.join(SOURCE, "tests", "vectors", "models", "tiny-bert")
STAND_IN = os.path.join(BUILD, "stand-in")
HEADER = bytes(range(76)).hex()
TARGET = "2" + "0" * 59  # 2^237: a tile of 2^18 multiply-accumulates wins half the time
HOME = tempfile.mkdtemp(prefix="minerva-cuda-")


def environment(switches):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
    return {**kept, "HOME": HOME, "XDG_CONFIG_HOME": HOME, "XDG_CACHE_HOME": HOME,
            "LD_LIBRARY_PATH": STAND_IN, "CUDA_STAND_IN": switches}


def minerva(*words, switches="lag=1", code=0):
    done = subprocess.run([MINERVA, *words], env=environment(switches), capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def same_on_both(name, *words):
    """The result's file and every proof, on the processor and on the card."""
    made = {}
    for device in ("cpu", "cuda"):
        folder = os.path.join(HOME, f"{name}-{device}")
        os.makedirs(os.path.join(folder, "proofs"))
        minerva("task", "run", *words, "-d", device, "-o", os.path.join(folder, "out"), "--prove",
                os.path.join(folder, "proofs"), "--header", HEADER, "--target", TARGET, "--cert-version", "3",
                "--min-rank", "32")
        made[device] = folder
    proofs = [sorted(os.listdir(os.path.join(made[d], "proofs"))) for d in ("cpu", "cuda")]
    files = ["out"] + [os.path.join("proofs", p) for p in proofs[1]]
    _, differing, missing = filecmp.cmpfiles(made["cpu"], made["cuda"], files, shallow=False)
    if proofs[0] != proofs[1] or differing or missing:
        sys.exit(f"{name}: {differing or missing or proofs} differ")
    return len(proofs[1])


def mine(switches, wanted):
    """Mines alone until it says what is wanted; all that it said."""
    process = subprocess.Popen([MINERVA, "mine", "-o", "simulate://60000000", "-u", "me", "-d", "cuda", "--no-color"],
                               env=environment(switches), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watchdog = threading.Timer(40, process.kill)
    watchdog.start()
    said = ""
    for line in process.stdout:
        said += line
        if re.search(wanted, line):
            process.send_signal(signal.SIGTERM)
    watchdog.cancel()
    process.wait()
    if not re.search(wanted, said):
        sys.exit(f"{switches}: never said {wanted!r}:\n{said}")
    return said


if not os.access(MINERVA, os.X_OK) or not glob.glob(os.path.join(STAND_IN, "libcuda.so.1")):
    sys.exit(77)
if "built without the CUDA toolkit" in minerva("devices", "--quick"):
    print("skipped: this build has no CUDA kernels")
    sys.exit(77)

PRODUCT = ("--kind", "matmul", "--shape", "48,80,2048")
calls = re.findall(r"^CUDA_CALL\((\w+)", open(os.path.join(SOURCE, "backends/cuda/cuda_driver.def"), encoding="utf-8").read(), re.M)
LAUNCH = f"fail_call={calls.index('launch') + 1} fail_stays=1"
count = same_on_both("product", *PRODUCT)
if not count:
    sys.exit("no proof was found: the target tells nothing")
model, text = os.path.join(HOME, "tiny"), os.path.join(HOME, "text")
minerva("model", "import", TINY, "-o", model)
with open(text, "w", encoding="utf-8") as file:
    file.write("".join(" ".join(f"w{5 + (i * 7 + j * 3) % 55}" for j in range(1 + i * 9 % 50)) + "\n" for i in range(5)))
same_on_both("embedding", "--kind", "embed", "--model", model, "--text", text)
print(f"{count} proofs and both results are the processor's")

said = minerva("task", "run", *PRODUCT, "-d", "cuda", switches="memory=300000", code=1)
if not re.search(r"needs \d+ MiB, the device has \d+|out of memory", said):
    sys.exit(f"too little memory: {said}")
said = minerva("task", "run", *PRODUCT, "-d", "cuda", switches=f"fail_at=3 {LAUNCH}", code=1)
if not re.search(r"a kernel failed \(CUDA_ERROR_\w+ 719\); the device is given up", said) or "the device failed" not in said:
    sys.exit(f"a card lost in the middle: {said}")
said = mine("lag=2 memory=24000000", r"share +accepted \(1/0/0\) cuda0")
said = mine(f"fail_at=200 memory=24000000 {LAUNCH}", r"device 0 \(cuda\): the device failed; tried again in \d+ s")
if "the device is given up" not in said:
    sys.exit(f"a card lost while mining: {said}")
