#!/usr/bin/env python3
"""Claim: `minerva task submit`, `status` and `claim` speak to a pool as task-pool.md section 8 says,
and whatever a pool answers instead (nothing, half, too much, other bytes than their hash) ends in a
sentence and exit code 1.

The pool here is a stand-in with a real socket, so that it can lie.
"""
import base64
import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

MINERVA = os.environ["MINERVA"]
TINY = os.path.join(os.environ["SOURCE"], "tests", "vectors", "models", "tiny-bert")
TASK = "0123456789abcdef" * 2
bad = 0

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
START, END, PARENT, ROOT = 1, 2, 4, 8


def compress(cv, words, counter, size, flags):
    v = list(cv) + list(IV[:4]) + [counter & 0xFFFFFFFF, counter >> 32, size, flags]

    def turn(x, n):
        return (x >> n | x << 32 - n) & 0xFFFFFFFF

    def mix(a, b, c, d, x, y):
        for word, first, second in ((x, 16, 12), (y, 8, 7)):
            v[a] = (v[a] + v[b] + word) & 0xFFFFFFFF
            v[d] = turn(v[d] ^ v[a], first)
            v[c] = (v[c] + v[d]) & 0xFFFFFFFF
            v[b] = turn(v[b] ^ v[c], second)

    for _ in range(7):
        for i in range(4):
            mix(i, i + 4, i + 8, i + 12, words[2 * i], words[2 * i + 1])
        for i in range(4):
            mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, words[8 + 2 * i], words[9 + 2 * i])
        words = [words[i] for i in ORDER]
    return [v[i] ^ v[i + 8] for i in range(8)]


def chunk_value(data, counter, root):
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    cv = IV
    for i, block in enumerate(blocks):
        flags = (START if i == 0 else 0) | ((END | root) if i == len(blocks) - 1 else 0)
        cv = compress(cv, struct.unpack("<16I", block.ljust(64, b"\0")), counter, len(block), flags)
    return cv


def blake3(data):
    chunks = [data[i:i + 1024] for i in range(0, len(data), 1024)] or [b""]

    def tree(first, count, root):
        if count == 1:
            return chunk_value(chunks[first], first, root)
        left = 1 << (count - 1).bit_length() - 1
        both = tree(first, left, 0) + tree(first + left, count - left, 0)
        return compress(IV, both, 0, 64, PARENT | root)

    return struct.pack("<8I", *tree(0, len(chunks), ROOT)).hex()


def result_hash(model, task, output):
    head = b"".join(struct.pack("<I", len(s)) + s for s in (b"pouw/1 result", b"DET-1", model.encode(), task.encode()))
    return blake3(head + output)


class Pool(http.server.BaseHTTPRequestHandler):
    """Answers what the test put into its server; remembers what it was asked."""

    def log_message(self, *words):
        pass

    def answer(self):
        server = self.server
        length = int(self.headers.get("Content-Length", 0))
        server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        code, headers, body, more = server.answers.get((self.command, self.path), (404, {}, b'{"error":"no such thing"}', 0))
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + more))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_POST = answer


def check(what, holds, more=""):
    global bad
    if not holds:
        bad += 1
        print("FAILED:", what, more)


class Case:
    def __init__(self, work):
        self.work = work
        folder = os.path.join(work, "tiny")
        subprocess.run([MINERVA, "model", "import", TINY, "-o", folder], check=True, capture_output=True)
        shown = subprocess.run([MINERVA, "model", "show", folder], check=True, capture_output=True, text=True).stdout
        self.model = shown.split()[2]
        self.manifest = open(os.path.join(folder, "manifest.json"), "rb").read()
        self.vocab = open(os.path.join(TINY, "vocab.txt"), "rb").read()
        self.text = os.path.join(work, "text")
        with open(self.text, "w") as file:
            file.write("one line\nanother line\n\n")
        local = os.path.join(work, "local")
        subprocess.run([MINERVA, "task", "run", "--kind", "embed", "--model", folder, "--text", self.text, "-o", local],
                       check=True, capture_output=True)
        self.result = open(local, "rb").read()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pool)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def reset(self):
        self.server.asked = []
        state = {"id": TASK, "kind": "embed", "model": self.model, "state": "done", "done": 3, "total": 3, "reason": ""}
        self.state = state
        hashed = {"X-Pouw-Hash": result_hash(self.model, TASK, self.result), "X-Pouw-Worker": "rig", "X-Pouw-Checked": "pool"}
        self.server.answers = {
            ("GET", "/artifacts/model/" + self.model): (200, {}, self.manifest, 0),
            ("GET", "/artifacts/" + blake3(self.vocab)): (200, {}, self.vocab, 0),
            ("POST", "/v1/tasks"): (201, {}, json.dumps({"id": TASK}).encode(), 0),
            ("GET", "/v1/tasks/" + TASK): (200, {}, json.dumps(state).encode(), 0),
            ("GET", "/v1/tasks/" + TASK + "/result"): (200, hashed, self.result, 0),
        }

    def put(self, method, path, code, body, headers=None, more=0):
        self.server.answers[(method, path)] = (code, headers or {}, body, more)

    def put_state(self, **changes):
        self.put("GET", "/v1/tasks/" + TASK, 200, json.dumps({**self.state, **changes}).encode())

    def task(self, *words, code=0, says=""):
        run = subprocess.run([MINERVA, "task", words[0], "--pool", self.url, *words[1:]], capture_output=True, text=True,
                             timeout=120)
        check(f"{words}: exit {run.returncode}, expected {code}", run.returncode == code, run.stderr)
        check(f"{words}: says {says!r}", says in run.stderr, run.stderr)
        return run

    def submit(self, **more):
        return self.task("submit", "--kind", "embed", "--model", self.model, "--text", self.text, **more)


