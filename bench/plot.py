#!/usr/bin/env python3
"""plot.py - benchmarks as bars: one or several JSON files of `minerva bench --json` and its peers, side by side.

    bench/plot.py FILE... -o OUT.png       one panel a unit, one colour a file

Bars are the best run, the tick is the median. Rows that are in several files stand beside each other.

SPDX-License-Identifier: MIT
"""
import argparse
import json
import pathlib
import sys

try:
    import matplotlib
except ImportError as missing:
    print(f"plot.py: {missing}: bench/peers/setup.sh installs it. Skipped.", file=sys.stderr)
    sys.exit(77)
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 the backend is chosen first

UNITS = ("GMAC/s", "sentences/s", "GB/s", "ms")
BAR = 0.24  # inches


def label(row):
    threads = f"{row['threads']} thread" + "s" * (row["threads"] > 1)
    shape = row["shape"].replace(",", " x ") if row["shape"].replace(",", "").isdigit() else row["shape"]
    device = "" if row["name"].startswith(row["device"].split()[0]) else row["device"] + "  "
    return f"{device}{row['name']}  {shape}  {threads}"


def read(paths):
    """{unit: {label: {file: row}}}, everything in its order; limits are the same at each shape: the best of them."""
    panels = {unit: {} for unit in UNITS}
    for path in paths:
        for row in json.loads(path.read_text()).get("results", []):
            rows = panels.setdefault(row["unit"], {}).setdefault(label(row), {})
            if path not in rows or row["max"] > rows[path]["max"]:
                rows[path] = row
    return {unit: rows for unit, rows in panels.items() if rows}


def draw(axes, unit, rows, paths):
    """Files that have a row share its height."""
    colours = pyplot.get_cmap("tab10")
    for place, found in enumerate(rows.values()):
        height = 0.8 / len(found)
        for index, (path, row) in enumerate(found.items()):
            at = place + (index - (len(found) - 1) / 2) * height
            axes.barh(at, row["min"] if unit == "ms" else row["max"], height, color=colours(paths.index(path)))
            axes.plot([row["median"]] * 2, [at - height / 2, at + height / 2], color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(unit + (", less is better" if unit == "ms" else ""))
    axes.grid(axis="x", alpha=0.3)


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("files", nargs="+", type=pathlib.Path)
    words.add_argument("-o", "--output", required=True, type=pathlib.Path)
    options = words.parse_args()
    panels = read(options.files)
    if not panels:
        sys.exit("plot.py: no results in these files")
    used = [path for path in options.files
            if any(path in found for rows in panels.values() for found in rows.values())]
    heights = [1 + BAR / 2 * sum(1 + len(found) for found in rows.values()) for rows in panels.values()]
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(11, sum(heights)), height_ratios=heights, squeeze=False)
    for axis, (unit, rows) in zip(axes[:, 0], panels.items()):
        draw(axis, unit, rows, used)
    colours = pyplot.get_cmap("tab10")
    figure.legend([pyplot.Rectangle((0, 0), 1, 1, color=colours(i)) for i in range(len(used))],
                  [str(path) for path in used], loc="upper left", ncols=len(used), fontsize=7)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / sum(heights)))
    figure.savefig(options.output, dpi=120)
    print(f"plotted in {options.output}")


if __name__ == "__main__":
    main()
