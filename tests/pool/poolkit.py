"""What the pool's script tests share: a pool on free ports, a worker's socket, requests over HTTP.

Only the standard library.
"""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

MINERVA = os.environ.get("MINERVA", "build/minerva")
TASK = {"kind": "matmul", "model": "", "params": {"m": 256, "n": 256, "k": 1024, "seed": 7}}


class Pool:
    """minerva pool with a database that outlives it, so that it can be killed and started again."""

    def __init__(self, *options, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="minerva-pool-")
        self.database = os.path.join(self.folder, "pool.db")
        self.options = list(options)
        self.process = None
        self.lines = []
        self.start()

    def start(self):
        self.lines = []
        self.process = subprocess.Popen(
            [MINERVA, "pool", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--db",
             self.database] + self.options, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"ready  pouw\+tcp://\S+:(\d+)  http://\S+:(\d+)", line)
            if found:
                self.port, self.http = int(found.group(1)), int(found.group(2))
                threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
                return
        raise AssertionError("no ready line: " + "".join(self.lines))

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, body=None, headers=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=30)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, dict(reply.getheaders()), data

    def get(self, path):
        status, _, data = self.request("GET", path)
        assert status == 200, (path, status, data)
        return json.loads(data)

    def add(self, task=None):
        status, _, data = self.request("POST", "/v1/tasks", task or TASK)
        assert status == 201, (status, data)
        return json.loads(data)["id"]

    def state(self, task):
        return self.get("/v1/tasks/" + task)["state"]

    def shares(self):
        return self.get("/v1/status")["shares"]