def submits(case):
    case.reset()
    check("submit prints the id alone", case.submit().stdout == TASK + "\n")
    method, path, headers, body = case.server.asked[-1]
    sent = json.loads(body)
    check("posted as JSON", (method, path, headers["Content-Type"]) == ("POST", "/v1/tasks", "application/json"))
    check("kind and model", (sent["kind"], sent["model"], sent["params"]) == ("embed", case.model, {}), sent)
    raw = base64.b64decode(sent["input"]["inline"], validate=True)
    size = struct.unpack_from("<Q", raw)[0]
    header = json.loads(raw[8:8 + size])
    check("ids and lengths", list(header) == ["ids", "lengths"] and header["lengths"]["shape"] == [3], header)
    begin, end = header["lengths"]["data_offsets"]
    lengths = struct.unpack_from("<3i", raw, 8 + size + begin)
    check("the empty line has its two special tokens", lengths[2] == 2 and sum(lengths) == header["ids"]["shape"][0], lengths)
    check("no token is sent where none is given", "Authorization" not in headers)

    token = os.path.join(case.work, "token")
    with open(token, "w") as file:
        file.write("open sesame\n")
    case.task("status", TASK, "--http-token-file", token)
    check("the token's first line is the bearer's", case.server.asked[-1][2].get("Authorization") == "Bearer open sesame")

    for seed in ("7", "18446744073709551615"):
        case.task("submit", "--kind", "matmul", "--shape", "64,32,1024", "--seed", seed)
        sent = json.loads(case.server.asked[-1][3])
        expected = 7 if seed == "7" else "f" * 16
        check("a product's parameters", sent["params"] == {"m": 64, "n": 32, "k": 1024, "seed": expected}
              and sent["model"] == "" and "input" not in sent, sent)


def refused_submits(case):
    manifest, vocab = "/artifacts/model/" + case.model, "/artifacts/" + blake3(case.vocab)
    for method, path, code, body, says in [
        ("GET", manifest, 404, b'{"error":"unknown model"}', "the pool does not have it: unknown model"),
        ("GET", manifest, 200, case.manifest.replace(b"bert", b"tree", 1), "the manifest that came is that of"),
        ("GET", manifest, 200, b"", "the manifest that came is that of"),
        ("GET", manifest, 200, b"x" * (9 << 20), "the reply is larger than"),
        ("GET", vocab, 200, case.vocab + b"more\n", "came, expected"),
        ("GET", vocab, 500, b"<html>", "the pool answered 500: no reason was given"),
        ("POST", "/v1/tasks", 400, b'{"error":"an \x1b[31mid"}', "the pool answered 400"),
        ("POST", "/v1/tasks", 200, b'{"id":"' + TASK.encode() + b'"}', "the pool answered 200"),
        ("POST", "/v1/tasks", 201, b'{"id":"../../x"}', "expected 32 hex digits"),
        ("POST", "/v1/tasks", 201, b'{"id":7}', "id: no string"),
        ("POST", "/v1/tasks", 201, b"[", "not JSON"),
        ("POST", "/v1/tasks", 401, b'{"error":"a token"}', "--http-token-file"),
        ("POST", "/v1/tasks", 403, b"", "--http-token-file"),
    ]:
        case.reset()
        case.put(method, path, code, body)
        said = case.submit(code=1, says=says)
        check("no id is printed", said.stdout == "")
        check("no escape reaches the terminal", "\x1b" not in said.stderr)
    case.reset()
    case.put("GET", vocab, 200, case.vocab[:50], more=1000)  # goes away in the middle
    case.submit(code=1, says=vocab[-20:])


