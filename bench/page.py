#!/usr/bin/env python3
"""page.py - renders docs/performance.md out of what was measured, so that no number is typed by hand.

    bench/page.py keep build/bench      puts a folder's JSON into docs/performance/MACHINE.json
    bench/page.py render                docs/performance.md out of all of docs/performance/*.json
    bench/page.py print                 the same on standard output

SPDX-License-Identifier: MIT
"""
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ.get("SOURCE") or pathlib.Path(__file__).resolve().parents[1])
OTHERS = ("opencl", "naive")  # they take turns among themselves
KEPT, PAGE = ROOT / "docs" / "performance", ROOT / "docs" / "performance.md"

HEAD = """# Performance

Rendered by `bench/page.py` from `docs/performance/*.json`, which `make bench` writes; do not edit.
GMAC/s is 10^9 multiply-accumulates a second (m n k over time). Products are int8 to int32, exact; everybody's
answer is compared before the clock starts, rounds alternate in one process, and the figures are those of the best
run, unless a column says median. *clean*: packing of the left operand and the product. *mining*: a whole attempt
(hash, noise, packing, product, folds, tickets). *useful*: the same and the exact clean product handed back. oneDNN
is the best of its gemm, its matmul, and its matmul with packed weights. *limit*: dots on registers alone.
"""


def keep(folder):
    """Machine, results and ratios of one run, merged."""
    kept = {"machine": None, "results": [], "ratios": [], "cosines": {}, "profiles": [], "ablation": []}
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.name != "peers.json", path.name)):
        got = json.loads(path.read_text())
        for row in got.get("results", []):
            row["turns"] = "ratios" in got
        kept["machine"] = got.get("machine", kept["machine"])
        for name in ("results", "ratios", "profiles", "ablation"):
            kept[name] += got.get(name, [])
        kept["cosines"].update(got.get("cosines", {}))
    if not kept["machine"]:
        sys.exit(f"page.py: {folder} holds no machine.json: bench/machine.py writes it")
    machine = kept["machine"]
    words = f"{machine['cpu']} {machine['family']} {machine['model']} {machine['processors']} processors"
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / (re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + ".json")
    path.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