class Worker:
    """A connection that speaks lines."""

    def __init__(self, pool, authorise=True, **hello):
        self.socket = socket.create_connection(("127.0.0.1", pool.port), timeout=20)
        self.buffer = b""
        self.pushes = []
        self.next = 1
        if authorise:
            self.welcome = self.hello(**hello)

    def hello(self, wallet="w", worker="rig", slots=1, tasks=("embed", "matmul"), session=None):
        params = {"wallet": wallet, "worker": worker, "pass": "x", "agent": "test/1", "protocol": "pouw/1",
                  "offer": {"tasks": list(tasks), "slots": slots, "memory_bytes": 1 << 30, "models": [],
                            "backends": ["cpu"]}}
        if session:
            params["session"] = session
        return self.call("mining.authorize", params)

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, method, params):
        number = self.next
        self.next += 1
        self.raw(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        return number

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def reply(self, number):
        while True:
            message = self.line()
            if "method" in message:
                self.pushes.append(message)
            elif message["id"] in (number, None):  # a line that cannot be read has no id
                return message

    def call(self, method, params):
        return self.reply(self.send(method, params))

    def push(self, method):
        """The next push of that method."""
        while True:
            for i, message in enumerate(self.pushes):
                if message["method"] == method:
                    return self.pushes.pop(i)["params"]
            message = self.line()
            assert "method" in message, message
            self.pushes.append(message)

    def code(self, method, params):
        """The error code of a call, None when it was accepted."""
        error = self.call(method, params)["error"]
        return error and error["code"]

    def closed(self):
        """Whether the other end closes, whatever it says before."""
        try:
            while True:
                self.line()
        except (ConnectionError, OSError):
            return True

    def close(self):
        self.socket.close()


class Work:
    """An honest worker's answer to a matmul task: its result's bytes and its proofs under a job."""

    def __init__(self, assign, job, threads=2):
        p = assign["params"]
        self.task = assign["task_id"]
        self.job = job
        with tempfile.TemporaryDirectory(prefix="minerva-work-") as folder:
            output, proofs = os.path.join(folder, "out"), os.path.join(folder, "proofs")
            subprocess.run(
                [MINERVA, "task", "run", "--kind", "matmul", "--shape", "%d,%d,%d" % (p["m"], p["n"], p["k"]),
                 "--seed", str(p["seed"]), "-o", output, "--prove", proofs, "--header", job["header"],
                 "--target", job["target"], "--cert-version", "3", "--min-rank", str(job.get("min_rank", 128)),
                 "-t", str(threads)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            with open(output, "rb") as file:
                self.output = file.read()
            self.proofs = []
            for name in sorted(os.listdir(proofs)):
                if name.endswith(".proof"):
                    with open(os.path.join(proofs, name), "rb") as file:
                        self.proofs.append(file.read())

    def share(self, index, **changes):
        return share_of(self.proofs[index], self.job, self.task, **changes)

    def result(self, output=None, **changes):
        return result_of(self.task, self.output if output is None else output, **changes)


def share_of(proof, job, task=None, **changes):
    params = {"wallet": "w", "worker": "rig", "job_id": job["job_id"],
              "plain_proof": base64.b64encode(proof).decode()}
    if task:
        params.update({"task_id": task, "site": {"pack": 0, "product": 0}})
    params.update(changes)
    return params


def result_of(task, output, model="", **changes):
    text = b"".join(len(part).to_bytes(4, "little") + part
                    for part in (b"pouw/1 result", b"DET-1", model.encode(), task.encode()))
    params = {"task_id": task, "result": blake3(text + output), "size": len(output),
              "output": {"inline": base64.b64encode(output).decode()},
              "stats": {"seconds": 0.1, "macs": 1, "proved_macs": 1}}
    params.update(changes)
    return params


BLAKE3_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
BLAKE3_ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)


def _compress(cv, block, counter, size, flags):
    mask = 0xFFFFFFFF
    m = [int.from_bytes(block[i:i + 4], "little") for i in range(0, 64, 4)]
    v = list(cv) + list(BLAKE3_IV[:4]) + [counter & mask, counter >> 32, size, flags]

    def mix(a, b, c, d, x, y):
        v[a] = (v[a] + v[b] + x) & mask
        v[d] = ((v[d] ^ v[a]) >> 16 | (v[d] ^ v[a]) << 16) & mask
        v[c] = (v[c] + v[d]) & mask
        v[b] = ((v[b] ^ v[c]) >> 12 | (v[b] ^ v[c]) << 20) & mask
        v[a] = (v[a] + v[b] + y) & mask
        v[d] = ((v[d] ^ v[a]) >> 8 | (v[d] ^ v[a]) << 24) & mask
        v[c] = (v[c] + v[d]) & mask
        v[b] = ((v[b] ^ v[c]) >> 7 | (v[b] ^ v[c]) << 25) & mask

    for _ in range(7):
        mix(0, 4, 8, 12, m[0], m[1])
        mix(1, 5, 9, 13, m[2], m[3])
        mix(2, 6, 10, 14, m[4], m[5])
        mix(3, 7, 11, 15, m[6], m[7])
        mix(0, 5, 10, 15, m[8], m[9])
        mix(1, 6, 11, 12, m[10], m[11])
        mix(2, 7, 8, 13, m[12], m[13])
        mix(3, 4, 9, 14, m[14], m[15])
        m = [m[i] for i in BLAKE3_ORDER]
    return tuple(v[i] ^ v[i + 8] for i in range(8))


def blake3(data):
    """BLAKE3 of a few kilobytes as hex."""

    def chunk(data, counter, root):
        cv, blocks = BLAKE3_IV, [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
        for i, block in enumerate(blocks):
            flags = (i == 0) | (i == len(blocks) - 1) << 1
            flags |= 8 if root and i == len(blocks) - 1 else 0
            cv = _compress(cv, block.ljust(64, b"\0"), counter, len(block), flags)
        return cv

    def tree(data, counter, root):
        if len(data) <= 1024:
            return chunk(data, counter, root)
        left = 1024
        while left * 2 < len(data):
            left *= 2
        both = tree(data[:left], counter, False) + tree(data[left:], counter + left // 1024, False)
        block = b"".join(word.to_bytes(4, "little") for word in both)
        return _compress(BLAKE3_IV, block, 0, 64, 4 | (8 if root else 0))

    return b"".join(word.to_bytes(4, "little") for word in tree(data, 0, True)).hex()


def until(condition, seconds=30):
    """Polls a condition that another process makes true; fails when it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("did not become true in %d s" % seconds)


def main(cases):
    for case in cases:
        case()
        print("ok", case.__name__)
        sys.stdout.flush()