def states(case):
    case.reset()
    for state in ("queued", "leased", "checking", "done"):
        case.put_state(state=state, done=1)
        check(state, case.task("status", TASK).stdout == f"{state}  1 of 3\n")
    case.put_state(state="failed", reason="no worker holds it")
    check("why it failed", case.task("status", TASK).stdout == "failed  3 of 3  no worker holds it\n")
    case.task("status", "f" * 32, code=1, says="the pool does not have it")
    for changes, says in [({"id": "f" * 32}, "the pool told of task"), ({"state": "lost"}, "state: expected"),
                          ({"done": -1}, "done: no integer"), ({"reason": None}, "reason: no string"),
                          ({"total": "3"}, "total: no integer"), ({"kind": ""}, "kind: expected")]:
        case.put_state(**changes)
        case.task("status", TASK, code=1, says=says)
    case.put("GET", "/v1/tasks/" + TASK, 302, b"", {"Location": case.url + "/elsewhere"})
    case.task("status", TASK, code=1, says="the pool answered 302")


def claims(case):
    path = "/v1/tasks/" + TASK + "/result"
    out = os.path.join(case.work, "claimed")
    case.reset()
    case.task("claim", TASK, "-o", out, says="checked by: pool")
    check("the result's bytes", open(out, "rb").read() == case.result)
    shown = case.task("claim", TASK, "--text", case.text).stdout
    check("sentences beside their neighbours", "another line" in shown and "out of 3" in shown, shown)
    check("numbers without them", "out of 3" in case.task("claim", TASK).stdout)
    os.remove(out)

    for code, body, headers, says in [
        (202, b"", {}, "not done yet: done, 3 of 3 items"),
        (200, case.result[:-1] + b"\0", None, "the pool names"),
        (200, case.result, {}, 'the pool names ""'),
        (404, b"", {}, "the pool does not have it"),
    ]:
        headers = case.server.answers[("GET", path)][1] if headers is None else headers
        case.put("GET", path, code, body, headers)
        case.task("claim", TASK, "-o", out, code=1, says=says)
        check("nothing is written", not os.path.exists(out))
        case.reset()
    case.put("GET", path, 410, b"")
    case.put_state(state="failed", reason="the id 9 is outside")
    case.task("claim", TASK, "-o", out, code=1, says="the task failed: the id 9 is outside")

    # A numeric fault is an answer: it is kept, and said.
    header = b'{"fault":{"data_offsets":[0,12],"dtype":"I32","shape":[3]}}'
    fault = struct.pack("<Q", 64) + header.ljust(64) + struct.pack("<3i", 1, -1, 4)
    case.reset()
    case.put("GET", path, 200, fault, {"X-Pouw-Hash": result_hash(case.model, TASK, fault)})
    case.task("claim", TASK, "-o", out, code=1, says="a value left the numeric range in pack 1, row 4")
    check("the record is kept", open(out, "rb").read() == fault)
    case.reset()
    case.task("claim", TASK, "--text", os.path.join(case.work, "tiny", "manifest.json"), code=1, says="the text has 1 lines")


def usage(case):
    for words, says in [
        (("status",), "expected 32 hex digits"),
        (("status", "xyz"), "expected 32 hex digits"),
        (("claim", TASK, "twice"), '"twice": unexpected'),
        (("submit",), "--kind is missing"),
        (("submit", "--kind", "embed"), "--model"),
        (("submit", "--kind", "embed", "--model", "short", "--text", case.text), "expected 64 hex digits"),
        (("submit", "--kind", "embed", "--model", case.model), "--text FILE is missing"),
        (("submit", "--kind", "embed", "--model", case.model, "--text", case.text, "-o", "x"), "-o belongs to"),
        (("submit", "--kind", "matmul", "--shape", "1,1"), "expected M,N,K"),
        (("status", TASK, "--frobnicate"), "unknown option"),
    ]:
        case.task(*words, code=2, says=says)
    case.url = "ftp://127.0.0.1"
    case.task("status", TASK, code=2, says="expected http://HOST:PORT")


def main():
    check("this BLAKE3 is BLAKE3", blake3(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
    work = tempfile.mkdtemp(prefix="minerva-")
    try:
        case = Case(work)
        try:
            submits(case)
            refused_submits(case)
            states(case)
            claims(case)
        finally:
            case.server.shutdown()
            case.thread.join()
            case.server.server_close()
        case.task("status", TASK, code=1, says="127.0.0.1")  # nobody listens any more
        usage(case)
    finally:
        shutil.rmtree(work)
    print("failed" if bad else "all hold")
    sys.exit(bad > 0)


main()
