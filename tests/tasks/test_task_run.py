#!/usr/bin/env python3
"""Claim: `minerva task run` gives the same bytes for every size of packs, with and without proofs;
it leaves nothing but proofs and what they are of, and `minerva verify` accepts every one of them;
what cannot be done ends in a sentence and the right exit code.

labels: tsan
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

MINERVA = os.environ["MINERVA"]
TINY = os.path.join(os.environ["SOURCE"], "tests", "vectors", "models", "tiny-bert")
HEADER = bytes(range(76)).hex()
TARGET = "2" + "0" * 59  # 2^237: a tile of 2^18 multiply-accumulates wins half the time
HIDDEN, INNER, WORDS, POSITIONS = 64, 1024, 60, 64
bad = 0


def check(what, holds, more=""):
    global bad
    if not holds:
        bad += 1
        print("FAILED:", what, more)


def minerva(*words, code=0, says=None):
    run = subprocess.run([MINERVA, *words], capture_output=True, text=True, timeout=240)
    line = "minerva " + " ".join(words)
    check(f"{line[:120]}: exit {run.returncode}, expected {code}", run.returncode == code, run.stderr)
    if says is not None:
        check(f"{line[:120]}: says {says!r}", says in run.stderr, run.stderr)
    return run


def run(*words, **more):
    return minerva("task", "run", *words, **more)


def put_tensors(path, tensors):
    header, data = {}, b""
    for name, shape, values in tensors:
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def make_wide_model(folder):
    """A random network whose second feed-forward product is long enough for a proof at rank 64."""
    draw = random.Random(7)
    tensors = []

    def add(name, *shape, middle=0.0):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors.append((name, list(shape), [middle + draw.uniform(-0.2, 0.2) for _ in range(count)]))

    def linear(name, n, k):
        add(name + ".weight", n, k)
        add(name + ".bias", n)

    def norm(name):
        add(name + ".weight", HIDDEN, middle=1.0)
        add(name + ".bias", HIDDEN)

    add("embeddings.word_embeddings.weight", WORDS, HIDDEN)
    add("embeddings.position_embeddings.weight", POSITIONS, HIDDEN)
    add("embeddings.token_type_embeddings.weight", 2, HIDDEN)
    norm("embeddings.LayerNorm")
    layer = "encoder.layer.0."
    for part in ("query", "key", "value"):
        linear(layer + "attention.self." + part, HIDDEN, HIDDEN)
    linear(layer + "attention.output.dense", HIDDEN, HIDDEN)
    norm(layer + "attention.output.LayerNorm")
    linear(layer + "intermediate.dense", INNER, HIDDEN)
    linear(layer + "output.dense", HIDDEN, INNER)
    norm(layer + "output.LayerNorm")
    os.mkdir(folder)
    put_tensors(os.path.join(folder, "model.safetensors"), tensors)
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(5, WORDS)]
        file.write("".join(word + "\n" for word in words))
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN, "intermediate_size": INNER,
                   "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": WORDS,
                   "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "layer_norm_eps": 1e-12}, file)


def read_vectors(path):
    raw = open(path, "rb").read()
    size = struct.unpack_from("<Q", raw)[0]
    text = raw[8:8 + size]
    header = json.loads(text)
    check(f"{path}: one tensor, embeddings", list(header) == ["embeddings"])
    one = header["embeddings"]
    canonical = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    check(f"{path}: canonical", text.rstrip(b" ") == canonical and size % 8 == 0 and size - len(canonical) < 8)
    rows, width = one["shape"]
    check(f"{path}: F32 of the right size", one["dtype"] == "F32" and len(raw) == 8 + size + 4 * rows * width)
    values = struct.unpack_from(f"<{rows * width}f", raw, 8 + size)
    return rows, width, values


def same_for_all_packs(work, model, text, lines, width):
    files = []
    for rows in ("1", "7", "64", "4096"):
        out = os.path.join(work, "out-" + rows)
        run("--kind", "embed", "--model", model, "--text", text, "--rows", rows, "-t", "2", "-o", out)
        files.append(open(out, "rb").read())
    check("all packs give the same bytes", all(file == files[0] for file in files))
    count, wide, values = read_vectors(os.path.join(work, "out-1"))
    check("a vector for each line", (count, wide) == (lines, width), (count, wide))
    for i in range(count):
        length = sum(x * x for x in values[i * width:(i + 1) * width])
        check(f"vector {i} is a unit vector", abs(length - 1) < 1e-4, length)
    return files[0]


def judge(folder, name):
    stem = os.path.splitext(name)[0]
    facts = json.load(open(os.path.join(folder, stem + ".json")))
    check("the facts are these and no others",
          sorted(facts) == ["cert_version", "cols", "header", "k", "m", "n", "r", "rows", "site", "ticket"], facts)
    check("the ticket names the file", facts["ticket"] == stem)
    check("the site is the long product", facts["site"]["product"] == 3 and facts["k"] == INNER and facts["r"] == 64
          and facts["n"] == HIDDEN, facts)
    check("rows and columns are inside", max(facts["rows"]) < facts["m"] and max(facts["cols"]) < facts["n"])
    check("header and version are those asked for", facts["header"] == HEADER and facts["cert_version"] == 3)
    proof = os.path.join(folder, stem + ".proof")
    said = minerva("verify", "--header", HEADER, "--target", TARGET, "--cert-version", "3", "--min-rank", "64", proof)
    check("verify names the same ticket", stem in said.stdout, said.stdout)
    return proof


def proofs(work, model, text, plain):
    folder = os.path.join(work, "a", "proofs")  # is made, with its parent
    out = os.path.join(work, "mined")
    words = ["--kind", "embed", "--model", model, "--text", text, "--rows", "64", "--header", HEADER, "--target", TARGET,
             "--cert-version", "3"]
    run(*words, "--min-rank", "64", "--prove", folder, "-o", out)
    check("mining changes no byte", open(out, "rb").read() == plain)
    names = sorted(os.listdir(folder))
    stems = {os.path.splitext(name)[0] for name in names}
    check("only pairs lie there", names == sorted(s + e for s in stems for e in (".json", ".proof")), names)
    check("there are proofs", len(stems) > 3, len(stems))
    for name in names:
        if name.endswith(".proof"):
            proof = judge(folder, name)
    raw = bytearray(open(proof, "rb").read())
    raw[len(raw) // 2] ^= 1
    broken = os.path.join(work, "broken")
    open(broken, "wb").write(raw)
    minerva("verify", "--header", HEADER, "--target", TARGET, "--cert-version", "3", "--min-rank", "64", broken, code=1)

    none = os.path.join(work, "none")
    run(*words, "--min-rank", "128", "--prove", none, "-o", out,
        says="no product is long enough for such a rank")
    easy = [("f" * 64 if word == TARGET else word) for word in words]
    run(*easy, "--min-rank", "64", "--prove", none, "-o", out, says="the target is so easy that no bound holds it")
    check("nothing lies there then", os.listdir(none) == [])
    check("and the bytes are the same", open(out, "rb").read() == plain)
    open(os.path.join(work, "file"), "w").close()
    run(*words, "--min-rank", "64", "--prove", os.path.join(work, "file", "x"), code=1, says="cannot make the folder")


def table(model, text):
    shown = run("--kind", "embed", "--model", model, "--text", text).stdout
    check("the table shows sentences", "nearest neighbours of 6 out of 9" in shown and "w7 w8 w9" in shown, shown)
    lines = [line for line in shown.splitlines() if line.startswith("     1.000")]
    check("equal sentences are nearest", len(lines) >= 1, shown)


def products():
    # The worked case pow/rank-64.json: its m, n, k and seed, and the hash of its clean product.
    with open(os.path.join(os.environ["SOURCE"], "tests", "vectors", "pow", "rank-64.json")) as file:
        case = json.load(file)
    shape = f"{case['m']},{case['n']},{case['k']}"
    said = run("--kind", "matmul", "--shape", shape, "--seed", str(case["matrix_seed"])).stdout
    check("the product's hash", case["blake3_of_clean_product_i32le"] in said, said)
    run("--kind", "matmul", "--shape", "0,1,64", code=1, says="m is 0")
    run("--kind", "matmul", "--shape", "9999999,9999999,64", code=1, says="bytes, at most")


def wrong_usage(model, text):
    embed = ["--kind", "embed", "--model", model, "--text", text]
    prove = ["--prove", "/nonexistent", "--header", HEADER, "--target", "ff", "--cert-version", "3"]
    for words, says in [
        ([], "--kind is missing"),
        (["--kind", "unheard"], "no kind of task"),
        (["--kind", "embed"], "needs --model"),
        (["--kind", "embed", "--model", model], "needs --text"),
        (["--kind", "matmul"], "needs --shape"),
        (["--kind", "matmul", "--shape", "1,2"], "expected M,N,K"),
        (["--kind", "matmul", "--shape", "1,2,3,4"], "expected M,N,K"),
        (["--kind", "matmul", "--shape", "1,-2,3"], "expected M,N,K"),
        (["--kind", "matmul", "--shape", "1,2,64", "--model", model], "takes neither"),
        (["--kind", "matmul", "--shape", "1,2,64", "--seed", "x"], "--seed"),
        (embed + ["--rows", "0"], "--rows"),
        (embed + ["--rows", "x"], "--rows"),
        (embed + ["--shape", "1,2,3"], "takes no --shape"),
        (embed + ["--frobnicate"], "--frobnicate: unknown option"),
        (embed + ["-t"], "needs a value"),
        (embed + ["surplus"], '"surplus": unexpected'),
        (embed + ["--header", HEADER], "need --prove"),
        (embed + ["--prove", "x"], "--prove needs --header"),
        (embed + prove[:4], "--prove needs --target"),
        (embed + prove[:6], "--prove needs --cert-version"),
        (embed + prove[:5] + ["xyz"] + prove[6:], "--target"),
        (embed + prove[:5] + ["0"] + prove[6:], "zero"),
        (embed + prove[:3] + ["00"] + prove[4:], "--header"),
        (embed + prove[:7] + ["4"], "--cert-version"),
        (embed + prove + ["--min-rank", "48"], "--min-rank"),
        (embed + prove + ["--min-rank", "16"], "--min-rank"),
    ]:
        run(*words, code=2, says=says)
    minerva("task", code=2)
    minerva("task", "dream", code=2, says='there is no "dream"')
    for word in ("run", "submit", "status", "claim"):
        check("help is on standard output", "usage: minerva task" in minerva("task", word, "--help").stdout)


def wrong_data(work, model, text):
    def named(name, data):
        path = os.path.join(work, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    embed = ["--kind", "embed", "--model", model]
    run("--kind", "embed", "--model", os.path.join(work, "nowhere"), "--text", text, code=1)
    run(*embed, "--text", os.path.join(work, "nowhere"), code=1, says="nowhere")
    run(*embed, "--text", named("empty", b""), code=1, says="no line of text")
    run(*embed, "--text", named("latin1", b"caf\xe9\n"), code=1, says="latin1")
    run(*embed, "--text", text, "-o", os.path.join(work, "no", "such", "folder"), code=1, says="no/such/folder")
    run(*embed, "--text", text, "-d", "7", code=4)
    run(*embed, "--text", text, "-d", "cpu", "-o", os.path.join(work, "named"))
    run(*embed, "--text", named("long", b"w9 " * 500 + b"\n"), "-o", os.path.join(work, "cut"),
        says=f"1 lines were cut to {POSITIONS} tokens")


def main():
    work = tempfile.mkdtemp(prefix="minerva-")
    try:
        tiny, wide, source = (os.path.join(work, name) for name in ("tiny", "wide", "source"))
        minerva("model", "import", TINY, "-o", tiny)
        make_wide_model(source)
        minerva("model", "import", source, "-o", wide)
        text = os.path.join(work, "text")
        lines = [" ".join(f"w{5 + (i * 7 + j * 3) % 55}" for j in range(1 + i * 9 % 50)) for i in range(6)]
        lines += ["", "w7 w8 w9", "w7 w8 w9"]
        with open(text, "w", newline="") as file:
            file.write("\n".join(lines[:4]) + "\r\n" + "\n".join(lines[4:]))  # the last without LF
        same_for_all_packs(work, tiny, text, len(lines), 64)
        plain = same_for_all_packs(work, wide, text, len(lines), HIDDEN)
        proofs(work, wide, text, plain)
        table(wide, text)
        products()
        wrong_usage(wide, text)
        wrong_data(work, wide, text)
    finally:
        shutil.rmtree(work)
    print("failed" if bad else "all hold")
    sys.exit(bad > 0)


main()
