#!/usr/bin/env python3
"""Claim: with role = tasks and role = proofs the products of one pool's tasks are mined under the
other pool's header, their results go back to the first and their shares, all of them true, to the
second; idle time mines generated matrices there; and each side is counted for itself.
"""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import verifier  # noqa: E402
from pearl_pool.miner import MINERVA, Miner, counted  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

SIDE, K, TASKS = 1024, 4096, 8  # each task costs 2^32 multiply-accumulates, a share as much


class TaskPool:
    """minerva pool; no share of it is worth anything without a task."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [MINERVA, "pool", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--db", folder + "/db"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "HOME": folder})
        for line in self.process.stderr:
            if found := re.search(r"ready  (pouw\+tcp://\S+)  http://\S+:(\d+)", line):
                self.url, self.http = found.group(1), int(found.group(2))
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        raise AssertionError("the pool is not ready")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=30)
        connection.request(method, path, json.dumps(body) if body else None)
        return json.loads(connection.getresponse().read())

    def add_product(self, seed):
        params = dict(m=SIDE, n=SIDE, k=K, seed=seed)
        return self.ask("POST", "/v1/tasks", dict(kind="matmul", model="", params=params))["id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def account(said, name):
    """What the summary says of one pool."""
    words = re.findall(rf"pool {name}  [a-z ]+  A (\d+) S (\d+) R (\d+)  unknown (\d+) lost (\d+)  tasks (\d+)"
                       r"  useful (\S+)", said)
    assert words, said
    return [int(word) for word in words[-1][:6]] + [words[-1][6]]


def mine(tasks, proofs, folder, idle, until):
    """Runs the worker with its settings in a file, until the test has seen enough."""
    path = folder + "/roles.conf"
    with open(path, "w") as file:
        file.write(f"user = me.rig\naccount = yes\nidle = {idle}\n"
                   f"[pool useful]\nurl = {tasks.url}\nrole = tasks\n"
                   f"[pool chain]\nurl = {proofs.url}\nrole = proofs\n")
    with Miner([], "-c", path) as miner:
        until(miner)
        return miner.stop()


def products_of_tasks_are_mined_elsewhere(folder):
    with TaskPool(folder) as tasks, PearlPool("suprnova", difficulty=1) as proofs:
        ids = []

        def until(miner):
            miner.expect("use pool chain")
            miner.expect("use pool useful")
            while proofs.count(0) < 2 or len(ids) < TASKS:
                ids.append(tasks.add_product(len(ids)))
                miner.expect("result accepted", len(ids))
        said = mine(tasks, proofs, folder, "wait", until)
        assert all(tasks.ask("GET", "/v1/tasks/" + task)["state"] == "done" for task in ids), said
        for share in proofs.shares:
            assert share.code == 0, (share.code, share.verdict)
            assert verifier.shape_of(share.proof)[:4] == (SIDE, SIDE, K, 128)
        assert not proofs.twice()
        assert tasks.ask("GET", "/v1/status")["shares"]["accepted"] == 0
        useful, chain = account(said, "useful"), account(said, "chain")
        assert useful == [0, 0, 0, 0, 0, len(ids), "n/a"], said
        assert chain == [len(proofs.shares), 0, 0, 0, 0, 0, "100.0"], (len(proofs.shares), said)
        assert counted(said)["accepted"] == len(proofs.shares), said


def idle_time_is_mined_too(folder):
    with TaskPool(folder) as tasks, PearlPool("suprnova", difficulty=1) as proofs:
        def until(miner):
            miner.expect("idle  reply")
            for i in range(60):
                tasks.add_product(1000 + i)
                miner.expect("result accepted", i + 1)
                if "of a task  reply" in miner.said():
                    break
        said = mine(tasks, proofs, folder, "mine", until)
        shapes = {verifier.shape_of(share.proof)[:3] for share in proofs.shares}
        assert (SIDE, SIDE, K) in shapes and len(shapes) > 1, shapes
        assert {share.code for share in proofs.shares} == {0}, said
        chain = account(said, "chain")
        assert chain[0] == len(proofs.shares) and 0 < float(chain[6]) < 100, said
        assert 0 < float(re.search(r"useful +(\S+) % of all hashes", said).group(1)) < 100, said


def main():
    for test in (products_of_tasks_are_mined_elsewhere, idle_time_is_mined_too):
        with tempfile.TemporaryDirectory(prefix="minerva-roles-") as folder:
            test(folder)


main()
