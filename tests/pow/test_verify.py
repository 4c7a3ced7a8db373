#!/usr/bin/env python3
"""Claim: `minerva verify` accepts the proofs of the worked cases under exactly their target, as
raw bytes and as base64, from a file and from standard input, and says why it rejects the rest;
exit codes are 0, 1 and, for wrong usage, 2.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile

MINERVA = os.environ["MINERVA"]
CASES = os.path.join(os.environ["SOURCE"], "tests", "vectors", "pow")
failures = 0


def run(*words, stdin=b""):
    done = subprocess.run([MINERVA, "verify", *words], input=stdin, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect(what, result, code, text):
    global failures
    said = result[1] if code < 2 else result[2]
    if result[0] != code or text not in said:
        failures += 1
        print(f"{what}: exit {result[0]}, said {result[1:]}, expected exit {code} and {text!r}")


def case_of(name):
    with open(os.path.join(CASES, name + ".json")) as file:
        case = json.load(file)
    factor = (len(case["rows_pattern"]) * len(case["cols_pattern"]) *
              (case["k"] // case["rank"]) * min(case["rank"], 128))
    ticket = int.from_bytes(bytes.fromhex(case["best_jackpot_le_hex"]), "little")
    case["target"] = -(-ticket // factor)
    return case


def options(case, target=None):
    target = case["target"] if target is None else target
    return ["--header", case["header"], "--target", f"{target:x}", "--cert-version", str(case["cert_version"])]


def check_cases(path):
    names = sorted(name[:-5] for name in os.listdir(CASES))
    assert len(names) == 7, names
    for name in names:
        case = case_of(name)
        raw = base64.b64decode(case["proof_base64"])
        accepted = f"accepted ticket {case['best_jackpot_le_hex']} m {case['m']} n {case['n']} k {case['k']}"
        with open(path, "wb") as file:
            file.write(raw)
        expect(name, run(*options(case), path), 0, accepted)
        expect(name + " on stdin", run(*options(case), "-", stdin=raw), 0, accepted)
        expect(name + " in base64", run(*options(case), "-", stdin=case["proof_base64"].encode()), 0, accepted)
        expect(name + " in lines", run(*options(case), "-", stdin=base64.encodebytes(raw)), 0, accepted)
        expect(name + " one lower", run(*options(case, case["target"] - 1), path), 1, "rejected: the ticket")


def check_refusals(path):
    case = case_of("rank-64")
    raw = base64.b64decode(case["proof_base64"])
    good = options(case)
    with open(path, "wb") as file:
        file.write(raw)
    expect("min rank", run(*good, "--min-rank", "128", path), 1, "rejected: rank is 64, expected at least 128")
    expect("version 0", run(*good[:4], "--cert-version", "0", path), 1, "rejected: certificate version is 0")
    expect("version 4", run(*good[:4], "--cert-version", "4", path), 1, "rejected: certificate version is 4")
    other = "00" + case["header"][2:]
    expect("other header", run("--header", other, *good[2:], path), 1, "rejected: A: the chunks lead to root")
    expect("too easy", run(*options(case, 2**256 - 1), path), 1, "passes 256 bits")
    expect("nbits", run(*good[:2], "--nbits", "1d00ffff", *good[4:], path), 1, "rejected: the ticket")
    expect("easy nbits", run(*good[:2], "--nbits", "1e00ffff", *good[4:], path), 0, "accepted ticket")
    expect("one bit", run(*good, "-", stdin=raw[:99] + bytes([raw[99] ^ 1]) + raw[100:]), 1, "lead to root")
    expect("truncated", run(*good, "-", stdin=raw[:-40]), 1, "rejected: B: ")
    expect("nothing", run(*good, "-"), 1, "rejected: shape: the proof ends")
    expect("no base64", run(*good, "-", stdin=b"hello, world"), 1, "no base64")


def check_usage(path):
    case = case_of("rank-64")
    good = options(case)
    for what, words, text in (
            ("nothing", [], "--header is missing"),
            ("no target", [*good[:2], *good[4:], path], "--target or --nbits is missing"),
            ("both", [*good, "--nbits", "1d00ffff", path], "one of --target and --nbits"),
            ("no version", [*good[:4], path], "--cert-version is missing"),
            ("no file", good, "0 proofs"),
            ("two files", [*good, path, path], "2 proofs"),
            ("unreadable", [*good, path + ".not-there"], "not-there"),
            ("short header", ["--header", "00", *good[2:], path], "--header has 2"),
            ("header of text", ["--header", "x" * 152, *good[2:], path], "--header has 152"),
            ("target", [*good[:2], "--target", "xyz", *good[4:], path], "xyz"),
            ("nbits", [*good[:2], "--nbits", "1d00fff", *good[4:], path], "--nbits is"),
            ("version", [*good[:4], "--cert-version", "-1", path], "--cert-version is"),
            ("rank", [*good, "--min-rank", "16", path], "--min-rank is 16"),
            ("large rank", [*good, "--min-rank", "2048", path], "--min-rank is"),
            ("unknown", [*good, "--colour", path], "--colour"),
            ("no value", [*good[2:], path, "--header"], "--header")):
        expect(what, run(*words), 2, text)
    expect("help", run("--help"), 0, "--min-rank N")


with tempfile.TemporaryDirectory() as folder:
    proof = os.path.join(folder, "proof")
    check_cases(proof)
    check_refusals(proof)
    check_usage(proof)
sys.exit(1 if failures else 0)