def table(head, rows):
    """As Markdown; the first column to the left, the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def number(value):
    return "" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def best(row):
    return row["min"] if row["unit"] == "ms" else row["max"]


def shape_text(shape):
    return " x ".join(shape.split(",")[:3]) if re.fullmatch(r"[\d,]+", shape) else shape.replace(",", ", ")


def products_of(kept):
    """{(shape, threads): {column: value}} of the rows that took turns, in their order."""
    names = {"int8_product": "clean", "mining": "mining", "useful": "useful"}
    found, limits = {}, {}
    for row in kept["results"]:
        if row["unit"] != "GMAC/s" or not row["turns"] or row["device"].startswith(OTHERS):
            continue
        if row["device"] == "limit":
            key = (row["name"], row["threads"])
            limits[key] = max(limits.get(key, 0), row["max"])
            continue
        cell = found.setdefault((",".join(row["shape"].split(",")[:3]), row["threads"]), {})
        if row["device"].startswith("oneDNN"):
            if row["max"] > cell.get("oneDNN", 0):
                cell["oneDNN"], cell["way"] = row["max"], row["name"]
        else:
            column = names[row["name"]] + (" AVX2" if row["device"].endswith("avx2") else "")
            cell[column] = max(cell.get(column, 0), row["max"])
    return {key: cell for key, cell in found.items() if "oneDNN" in cell}, limits


def products_section(kept):
    columns = ("oneDNN", "clean", "mining", "useful", "clean AVX2", "mining AVX2")
    found, limits = products_of(kept)
    if not found:
        return ""
    rows = [[shape_text(shape), str(threads)] + [number(cell.get(column)) for column in columns] + [cell["way"]]
            for (shape, threads), cell in found.items()]
    said = "; ".join(f"{name.removeprefix('limit_')} on {threads} thread{'s'[:threads > 1]}: {number(value)}"
                     for (name, threads), value in limits.items())
    return (f"### Products, GMAC/s\n\nLimit of the registers: {said}.\n\n"
            + table(("m x n x k", "threads") + columns + ("oneDNN's way",), rows) + "\n")


def promises_section(kept):
    rows = []
    for ratio in kept["ratios"]:
        bound = ratio.get("at_least", ratio.get("at_most"))
        if bound is None:
            continue
        holds = ratio["best"] >= bound if "at_least" in ratio else ratio["best"] <= bound
        rows.append([ratio["name"], shape_text(ratio["shape"]), str(ratio["threads"]), number(ratio["best"]),
                     number(ratio["median"]), ("at least " if "at_least" in ratio else "at most ") + number(bound),
                     number(ratio["aim"]), "yes" if holds else "**no**"])
    if not rows:
        return ""
    return "### What was promised\n\n" + table(
        ("what", "shape", "threads", "best", "median", "promised", "aim", "holds"), rows) + "\n"


def figure(value, unit=1, after=""):
    """What may be unknown."""
    return "-" if value is None else number(value * unit) + after


def ladder_section(kept):
    parts = []
    for ladder in kept.get("ablation", []):
        rows = [[step["name"], step["adds"], number(step["ms"]), number(step["tmac_s"]), number(100 * step["of_first"]) + " %",
                 number(step["delta_ms"]), f"{number(step['slow'])} {step['slow_is']}", figure(step["clock_mhz"]),
                 figure(step["power_w"]), figure(step["j_per_tmac"]), figure(step["of_peak"], 100, " %")]
                for step in ladder["steps"]]
        parts.append(f"{ladder['shape']} on {ladder['device']}, kernels {ladder['kernels']}"
                     + ("" if ladder["apart"] else "; the steps between are not timed apart there") + ".\n\n"
                     + table(("step", "adds", "ms", "TMAC/s", "of first", "+ ms", "slow ms", "MHz", "W", "J/TMAC", "of peak"),
                             rows) + "\n")
    return "### The ladder, medians\n\n" + "".join(parts) if parts else ""


def profiles_section(kept):
    rows = [[profile["name"], shape_text(profile["shape"]), profile["row"],
             ", ".join(f"{name} {100 * share:.1f} %" for name, share in profile["parts"])]
            for profile in kept.get("profiles", [])]
    if not rows:
        return ""
    return ("### Where the time goes\n\nSamples on 1 thread, without making and checking. *block* is the register block: its "
            "share times the time beside clean's is what the arithmetic itself costs.\n\n"
            + table(("what", "shape", "instructions", "share of the time"), rows) + "\n")


def sentences_section(kept):
    cells = {}
    for row in kept["results"]:
        if row["unit"] == "sentences/s" and row["name"] != "embed":
            way = row["shape"].split(",")[1]
            cells.setdefault((row["name"], row["threads"]), {})[way] = best(row)
    if not cells:
        return ""
    ways = ("packs", "batch 1", "batch 8", "batch 32")
    rows = []
    for (name, threads), cell in cells.items():
        cosine = kept["cosines"].get(name, {})
        rows.append([name, str(threads)] + [number(cell.get(way)) for way in ways]
                    + [f"{cosine['mean']:.4f}, {cosine['least']:.4f}" if cosine else ""])
    return ("### all-MiniLM-L6-v2, sentences/s\n\n200 sentences of 9 to 120 tokens, sorted by length, tokenising "
            "outside the clock.\n\n"
            + table(("who", "threads") + ways + ("cosine to fp32: mean, least",), rows) + "\n")


def rest_section(kept):
    """What the tables above do not hold."""
    shown, _ = products_of(kept)
    peers = ("oneDNN", "limit", "onnxruntime", "sentence-transformers")

    def is_shown(row):
        return (row["device"].startswith(peers) or row["name"].startswith("minerva")
                or (row["turns"] and not row["device"].startswith(OTHERS)
                    and (",".join(row["shape"].split(",")[:3]), row["threads"]) in shown))

    rows = [[row["name"], row["device"], shape_text(row["shape"]), str(row["threads"]), number(row["min"]),
             number(row["median"]), number(row["max"]), row["unit"], str(row["runs"])]
            for row in kept["results"] if not is_shown(row)]
    return "### Every other figure of `minerva bench`, and what takes no turns\n\n" + table(
        ("name", "device", "shape", "threads", "min", "median", "max", "unit", "runs"), rows) + "\n"


def machine_section(machine):
    return (f"## {machine['cpu']}, {machine['processors']} processors\n\n"
            f"Family {machine['family']}, model {machine['model']}; {', '.join(machine['instructions'])}; "
            f"{', '.join(machine['caches'])}; {machine['memory_gib']} GiB{', a virtual machine' * machine['is_virtual']}. {machine['system']}; {machine['compiler']}. "
            f"Measured on {machine['date']} at {machine['commit']}, load {machine['load']} before it began.\n\n")


def page():
    parts = [HEAD]
    for path in sorted(KEPT.glob("*.json")):
        kept = json.loads(path.read_text())
        parts.append(machine_section(kept["machine"]) + products_section(kept) + promises_section(kept) + ladder_section(kept)
                     + profiles_section(kept) + sentences_section(kept) + rest_section(kept))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def main():
    if sys.argv[1:2] == ["keep"] and len(sys.argv) == 3:
        keep(pathlib.Path(sys.argv[2]))
    elif sys.argv[1:] == ["render"]:
        PAGE.write_text(page())
        print(f"rendered {PAGE.relative_to(ROOT)}")
    elif sys.argv[1:] == ["print"]:
        print(page(), end="")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
