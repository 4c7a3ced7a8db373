#!/usr/bin/env python3
"""minilm.py - sentences a second through all-MiniLM-L6-v2: `minerva bench` beside its peers.

Peers are ONNX Runtime in fp32 and int8 (its dynamic quantisation), at batches of 1, 8 and 32, and
sentence-transformers where it is installed (setup.sh --torch). Everybody gets the same 200 token
sequences of 9 to 120, sorted by length; tokenising is outside the clock. Rounds alternate. All
vectors are compared with fp32 before anything is timed.

    build/peers-venv/bin/python bench/peers/minilm.py [--json FILE] [--rounds N] [--threads 1,2]

exit code: 0 all timed, 1 one failed, 77 something that it needs is missing

SPDX-License-Identifier: MIT
"""
import argparse
import json
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
CACHE = pathlib.Path(os.environ.get("MINERVA_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "minerva")
MODEL = CACHE / "all-MiniLM-L6-v2"
PRECISIONS = ("w7a7", "w7a14")
ONNX = ("fp32", "int8", "int8-per-tensor")
BATCHES = (1, 8, 32)
SENTENCES, TOKENS_MIN, TOKENS_MAX = 200, 9, 120
COSINE_MIN = 0.85  # of the worst sentence: less is no quantisation but a wrong answer
PROMISED = (  # upper, lower, at least, aim
    ("minerva w7a7", "onnxruntime int8", 1.0, 1.3),
    ("minerva w7a14", "onnxruntime int8", 0.65, 0.8),
    ("minerva w7a14", "onnxruntime fp32", 1.5, None),
    ("minerva w7a7", "onnxruntime int8-per-tensor", None, None),
    ("minerva w7a7", "onnxruntime fp32", None, None),
    ("minerva w7a14", "sentence-transformers fp32", None, None),
)

try:
    import numpy as np
    import onnxruntime
    from safetensors.numpy import load_file

    import minilm_onnx
except ImportError as missing:
    print(f"minilm.py: {missing}: bench/peers/setup.sh installs it. Skipped.", file=sys.stderr)
    sys.exit(77)


def minerva(*words):
    program = BUILD / "minerva"
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"minilm.py: {program} {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def tokenize(model, path):
    return [[int(word) for word in line.split()]
            for line in minerva("model", "tokenize", model, path).splitlines()]


def make_text(folder, model):
    """200 lines out of the demo's sentences, one after the other; line i has 9 + 111 i / 199 tokens, words that
    would pass that being left out. WordPiece looks at words one by one, so counts add up."""
    words = (ROOT / "packaging" / "demo-sentences.txt").read_text().split()
    (folder / "words.txt").write_text("\n".join(words) + "\n")
    sizes = [len(ids) - 2 for ids in tokenize(model, folder / "words.txt")]
    lines, at = [], 0
    for i in range(SENTENCES):
        line, left = [], TOKENS_MIN + (TOKENS_MAX - TOKENS_MIN) * i // (SENTENCES - 1) - 2
        while left:
            if sizes[at % len(words)] <= left:
                line.append(words[at % len(words)])
                left -= sizes[at % len(words)]
            at += 1
        lines.append(" ".join(line))
    path = folder / "sentences.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


# ---- who takes turns ---------------------------------------------------------------------------


def batches_of(ids, size):
    for first in range(0, len(ids), size):
        part = ids[first:first + size]
        padded = np.zeros((len(part), max(map(len, part))), np.int64)
        mask = np.zeros_like(padded)
        for row, line in enumerate(part):
            padded[row, :len(line)] = line
            mask[row, :len(line)] = 1
        yield padded, mask


class OnnxRuntime:
    rounds = None  # all
    device = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, precision, path, threads, ids):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.who = f"onnxruntime {precision}"
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.ids = ids

    def vectors(self, batch):
        return np.concatenate([self.session.run(None, {"ids": ids, "mask": mask})[0]
                               for ids, mask in batches_of(self.ids, batch)])

    def ways(self):
        return [(f"batch {size}", size) for size in BATCHES]

    def take(self, batch):
        parts = list(batches_of(self.ids, batch))
        start = time.perf_counter()
        for ids, mask in parts:
            self.session.run(None, {"ids": ids, "mask": mask})
        return [len(self.ids) / (time.perf_counter() - start)]


class SentenceTransformers:
    """Three rounds: it is slow, and nothing is promised of it."""

    rounds = 3
    who = "sentence-transformers fp32"

    def __init__(self, threads, ids):
        import sentence_transformers  # only with setup.sh --torch
        import torch

        self.torch, self.ids, self.threads = torch, ids, threads
        self.device = f"sentence-transformers {sentence_transformers.__version__}"
        self.model = sentence_transformers.SentenceTransformer(str(MODEL), device="cpu")

    def vectors(self, batch):
        self.torch.set_num_threads(self.threads)
        with self.torch.inference_mode():
            return np.concatenate([
                self.model({"input_ids": self.torch.from_numpy(ids), "attention_mask": self.torch.from_numpy(mask)})
                ["sentence_embedding"].numpy() for ids, mask in batches_of(self.ids, batch)])

    ways = OnnxRuntime.ways

    def take(self, batch):
        start = time.perf_counter()
        self.vectors(batch)
        return [len(self.ids) / (time.perf_counter() - start)]


class Minerva:
    rounds = None
    device = "cpu:0"
    seconds = 1.5  # a turn

    def __init__(self, precision, model, threads, text):
        self.who, self.model, self.threads, self.text = f"minerva {precision}", model, threads, text

    def vectors(self, folder):
        out = folder / "vectors.safetensors"
        minerva("task", "run", "--kind", "embed", "--model", self.model, "--text", self.text,
                "-d", "cpu", "-t", self.threads, "-o", out)
        return load_file(out)["embeddings"]

    def ways(self):
        return [("packs", None)]

    def take(self, _):
        got = json.loads(minerva("bench", "--only", "embed", "--model", self.model, "--text", self.text, "-d", "cpu",
                                 "-t", self.threads, "--seconds", self.seconds, "--json"))["results"][0]
        return [got["median"], got["max"]]  # the process' own runs, shortened


# ---- what came out -----------------------------------------------------------------------------


def check(who, vectors, reference, notes):
    cosine = (vectors * reference).sum(axis=1)
    notes[who] = {"mean": round(float(cosine.mean()), 4), "least": round(float(cosine.min()), 4)}
    print(f"    {who:30s} cosine to fp32: mean {cosine.mean():.4f}, least {cosine.min():.4f}", flush=True)
    if not cosine.min() > COSINE_MIN:
        sys.exit(f"minilm.py: {who}: a cosine of {cosine.min()}, expected above {COSINE_MIN}")


def contenders(threads, text, ids, models):
    some = [Minerva(precision, models[precision], threads, text) for precision in PRECISIONS]
    some += [OnnxRuntime(precision, models[precision], threads, ids) for precision in ONNX]
    try:
        some.append(SentenceTransformers(threads, ids))
    except ImportError:
        print("sentence-transformers is skipped: bench/peers/setup.sh --torch installs it", file=sys.stderr)
    return some


def measure(some, rounds):
    values = {}
    for round_ in range(rounds):
        for contender in some:
            if contender.rounds is not None and round_ >= contender.rounds:
                continue
            for name, way in contender.ways():
                values.setdefault((contender, name), []).extend(contender.take(way))
        print(f"    round {round_ + 1} of {rounds}", end="\r", file=sys.stderr, flush=True)
    return values


def report(values, threads, out):
    best = {}
    for (contender, way), got in values.items():
        row = {"device": contender.device, "name": contender.who, "shape": f"{SENTENCES}-sentences,{way}",
               "threads": threads, "unit": "sentences/s", "min": round(min(got), 2),
               "median": round(statistics.median(got), 2), "max": round(max(got), 2), "runs": len(got)}
        out["results"].append(row)
        print(f"{threads:2d}  {row['name']:30s} {way:9s} {row['max']:8.1f} {row['median']:8.1f}  sentences/s", flush=True)
        if contender.who not in best or row["max"] > best[contender.who]["max"]:
            best[contender.who] = row
    for upper, lower, least, aim in PROMISED:
        if upper not in best or lower not in best:
            continue
        ratio = {"name": f"{upper} / {lower}", "shape": f"{SENTENCES}-sentences,best-batch", "threads": threads,
                 "best": round(best[upper]["max"] / best[lower]["max"], 3),
                 "median": round(best[upper]["median"] / best[lower]["median"], 3)}
        said = ""
        if least:
            ratio["at_least"], ratio["aim"] = least, aim or least
            said = f"  at least {least:g}: {'holds' if ratio['best'] >= least else 'MISSED'}"
        out["ratios"].append(ratio)
        print(f"{threads:2d}  {ratio['name']:44s} {ratio['best']:8.3f} {ratio['median']:8.3f}{said}", flush=True)


def make_models(folder):
    models = {}
    for precision in PRECISIONS:
        models[precision] = folder / f"minilm-{precision}"
        if not (models[precision] / "manifest.json").exists():
            minerva("model", "import", MODEL, "-o", models[precision], "--precision", precision)
    for precision in ONNX:
        models[precision] = folder / f"minilm-{precision}.onnx"
    if not all(models[precision].exists() for precision in ONNX):
        logging.disable(logging.WARNING)  # "consider to run pre-processing": for convolutions
        minilm_onnx.make_fp32(MODEL, models["fp32"])
        minilm_onnx.make_int8(models["fp32"], models["int8"], per_channel=True)
        minilm_onnx.make_int8(models["fp32"], models["int8-per-tensor"], per_channel=False)
    return models


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--json", type=pathlib.Path)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--threads", default="1,2", type=lambda text: [int(word) for word in text.split(",")])
    options = words.parse_args()
    if not (MODEL / "model.safetensors").exists():
        print(f"minilm.py: no weights in {MODEL}: `make fetch` puts them there. Skipped.", file=sys.stderr)
        sys.exit(77)

    folder = BUILD / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    models = make_models(folder)
    text = make_text(folder, models["w7a7"])
    ids = tokenize(models["w7a7"], text)  # make_text() wrote them from short to long
    out = {"minerva": minerva("--version").split()[-1], "cpu": cpu_name(), "results": [], "ratios": [], "cosines": {}}
    print(f"{len(ids)} sentences, {sum(map(len, ids))} tokens, {min(map(len, ids))} to {max(map(len, ids))}", flush=True)
    for threads in options.threads:
        some = contenders(threads, text, ids, models)
        reference = next(one for one in some if one.who == "onnxruntime fp32").vectors(8)
        for contender in some:
            way = folder if isinstance(contender, Minerva) else 8
            check(contender.who, contender.vectors(way), reference, out["cosines"])
        report(measure(some, options.rounds), threads, out)
        if options.json:
            options.json.write_text(json.dumps(out, indent=2) + "\n")


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


if __name__ == "__main__":
    main()
