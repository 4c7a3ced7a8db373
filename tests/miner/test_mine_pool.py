#!/usr/bin/env python3
"""Claim: worker and pool together lose nothing: a model is fetched by its hash and the results are
the bits of a local run; a pool killed with -9 in the middle is found again, every task is finished,
and no share that the worker saw accepted is missing from the pool's books; a worker killed with -9
in mid-task leaves its task to the next one; between tasks it mines at the rank that the pool's jobs
ask for.
"""
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
import time

MINERVA = os.environ.get("MINERVA", "build/minerva")
SOURCE = os.environ.get("SOURCE", ".")
HOME = tempfile.mkdtemp(prefix="minerva-ring-")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
ENVIRONMENT.update(HOME=HOME, XDG_CONFIG_HOME=HOME, XDG_CACHE_HOME=HOME + "/cache")


def run(*words):
    done = subprocess.run([MINERVA, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pool:
    """minerva pool that can be killed and started again where it was."""

    def __init__(self, *options):
        self.wire, self.http, self.options = free_port(), free_port(), options
        self.url, self.web = f"pouw+tcp://127.0.0.1:{self.wire}", f"http://127.0.0.1:{self.http}"
        self.folder = tempfile.mkdtemp(dir=HOME)
        self.start()

    def start(self):
        log = open(self.folder + "/log", "a")
        self.process = subprocess.Popen(
            [MINERVA, "pool", "--listen", f"127.0.0.1:{self.wire}", "--http", f"127.0.0.1:{self.http}",
             "--db", self.folder + "/db", *self.options], stdout=log, stderr=log, env=ENVIRONMENT)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.wire), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, open(self.folder + "/log").read()
                time.sleep(0.05)
        raise AssertionError("the pool is not ready: " + open(self.folder + "/log").read())

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=30)
        connection.request(method, path, json.dumps(body) if body else None)
        reply = connection.getresponse()
        return json.loads(reply.read())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0


def mine(pool, *words):
    return subprocess.Popen([MINERVA, "mine", "-o", pool.url, "-u", "me", "-t", "2", "--idle", "wait", *words],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)


def said_by(worker):
    said, _ = worker.communicate(timeout=120)
    assert worker.returncode == 0, said
    return said


def test_model_is_fetched_and_results_are_exact():
    said = run("model", "import", SOURCE + "/tests/vectors/models/tiny-bert", "-o", HOME + "/models/tiny")
    model = re.search("[0-9a-f]{64}", said).group()
    with open(HOME + "/text", "w") as file:
        file.write("the first line\nand a second one\na third\n")
    pool = Pool("--models", HOME + "/models")
    tasks = [run("task", "submit", "--pool", pool.web, "--kind", "embed", "--model", model, "--text",
                 HOME + "/text").strip() for _ in range(3)]
    said = said_by(mine(pool, "--tasks", "3"))
    assert re.search(r"tasks +3 done, 0 handed back, 0 rejected", said), said
    assert os.path.exists(f"{HOME}/cache/minerva/{model}/manifest.json"), said
    run("task", "run", "--kind", "embed", "--model", HOME + "/models/tiny", "--text", HOME + "/text", "-o",
        HOME + "/local")
    with open(HOME + "/local", "rb") as file:
        local = file.read()
    for task in tasks:
        run("task", "claim", task, "--pool", pool.web, "-o", HOME + "/claimed")
        with open(HOME + "/claimed", "rb") as file:
            assert file.read() == local
    pool.stop()


def test_killed_pool_loses_nothing():
    pool = Pool("--share-macs", str(1 << 28), "--no-vardiff", "--audit", "1")
    tasks = [pool.request("POST", "/v1/tasks", dict(
        kind="matmul", model="", params=dict(m=512, n=512, k=1024, seed=seed)))["id"] for seed in range(12)]
    worker = mine(pool, "--tasks", "12", "--log-level", "debug")
    said, results = "", 0
    for line in worker.stdout:
        said += line
        if "result accepted" in line:
            results += 1
        if results == 3:
            pool.kill()
            pool.start()
            break
    said += said_by(worker)
    # A task in flight may be given again: then its first result is late, or both are answered alike.
    assert re.search(r"tasks +1[23] done, 0 handed back, [01] rejected", said), said
    assert all(pool.request("GET", "/v1/tasks/" + task)["state"] == "done" for task in tasks), said
    accepted = int(re.search(r"shares +(\d+) accepted", said).group(1))
    assert accepted > 0, said
    books = pool.request("GET", "/v1/status")["shares"]
    assert books["accepted"] >= accepted, (books, said)
    # 20: more than twenty a second, which a fast machine may well be for a moment.
    assert set(books["rejected"]) <= {"20"} and not books["voided"], (books, said)
    pool.stop()


def test_killed_worker_leaves_its_task_to_the_next():
    pool = Pool("--share-macs", str(1 << 28), "--no-vardiff", "--audit", "1", "--lease", "2")
    tasks = [pool.request("POST", "/v1/tasks", dict(
        kind="matmul", model="", params=dict(m=1024, n=1024, k=2048, seed=seed)))["id"] for seed in range(6)]
    first = mine(pool, "-w", "first", "--log-level", "debug")
    said, begun = "", 0
    for line in first.stdout:
        said += line
        begun += "matmul" in line
        if begun == 3:  # two are done or on their way, the third is in the device
            first.kill()
            break
    said += first.communicate()[0]
    assert first.returncode == -signal.SIGKILL, said
    states = ["checking"]
    while "checking" in states:  # what the first delivered before it died still counts
        states = [pool.request("GET", "/v1/tasks/" + task)["state"] for task in tasks]
    done = states.count("done")
    assert done < len(tasks), said
    # By another name: who lets a lease run out does not get that task again.
    other = said_by(mine(pool, "-w", "other", "--tasks", str(len(tasks) - done)))
    assert all(pool.request("GET", "/v1/tasks/" + task)["state"] == "done" for task in tasks), said + other
    accepted = len(re.findall("share +accepted", said + other))
    books = pool.request("GET", "/v1/status")["shares"]
    assert books["accepted"] >= accepted > 0 and not books["voided"], (books, said, other)
    pool.stop()


def test_idle_time_is_mined_at_the_rank_that_jobs_ask_for():
    for rank in ("64", "128"):
        pool = Pool("--unassigned", "--min-rank", rank, "--share-macs", str(1 << 33), "--no-vardiff", "--audit", "1")
        worker = mine(pool, "--idle", "mine")
        said = ""
        for line in worker.stdout:
            said += line
            if "(3/0/0)" in line:
                break
        worker.send_signal(signal.SIGINT)
        said += worker.communicate(timeout=60)[0]
        assert re.search(r"shares +\d+ accepted, 0 stale, 0 rejected", said), said
        pool.stop()


def main():
    try:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()
                print("ok", name)
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
