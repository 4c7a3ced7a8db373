#!/usr/bin/env python3
"""Claim: `minerva mine` ends with the exit code and the sentence that the cause deserves; a signal
hands the task back within seconds, a second one ends the program at once; a pool that goes away in
the middle of a task still gets its result.
"""
import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MINERVA = os.environ.get("MINERVA", "build/minerva")
SOURCE = os.environ.get("SOURCE", ".")
HOME = tempfile.mkdtemp(prefix="minerva-mine-")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
ENVIRONMENT.update(HOME=HOME, XDG_CONFIG_HOME=HOME, XDG_CACHE_HOME=HOME)
HEADER = "00000020" + "11" * 64 + "d2c1b06a" + "2f310518"


def mine(*words, **environment):
    """Runs to the end: (exit code, everything said)."""
    done = subprocess.run([MINERVA, "mine", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, env={**ENVIRONMENT, **environment})
    return done.returncode, done.stdout


class Worker:
    """minerva mine in the background; its lines are kept."""

    def __init__(self, *words):
        self.process = subprocess.Popen([MINERVA, "mine", "-u", "me", "-t", "1", *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def said(self):
        return "".join(self.lines)

    def expect(self, part):
        with self.changed:
            seen = self.changed.wait_for(lambda: part in self.said(), timeout=60)
        assert seen, f"never said {part!r}:\n{self.said()}"

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def end(self, seconds=60):
        code = self.process.wait(timeout=seconds)
        return code


class Pool:
    """A pool whose every word the test says itself."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)
        self.url = "pouw+tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connection = None

    def accept(self):
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(60)
        self.file = self.connection.makefile("r")
        return self.hear("mining.authorize")

    def hear(self, method):
        """The next request of that method; others are answered with true."""
        for line in self.file:
            message = json.loads(line)
            if message["method"] == method:
                return message
            self.say(id=message["id"], result=True, error=None)
        raise AssertionError(f"the worker left before it said {method}")

    def say(self, **message):
        self.connection.sendall((json.dumps(message) + "\n").encode())

    def welcome(self, request, **job):
        self.say(id=request["id"], result=True, error=None, protocol="pouw/1", artifacts="/artifacts",
                 http_port=1, session="ab" * 16)
        params = dict(job_id="1", header=HEADER, target="00" * 31 + "01", height=1, cert_version=3,
                      min_rank=64, unassigned=False)
        self.say(id=None, method="mining.notify", params={**params, **job})

    def assign_product(self, m, n, k):
        self.say(id=None, method="task.assign", params=dict(
            task_id="5a" * 16, kind="matmul", model="", contract="DET-1", params=dict(m=m, n=n, k=k, seed=7),
            rows=4096, lease_s=600, work_units=m * n * k))

    def assign_sentences(self, model, count):
        lengths, ids = [64] * count, [7] * (64 * count)
        header = json.dumps({
            "ids": {"data_offsets": [0, 4 * len(ids)], "dtype": "I32", "shape": [len(ids)]},
            "lengths": {"data_offsets": [4 * len(ids), 4 * len(ids) + 4 * count], "dtype": "I32",
                        "shape": [count]}}, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        data = struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(ids)}i", *ids)
        data += struct.pack(f"<{count}i", *lengths)
        self.say(id=None, method="task.assign", params=dict(
            task_id="5a" * 16, kind="embed", model=model, contract="DET-1", params={}, rows=4096, lease_s=600,
            work_units=1, input=dict(inline=base64.b64encode(data).decode())))

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def test_wrong_usage():
    for words, part in [
            ([], "-o URL"),
            (["-o", "pouw+tcp://127.0.0.1:1"], "no user"),
            (["-o", "stratum+tcp://127.0.0.1:1"], "no user"),
            (["-o", "127.0.0.1", "-u", "me"], "127.0.0.1"),
            (["-o", "http://127.0.0.1:1", "-u", "me"], "http"),
            (["-o", "pouw+tcp://127.0.0.1:99999", "-u", "me"], "99999"),
            (["--spede", "9"], "--spede: no such option"),
            (["-t", "many"], "--threads: \"many\""),
            (["-o", "simulate://1", "-u", "me"], "1"),
            (["-c", HOME + "/none.conf"], "none.conf"),
            (["-o", "simulate://", "-u", "me", "-d", "quantum"], "quantum"),
            (["-o", "simulate://", "-u", "me", "--models", HOME + "/none"], "none"),
            (["-o", "pouw+tcp://127.0.0.1:1", "-u", "me", "-x", "foo://x"], "foo://x"),
            (["-o", "pouw+tcp://127.0.0.1:1", "-u", "me", "--ca-file", HOME + "/none"], "none"),
            (["-o", "pouw+tcp://127.0.0.1:1", "-u", "me", "-l", HOME + "/none/log"], "none/log"),
    ]:
        code, said = mine(*words)
        assert code == 2, (words, code, said)
        assert part in said, (words, said)
    code, said = mine(MINERVA_THREADS="x")
    assert code == 2 and "MINERVA_THREADS" in said, said
    with open(HOME + "/bad.conf", "w") as file:
        file.write("user = me\nspede = 9\n")
    code, said = mine("-c", HOME + "/bad.conf")
    assert code == 2 and "line 2" in said and "spede" in said, said


def test_wrong_address():
    good = "prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69prym"
    bad = good.replace("lhem", "lhen")
    for words, part in [
            (["-u", bad], "character 14 is wrong"),
            (["-u", "solo:" + bad + ".rig7"], "character 14 is wrong"),
            (["-u", good[:-1] + "/rig7"], "has 62 characters, expected 63"),
            (["-u", "me"], "character 1 is 'm'"),
    ]:
        code, said = mine("-o", "stratum+tcp://127.0.0.1:1", *words)
        assert code == 6, (words, code, said)
        assert part in said, (words, said)
    # the next fault is only found when the address is none
    for words in [["-u", good + "/rig7"], ["-u", "me", "--account"]]:
        code, said = mine("-o", "stratum+tcp://127.0.0.1:1", "-d", "quantum", *words)
        assert code == 2 and "quantum" in said, (words, code, said)


def test_no_device():
    for device in ["99", "opencl"]:
        code, said = mine("-o", "simulate://", "-u", "me", "-d", device)
        assert code == 4, (device, code, said)


def test_help_and_version():
    code, said = mine("--help")
    assert code == 0 and "--exit-when-idle" in said
    code, said = mine("--version")
    assert code == 0 and said.startswith("minerva ")


def test_simulated_pool():
    worker = Worker("-o", "simulate://100000000", "--print-time", "1")
    worker.expect("accepted (3/0/0)")
    worker.expect("speed 10s/60s/15m n/a n/a n/a")
    worker.signal(signal.SIGINT)
    assert worker.end() == 0, worker.said()
    assert re.search(r"shares +\d+ accepted, 0 stale, 0 rejected", worker.said()), worker.said()
    assert "accepted/stale/rejected" in worker.said()


def test_refused_login():
    pool = Pool()
    worker = Worker("-o", pool.url)
    request = pool.accept()
    pool.say(id=request["id"], result=None, error=dict(code=25, msg="invalid wallet"))
    assert worker.end() == 6, worker.said()
    assert "invalid wallet" in worker.said()


def test_too_new_a_pool():
    pool = Pool()
    worker = Worker("-o", pool.url)
    pool.welcome(pool.accept(), cert_version=4)
    assert worker.end() == 8, worker.said()
    assert "certificate version 4" in worker.said()


def tiny_model():
    """(folder, id) of the tests' small network, imported."""
    folder = HOME + "/tiny"
    said = subprocess.run([MINERVA, "model", "import", SOURCE + "/tests/vectors/models/tiny-bert", "-o", folder],
                          check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT).stdout
    return folder, re.search("[0-9a-f]{64}", said).group()


def begin_long_task(*words):
    """A worker at a task of many steps, and its pool."""
    folder, model = tiny_model()
    pool = Pool()
    worker = Worker("-o", pool.url, "--models", folder, *words)
    pool.welcome(pool.accept())
    pool.assign_sentences(model, 900)
    pool.hear("task.accept")
    return worker, pool


def test_signal_hands_back():
    worker, pool = begin_long_task("--stop-time", "0")
    worker.signal()
    decline = pool.hear("task.decline")
    assert decline["params"]["task_id"] == "5a" * 16
    assert "stopping" in decline["params"]["reason"], decline
    pool.say(id=decline["id"], result=True, error=None)
    assert worker.end() == 0, worker.said()
    assert re.search(r"tasks +0 done, 1 handed back", worker.said()), worker.said()


def test_signal_lets_finish():
    worker, pool = begin_long_task("--stop-time", "3600")
    worker.signal()
    result = pool.hear("task.result")
    pool.say(id=result["id"], result=dict(status="accepted", reason=""), error=None)
    assert worker.end() == 0, worker.said()
    assert re.search(r"tasks +1 done, 0 handed back", worker.said()), worker.said()


def test_second_signal_leaves_at_once():
    worker, _ = begin_long_task("--stop-time", "3600")
    worker.signal()
    worker.expect("stopping")
    worker.signal()
    # Without it the program would wait for the task, and then for the pool's answer to it.
    assert worker.end() == -signal.SIGTERM, worker.said()
    assert "summary" not in worker.said()


def test_pool_goes_away():
    pool = Pool()
    worker = Worker("-o", pool.url, "--tasks", "1")
    pool.welcome(pool.accept())
    pool.assign_product(512, 512, 1024)
    result = pool.hear("task.result")
    pool.hang_up()  # before it answers
    request = pool.accept()
    assert request["params"]["session"] == "ab" * 16
    pool.welcome(request)
    again = pool.hear("task.result")
    assert again["params"]["task_id"] == result["params"]["task_id"]
    assert again["params"]["output"] == result["params"]["output"]
    pool.say(id=again["id"], result=dict(status="accepted", reason=""), error=None)
    assert worker.end() == 0, worker.said()
    assert re.search(r"tasks +1 done", worker.said()), worker.said()


def test_idle_exit():
    pool = Pool()
    worker = Worker("-o", pool.url, "--exit-when-idle", "1")
    pool.welcome(pool.accept())
    assert worker.end() == 0, worker.said()
    assert "no task for 1 s" in worker.said()


def test_a_long_step_is_not_idle():
    pool = Pool()
    worker = Worker("-o", pool.url, "--exit-when-idle", "1")
    pool.welcome(pool.accept())
    pool.assign_product(4096, 8192, 8192)  # one step of some seconds
    result = pool.hear("task.result")
    assert "no task" not in worker.said(), worker.said()
    pool.say(id=result["id"], result=dict(status="accepted", reason=""), error=None)
    assert worker.end() == 0, worker.said()
    assert re.search(r"tasks +1 done, 0 handed back", worker.said()), worker.said()


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
