#!/usr/bin/env python3
"""Claim: whatever is wrong with the CUDA driver or a card, `minerva devices` says it in a sentence with
the next step, the other devices work on, and two good cards are two devices.

labels: plain
The driver is the stand-in of tests/stand_in, with the faults that CUDA_STAND_IN names.
"""
import ctypes.util
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

MINERVA, BUILD, SOURCE = os.environ["MINERVA"], os.environ["BUILD"], os.environ["SOURCE"]
STAND_IN = os.path.join(BUILD, "stand-in")
FAILED = []


def devices(folder, switches="", tested=False):
    env = dict(os.environ, LD_LIBRARY_PATH=folder, CUDA_STAND_IN=switches)
    words = ["devices", "--json"] + ([] if tested else ["--quick"])
    done = subprocess.run([MINERVA, *words], env=env, capture_output=True, text=True, check=False, timeout=60)
    try:
        return [d for d in json.loads(done.stdout)["devices"] if d["backend"] in ("cuda", "cpu")]
    except ValueError:
        sys.exit(f"{switches}: no JSON but {done.stdout!r} {done.stderr!r}, exit code {done.returncode}")


def check(what, holds):
    if not holds:
        FAILED.append(what)
        print(f"does not hold: {what}")


def reason(folder, switches, expected, tested=False):
    """The only CUDA device of the list is not usable, for this reason; the processor is."""
    found = devices(folder, switches, tested)
    cuda = [d for d in found if d["backend"] == "cuda"]
    check(f"{switches or folder}: one entry, not {cuda}", len(cuda) == 1)
    trial = cuda[0]["selftest"] if tested else {"passed": cuda[0]["usable"], "reason": cuda[0]["reason"]}
    said = trial["reason"]
    check(f"{switches or folder}: {said!r}, expected {expected!r}", re.search(expected, said))
    check(f"{switches or folder}: a sentence that fits", len(said) <= 300 and "\n" not in said)
    check(f"{switches or folder}: not usable", not trial["passed"])
    check(f"{switches or folder}: the processor works on", any(d["backend"] == "cpu" and d["usable"] for d in found))


def call(slot):
    """The number of a call, for the switch fail_call."""
    text = open(os.path.join(SOURCE, "backends/cuda/cuda_driver.def"), encoding="utf-8").read()
    return 1 + re.findall(r"^CUDA_CALL\((\w+)", text, re.M).index(slot)


def fails(slot, code, at=1, stays=0):
    return f"fail_at={at} fail_call={call(slot)} fail_code={code} fail_stays={stays}"


if not os.access(MINERVA, os.X_OK) or not glob.glob(os.path.join(STAND_IN, "libcuda.so.1")):
    sys.exit(77)
if "built without the CUDA toolkit" in subprocess.run([MINERVA, "devices", "--quick"], capture_output=True, text=True,
                                                      check=False).stdout:
    print("skipped: this build has no CUDA kernels")
    sys.exit(77)

with tempfile.TemporaryDirectory() as empty:
    if not ctypes.util.find_library("cuda"):
        reason(empty, "", r"^no NVIDIA driver here: libcuda\.so\.1 is not found; install one, or use another device$")
    # A library of that name that is no driver.
    other = [path for path in glob.glob(os.path.join(BUILD, "lib*.so")) if "cuda" not in path]
    if other:
        shutil.copy(other[0], os.path.join(empty, "libcuda.so.1"))
        reason(empty, "", r"^libcuda\.so\.1 has no cuInit: it is too old or no NVIDIA driver; update the driver$")

reason(STAND_IN, "devices=0", r"^the driver does not start: no device that the driver can use \(CUDA_\w+ 100\)$")
reason(STAND_IN, fails("init", 803), r"^the driver does not start: the driver's library and its kernel module are of "
       r"different versions: restart the machine")
reason(STAND_IN, fails("init", 999), r"^the driver does not start: an unknown error of the driver")
reason(STAND_IN, fails("init", 12345), r"^the driver does not start: an error of a test \(CUDA_ERROR_OF_A_TEST 12345\)")
reason(STAND_IN, "driver=11040", r"^the driver speaks CUDA 11\.4, the kernels of this build need \d+\.0: update the driver, "
       r"or use OpenCL$")
reason(STAND_IN, "capability=61", r"^compute capability 6\.1, expected 7\.5 or higher: use OpenCL$")
reason(STAND_IN, fails("primary_retain", 2), r"^out of device memory \(CUDA_ERROR_OUT_OF_MEMORY 2\)$")
reason(STAND_IN, fails("primary_retain", 46), r"^the device is busy or not available \(")
reason(STAND_IN, fails("device_attribute", 100), r"^no device that the driver can use \(")
# A card may be listed well and fail when it is opened or tried.
reason(STAND_IN, fails("module_load", 222), r"the kernels \w+ cannot be loaded: the driver is too old for the kernels of "
       r"this build \(", tested=True)
reason(STAND_IN, fails("module_load", 209, stays=1), r"cannot be opened: cuda:", tested=True)
reason(STAND_IN, "memory=60000", r"failed its self-test: .*out of memory", tested=True)
reason(STAND_IN, "wrong_at=1", r"failed its self-test: .* differs at byte ", tested=True)
reason(STAND_IN, fails("launch", 719, at=9, stays=1), r"failed its self-test: .*the device failed", tested=True)

two = [d for d in devices(STAND_IN, "devices=2 capability=120 driver=13020") if d["backend"] == "cuda"]
check("two cards are two devices", [d["bus"] for d in two] == ["1a:00.0", "1b:00.0"])
check("their driver, capability and memory are shown",
      all(d["usable"] and d["driver"].endswith("CUDA 13.2") and d["capability"] == "12.0" and d["vendor"] == "nvidia" and
          d["gpu"] and 0 < d["memory_free_bytes"] <= d["memory_bytes"] == 1 << 30 for d in two))
tried = [d for d in devices(STAND_IN, "", tested=True) if d["backend"] == "cuda"]
ways = re.findall(r"^CUDA_MATMUL\((\w+)", open(os.path.join(SOURCE, "backends/cuda/cuda_matmul.def"), encoding="utf-8").read(), re.M)
check("a card that passed shows its way to multiply", len(tried) == 1 and tried[0]["usable"] and tried[0]["variant"] in ways)
for capability, way in (("80", "wide_lane"), ("86", "mma_lane"), ("89", "mma_lane"), ("120", "mma_lane")):
    tried = [d for d in devices(STAND_IN, f"capability={capability}", tested=True) if d["backend"] == "cuda"]
    check(f"a card of {capability} multiplies by {way}, not {tried[0]['variant']}", tried[0]["variant"] == way)
sys.exit(1 if FAILED else 0)
