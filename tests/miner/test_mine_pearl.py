#!/usr/bin/env python3
"""Claim: as a plain Pearl client on generated matrices alone, the worker finds shares that the pool
accepts, and no other ones: of rank 128, below 600,000 characters, true for `minerva verify` and, where
it is at hand, for an implementation that shares no code with this one.
"""
import base64
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import verifier  # noqa: E402

MINERVA = os.environ.get("MINERVA", "build/minerva")
HOME = tempfile.mkdtemp(prefix="minerva-pearl-")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
ENVIRONMENT.update(HOME=HOME, XDG_CONFIG_HOME=HOME, XDG_CACHE_HOME=HOME + "/cache")
SHARES = 3
WAIT_S = 100


class Wire:
    """A line between worker and pool that writes down what is said on it."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.to, self.lines = self.listener.getsockname()[1], port, []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            worker, _ = self.listener.accept()
            pool = socket.create_connection(("127.0.0.1", self.to))
            for pair in (worker, pool), (pool, worker):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, come, go):
        rest = b""
        try:
            while piece := come.recv(1 << 16):
                go.sendall(piece)
                *lines, rest = (rest + piece).split(b"\n")
                self.lines += [json.loads(line) for line in lines]
            go.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # an end has gone

    def said(self, method):
        return [line["params"] for line in self.lines if line.get("method") == method]


class Pool:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [MINERVA, "pool", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--db", HOME + "/db", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for line in self.process.stderr:
            if found := re.search(r"ready  pouw\+tcp://\S+:(\d+)  http://\S+:(\d+)", line):
                self.port, self.http = int(found.group(1)), int(found.group(2))
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        raise AssertionError("the pool is not ready")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0


def mine_until(wire, shares):
    worker = subprocess.Popen(
        [MINERVA, "mine", "-o", f"stratum+tcp://127.0.0.1:{wire.port}", "-u", "someone.rig", "--account", "-t", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
    said = []
    reader = threading.Thread(target=lambda: said.extend(worker.stdout), daemon=True)
    reader.start()
    until = time.monotonic() + WAIT_S
    while sum(" accepted (" in line for line in list(said)) < shares and time.monotonic() < until:
        assert worker.poll() is None, "".join(said)
        time.sleep(0.05)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=60) == 0, "".join(said)
    reader.join(timeout=10)
    return "".join(said)


def main():
    pool = Pool("--unassigned", "--min-rank", "128", "--share-macs", "50000000000", "--no-vardiff", "--audit", "1")
    wire = Wire(pool.port)
    said = mine_until(wire, SHARES)
    counted = re.search(r"shares +(\d+) accepted, (\d+) stale, (\d+) rejected", said)
    assert counted and int(counted.group(1)) >= SHARES, said
    assert counted.group(2) == counted.group(3) == "0", said
    jobs = {job["job_id"]: job for job in wire.said("mining.notify")}
    shares = wire.said("mining.submit")
    assert len(shares) >= SHARES, said
    for share in shares:
        text, job = share["plain_proof"], jobs[share["job_id"]]
        proof = base64.b64decode(text, validate=True)
        assert len(text) < 600000, len(text)
        assert struct.unpack_from("<4Q", proof)[3] == 128
        assert "task_id" not in share and "site" not in share, share.keys()
        of = bytes.fromhex(job["header"]), int(job["target"], 16), job["cert_version"], proof
        why = verifier.verify(*of) or (verifier.has_judge() and verifier.judge(*of))
        assert not why, why
    pool.stop()
    shutil.rmtree(HOME)


main()
