#!/usr/bin/env python3
"""Claim: `minerva bench` checks and times every benchmark, prints what programs expect, and refuses
words and shapes that it cannot use with a sentence and the right exit code.

labels: plain
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

MINERVA = os.environ["MINERVA"]
sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["SOURCE"] + "/bench")
import page  # noqa: E402 found there
import plot  # noqa: E402
UNITS = {"int8_product": "GMAC/s", "tickets": "GMAC/s", "mining": "GMAC/s", "useful": "GMAC/s", "blake3": "GB/s",
         "verify_share": "ms", "new_header": "ms"}


def run(*words):
    done = subprocess.run([MINERVA, "bench", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check(what, holds):
    if not holds:
        sys.exit(f"does not hold: {what}")


def check_shown(told):
    """The page and the plot hold what the JSON says."""
    (ladder,) = told["ablation"]
    text = page.ladder_section(told)
    check("the page has a line a step", all(f"| {step['name']} | {step['adds']} | {page.number(step['ms'])} |" in text
                                            for step in ladder["steps"]))
    check("and dashes for what is not known", text.count("| - | - | - | - |") == len(ladder["steps"]))
    check("a page without a ladder has none", page.ladder_section({}) == "")
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in ("one.json", "other.json")]
        for file in files:
            file.write_text(json.dumps(told))
        panel = plot.read(files)[plot.LADDER]
        check("ladders of two files stand side by side", len(panel) == len(ladder["steps"])
              and all(set(found) == set(files) for found in panel.values()))


def main():
    if not os.access(MINERVA, os.X_OK):
        sys.exit(77)
    code, text, err = run("--json", "-d", "cpu", "-t", "2", "--seconds", "0", "--shape", "70,90,2112,64")
    check(f"exit 0 ({code}, {err})", code == 0)
    told = json.loads(text)
    check("version and processor are named", told["minerva"] and told["cpu"])
    check("each benchmark once, in its unit", {r["name"]: r["unit"] for r in told["results"]} == UNITS)
    for row in told["results"]:
        check("the fields", set(row) == {"device", "device_name", "name", "shape", "threads", "unit", "min", "median", "max",
                                         "runs", "slow", "slow_is", "clock_mhz", "power_w", "j_per_tmac", "of_peak"})
        check(f"{row['name']} was timed", 0 < row["min"] <= row["median"] <= row["max"] and row["runs"] >= 5)
        check("the slow end is said", row["slow_is"] == ("p99" if row["runs"] >= 100 else "worst")
              and (row["slow_is"] == "p99" or row["slow"] == row["max" if row["unit"] == "ms" else "min"]))
        check("what no sensor says is null", all(row[f] is None for f in ("clock_mhz", "power_w", "j_per_tmac", "of_peak")))
        check("on two threads of the processor", row["threads"] == 2 and row["device"].startswith("cpu"))
    rows = {r["name"]: r for r in told["results"]}
    shapes = {r["name"]: r["shape"] for r in told["results"]}
    check("shapes are told", shapes["int8_product"] == "70,90,2112" and shapes["useful"] == "70,90,2112,64")

    (ladder,) = told["ablation"]
    check("a processor's ladder has whole products", [s["name"] for s in ladder["steps"]] ==
          ["int8_product", "tickets", "mining", "useful"] and not ladder["apart"] and ladder["cache_bytes"] is None)
    for below, step in zip([None] + ladder["steps"], ladder["steps"]):
        check("a step is its row's median", abs(step["tmac_s"] * 1000 / rows[step["name"]]["median"] - 1) < 1e-4)
        check("in time and in share", abs(step["ms"] * step["tmac_s"] / (70 * 90 * 2112 / 1e9) - 1) < 1e-4
              and abs(step["of_first"] * step["ms"] / ladder["steps"][0]["ms"] - 1) < 1e-4)
        check("and stands above the one below", abs(step["delta_ms"] - (step["ms"] - below["ms"] if below else 0)) < 1e-4 * step["ms"])
    check_shown(told)
    code, text, err = run("--only", "ladder", "-d", "cpu", "--seconds", "0", "--shape", "70,90,2112,64")
    check(f"--only ladder times what there is of it ({err})", code == 0 and "are not timed apart here" in text
          and "ladder_loop" not in text)
    code, text, err = run("--json", "--only", "steps", "-d", "cpu", "--seconds", "0", "--shape", "70,90,2112,64")
    check(f"--only steps times one thing at a time ({err})", code == 0 and {r["name"]: r["unit"] for r in json.loads(text)["results"]}
          == {"steps_" + step: "ms" for step in ("quantise", "hash_a", "quantise_hash", "draw", "noise_x", "y", "product",
                                                 "hash_b", "renoise")})
    code, _, err = run("--only", "steps_prepare", "-d", "cpu", "--seconds", "0")
    check("a processor prepares nothing ahead", code == 4 and "prepares no product while another one runs" in err)
    code, _, err = run("--only", "ladder_fold", "-d", "cpu", "--seconds", "0")
    check("a step by itself is for CUDA", code == 4 and "only kernels for CUDA exist with steps left out" in err)

    code, text, _ = run("--only", "blake3,int8_product", "--seconds", "0", "--shape", "8,16,1024,32")
    lines = text.splitlines()
    check("--only times some", code == 0 and len(lines) == 3)
    check("in the table's order", [l.split()[1] for l in lines[1:]] == ["int8_product", "blake3"])

    for words, wrong in ((["--only", "chess"], "chess"), (["--shape", "1,2,3"], "1,2,3"), (["--shape", "0,8,1024,32"], "0"),
                         (["--shape", "8,8,1024,32,1"], "8,8,1024,32,1"), (["--seconds", "soon"], "soon"),
                         (["--seconds", "-1"], "-1"), (["-t", "0"], "0"), (["--fast"], "--fast"), (["now"], "now"),
                         (["--tile", "0-63"], "0-63"), (["--tile", "1,2/0-63"], "1,2"), (["--tile", "0,32/0-x"], "0-x"),
                         (["--tile", "0,1,3/0-63"], "0,1,3"), (["--tile", "0-999/0"], "0-999"), (["--tile", "/"], "--tile"),
                         (["--only", "embed"], "--model"), (["--seconds"], "--seconds")):
        code, text, err = run(*words)
        check(f"{words} is refused with a sentence ({code}, {err})", code == 2 and text == "" and wrong in err)
    check("an absent backend is no device", run("-d", "opencl", "--seconds", "0")[0] in (0, 4))
    code, _, err = run("--only", "mining", "--seconds", "0", "--shape", "1,8,1024,32")
    check("a shape without tiles is told", code == 1 and "no tile fits 1 x 8" in err)
    small = ("--only", "mining", "-d", "cpu", "--seconds", "0", "--shape", "128,128,2112,64")
    code, text, err = run(*small, "--tile", "0,32/0-63")
    check(f"a pool's tile is mined ({err})", code == 0 and " mining " in text)
    code, _, err = run(*small, "--tile", "0-3/0-3")
    check(f"a tile that no proof can have is told ({err})", code == 1 and "the tile is 4 x 4" in err)
    code, _, err = run("--only", "embed", "--model", "/nonexistent", "--text", "/nonexistent")
    check("a missing model is told", code == 1 and "/nonexistent" in err)
    check("--help explains", run("--help")[0] == 0 and "--shape" in run("--help")[1])


main()
