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
        return self.process.wait(timeout=60)

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
        self.socket = socket.create_connection(("127.0.0.1", pool.port), timeout=60)
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
            elif message["id"] == number:
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
