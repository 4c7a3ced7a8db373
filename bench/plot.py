#!/usr/bin/env python3
"""plot.py - benchmarks as bars: one or several JSON files of `minerva bench --json` and its peers, side by side.

    bench/plot.py FILE... -o OUT.png       one panel a unit, one colour a file

Bars are the best run, the tick is the median; of the ladder's steps the bars are medians. Rows that are in several files stand beside each other.

SPDX-License-Identifier: MIT
"""
import argparse
import json
import pathlib
import sys

LADDER = "ms, ladder"
UNITS = ("GMAC/s", LADDER, "ratio", "sentences/s", "GB/s", "ms")
BAR = 0.24  # inches


def label(row, shared):
    """What rows of several files are compared by. Cards differ in name and size, so only their backend counts, unless
    a file has several of it (shared)."""
    shape = row["shape"].replace(",", " x ") if row["shape"].replace(",", "").isdigit() else row["shape"]
    backend = row["device"].split(":")[0]
    if backend in ("cuda", "opencl"):
        return f"{row['device'] if backend in shared else backend}  {row['name']}  {shape}"
    threads = f"{row['threads']} thread" + "s" * (row["threads"] > 1)
    device = "" if row["name"].startswith(row["device"].split()[0]) else row["device"] + "  "
    return f"{device}{row['name']}  {shape}  {threads}"


def shared_backends(rows):
    """Backends of which these rows have more than one device."""
    backends = [device.split(":")[0] for device in {row["device"] for row in rows}]
    return {backend for backend in backends if backends.count(backend) > 1}


def ladder_rows(got):
    """The ratios of a run, as rows of a panel of their own."""
    devices = {row["shape"]: row["device"] for row in got.get("results", [])}
    return [{"device": devices.get(step["shape"], "cpu"), "name": step["name"], "shape": step["shape"], "unit": "ratio",
             "threads": step["threads"], "min": step["best"], "median": step["median"], "max": step["best"]}
            for step in got.get("ladder", [])]


def rung_rows(got):
    """The steps from the plain loop to a useful product, in a panel of their own."""
    threads = {row["device"]: row["threads"] for row in got.get("results", [])}
    return [{"device": ladder["device"], "name": step["name"], "shape": ladder["shape"], "unit": LADDER,
             "threads": threads[ladder["device"]],
             "min": step["ms"], "median": step["ms"], "max": step["ms"]}
            for ladder in got.get("ablation", []) for step in ladder["steps"]]


def read(paths):
    """{unit: {label: {file: row}}}, everything in its order; limits are the same at each shape: the best of them."""
    panels = {unit: {} for unit in UNITS}
    for path in paths:
        got = json.loads(path.read_text())
        found = [row for row in got.get("results", []) if not row["name"].startswith("ladder_")]
        found += rung_rows(got) + ladder_rows(got)
        shared = shared_backends(got.get("results", []))
        for row in found:
            rows = panels.setdefault(row["unit"], {}).setdefault(label(row, shared), {})
            if path not in rows or row["max"] > rows[path]["max"]:
                rows[path] = row
    return {unit: rows for unit, rows in panels.items() if rows}


def title(path):
    """The file, and the cards it speaks of."""
    names = {row.get("device_name") for row in json.loads(path.read_text()).get("results", []) if row.get("device_name")}
    return f"{path} ({', '.join(sorted(names))})" if names else str(path)


def pyplot_load():
    """matplotlib's, or exit 77 with a sentence."""
    try:
        import matplotlib
    except ImportError as missing:
        print(f"plot.py: {missing}: bench/peers/setup.sh installs it. Skipped.", file=sys.stderr)
        sys.exit(77)
    matplotlib.use("Agg")
    from matplotlib import pyplot  # the backend is chosen first
    return pyplot


def draw(axes, unit, rows, paths, colours):
    """Files that have a row share its height."""
    for place, found in enumerate(rows.values()):
        height = 0.8 / len(found)
        for index, (path, row) in enumerate(found.items()):
            at = place + (index - (len(found) - 1) / 2) * height
            axes.barh(at, row["min"] if unit.startswith("ms") else row["max"], height, color=colours(paths.index(path)))
            axes.plot([row["median"]] * 2, [at - height / 2, at + height / 2], color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(unit + (", less is better" if unit.startswith("ms") else ""))
    axes.grid(axis="x", alpha=0.3)


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("files", nargs="+", type=pathlib.Path)
    words.add_argument("-o", "--output", required=True, type=pathlib.Path)
    options = words.parse_args()
    pyplot = pyplot_load()
    panels = read(options.files)
    if not panels:
        sys.exit("plot.py: no results in these files")
    used = [path for path in options.files
            if any(path in found for rows in panels.values() for found in rows.values())]
    heights = [1 + BAR / 2 * sum(1 + len(found) for found in rows.values()) for rows in panels.values()]
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(11, sum(heights)), height_ratios=heights, squeeze=False)
    colours = pyplot.get_cmap("tab10")
    for axis, (unit, rows) in zip(axes[:, 0], panels.items()):
        draw(axis, unit, rows, used, colours)
    figure.legend([pyplot.Rectangle((0, 0), 1, 1, color=colours(i)) for i in range(len(used))],
                  [title(path) for path in used], loc="upper left", ncols=2, fontsize=7)
    figure.tight_layout(rect=(0, 0, 1, 1 - (0.1 + 0.2 * -(-len(used) // 2)) / sum(heights)))
    figure.savefig(options.output, dpi=120)
    print(f"plotted in {options.output}")


if __name__ == "__main__":
    main()
