#!/usr/bin/env python3
"""unicode_tables.py - makes unicode_*.def out of tests/vectors/tokenizers/unicode.json.

The tables are the tokenizers library's own, asked code point by code point (the file says of which
version), not those of the system's Unicode.  Run it from anywhere after the vectors changed;
`--check` only compares, and is a test.

SPDX-License-Identifier: MIT
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "../../tests/vectors/tokenizers/unicode.json")


def classes(data):
    rows = [(first, last, name)
            for name in ("removed", "space", "mark", "punctuation", "cjk")
            for first, last in data["bert_" + name]]
    rows.sort()
    assert all(a[1] < b[0] for a, b in zip(rows, rows[1:])), "classes overlap"
    return [f"RANGE({first:#07x}, {last:#07x}, {name.upper()})" for first, last, name in rows]


def lower(data):
    """Runs of (first, last, step, delta); U+0130 alone gives two points and NFD has taken it apart."""
    runs = []
    for point, *to in data["lower"]:
        if len(to) != 1:
            assert point == 0x130
            continue
        delta = to[0] - point
        last = runs[-1] if runs else None
        if last and last[3] == delta and point - last[1] <= 2 and last[2] in (0, point - last[1]):
            last[1], last[2] = point, point - last[1]
        else:
            runs.append([point, point, 0, delta])
    return [f"RUN({a:#07x}, {b:#07x}, {step or 1}, {delta})" for a, b, step, delta in runs]


def combining(data):
    runs = []
    for point, value in data["combining"]:
        if runs and runs[-1][2] == value and runs[-1][1] + 1 == point:
            runs[-1][1] = point
        else:
            runs.append([point, point, value])
    return [f"RUN({a:#07x}, {b:#07x}, {value})" for a, b, value in runs]


def decompose(data):
    return ["POINT({:#07x}, {:#07x}, {:#07x}, {:#07x}, {:#07x})".format(*(row + [0] * (5 - len(row))))
            for row in data["decompose"]]


TABLES = (
    ("class", classes, "what BERT's normaliser makes of a code point: RANGE(first, last, class).\n"
     " * A point in none of them is a letter to it."),
    ("lower", lower, "simple lower case: RUN(first, last, step, delta)."),
    ("combining", combining, "canonical combining classes other than 0: RUN(first, last, class)."),
    ("decompose", decompose, "canonical decompositions in full, without Hangul: POINT(point, up to\n"
     " * four points, zeros after them)."),
)


def main():
    with open(SOURCE, encoding="utf-8") as file:
        data = json.load(file)
    stale = 0
    for name, make, what in TABLES:
        path = os.path.join(HERE, f"unicode_{name}.def")
        text = (f"/*\n * unicode_{name}.def - {what}\n *\n * Origin: {data['origin']}.\n"
                " * Made by unicode_tables.py; ascending.\n */\n" + "\n".join(make(data)) + "\n")
        if "--check" in sys.argv:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    print(f"{path} is not what unicode_tables.py makes")
                    stale = 1
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
