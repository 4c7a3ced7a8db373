#!/usr/bin/env python3
"""machine.py - prints what was measured on, as JSON: processor, memory, system, compiler, commit, load.

SPDX-License-Identifier: MIT
"""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys


def cpu_fields():
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def instructions(flags):
    wanted = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "asimddp", "i8mm")
    return [flag for flag in wanted if flag in flags.split()]


def caches():
    folder = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
    found = []
    for index in sorted(folder.glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return found


def memory_gib():
    text = pathlib.Path("/proc/meminfo").read_text()
    return round(int(re.search(r"MemTotal:\s+(\d+)", text).group(1)) / 2**20, 1)


def system_name():
    text = pathlib.Path("/etc/os-release")
    found = re.search(r'PRETTY_NAME="?([^"\n]+)', text.read_text()) if text.exists() else None
    release = ".".join(platform.release().split(".")[:2])
    return f"{found.group(1) if found else platform.system()}, Linux {release}"


def output(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def compiler(build):
    cache = pathlib.Path(build) / "CMakeCache.txt"
    found = re.search(r"CMAKE_C_COMPILER:\w+=(\S+)", cache.read_text()) if cache.exists() else None
    return output(found.group(1), "--version").partition("\n")[0] if found else "unknown"


def main():
    fields = cpu_fields()
    print(json.dumps({"machine": {
        "cpu": fields.get("model name", platform.machine()),
        "family": fields.get("cpu family", ""),
        "model": fields.get("model", ""),
        "processors": len(os.sched_getaffinity(0)),
        "instructions": instructions(fields.get("flags", fields.get("Features", ""))),
        "caches": caches(),
        "memory_gib": memory_gib(),
        "is_virtual": "hypervisor" in fields.get("flags", "").split(),
        "system": system_name(),
        "compiler": compiler(sys.argv[1] if len(sys.argv) > 1 else "build"),
        "commit": output("git", "describe", "--always", "--dirty"),
        "date": datetime.date.today().isoformat(),
        "load": round(os.getloadavg()[0], 1),
    }}, indent=2))


if __name__ == "__main__":
    main()
