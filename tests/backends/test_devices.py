#!/usr/bin/env python3
"""Claim: `minerva devices` lists the processor as usable under number 0, says why other backends
are not, prints the same as JSON, lets each usable one pass its self-test unless it must be
quick, and refuses words that it does not know.

labels: plain
"""
import json
import os
import re
import subprocess
import sys

MINERVA = os.environ["MINERVA"]


def run(*words):
    done = subprocess.run([MINERVA, "devices", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


if not os.access(MINERVA, os.X_OK):
    sys.exit(77)
code, text, err = run("--json")
devices = json.loads(text)["devices"]
names = [d["backend"] for d in devices]
check("exit 0 and nothing on stderr", (code, err) == (0, ""))
check("every backend of the table is named", {"cpu", "cuda", "opencl"} <= set(names))
cpu = devices[names.index("cpu")]
check("the processor is usable", cpu["usable"] and cpu["reason"] == "")
check("it has memory, threads and a name", cpu["memory_bytes"] >= cpu["memory_free_bytes"] > 0 and cpu["threads"] > 0 and cpu["name"])
rows = re.findall(r"^CPU_MATMUL\((\w+)\)", open(os.path.join(os.environ["SOURCE"], "backends/cpu/cpu_matmul.def")).read(), re.M)
check("its way to multiply is one of the table's", cpu["detail"].split()[0] in rows)
best = rows.index(cpu["detail"].split()[0])
for row in rows[best:]:
    os.environ["MINERVA_CPU"] = row
    got = json.loads(run("--json")[1])["devices"][names.index("cpu")]["detail"].split()[0]
    check(f"MINERVA_CPU={row} leaves it and what comes after it, not {got}", rows.index(got) >= rows.index(row))
check("without the others the portable row is taken", got == "portable")
del os.environ["MINERVA_CPU"]
for device in devices:
    check(f"{device['backend']}: usable or with a reason", device["usable"] or len(device["reason"]) > 10)

code, table, err = run()
lines = table.splitlines()
check("it passed", cpu["selftest"]["passed"] is True and cpu["selftest"]["seconds"] < 1)
quick = json.loads(run("--json", "--quick")[1])["devices"]
check("quick: nothing is tested", all(d.get("selftest") is None for d in quick) and [d["backend"] for d in quick] == names)
check("and that is said", "  yes, not tested" in run("--quick")[1])
check("a header and a line for each", code == 0 and len(lines) == 1 + len(devices))
check("the header names the columns", lines[0].split() == "# backend bus device free/memory driver cc kernels usable".split())
for device in devices:
    line = next(l for l in lines if f"  {device['backend']} " in l)
    check("the table says the same", (": " + device["reason"] in line) if not device["usable"] else "  yes, passed in " in line)

for words in (["--what"], ["--json", "more"], ["cpu"]):
    code, text, err = run(*words)
    check(f"{words} is refused with a sentence", code == 2 and text == "" and words[-1] in err)
check("--help explains", run("--help")[0] == 0 and "usage" in run("--help")[1])
