#!/usr/bin/env python3
"""Claim: a request of more than 65,536 token rows is split, done in parts by a real worker, checked, joined,
and is bit for bit what one machine makes of it; a kill -9 of the pool in between loses no part.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import MINERVA, Pool, main, until

TINY = os.path.join(os.environ.get("SOURCE", "."), "tests/vectors/models/tiny-bert")
WORDS = "the cat sat on a mat and looked at people".split()


def run(*words):
    return subprocess.run([MINERVA] + list(words), check=True, capture_output=True, text=True).stdout


def split():
    folder = tempfile.mkdtemp(prefix="minerva-split-")
    miner = None
    try:
        models, text = os.path.join(folder, "models"), os.path.join(folder, "text")
        os.mkdir(models)
        run("model", "import", TINY, "-o", os.path.join(models, "tiny"))
        model = run("model", "show", os.path.join(models, "tiny")).split("\n")[0].split()[-1]
        chance = random.Random(1)
        with open(text, "w") as file:
            for _ in range(6000):
                file.write(" ".join(chance.choice(WORDS) for _ in range(chance.randint(3, 9))) + "\n")
        local, claimed = os.path.join(folder, "local"), os.path.join(folder, "claimed")
        told = run("task", "run", "--kind", "embed", "--model", os.path.join(models, "tiny"), "--text", text, "-o", local)
        with Pool("--models", models) as pool:
            url = "http://127.0.0.1:%d" % pool.http
            task = run("task", "submit", "--pool", url, "--kind", "embed", "--model", model, "--text", text).strip()
            parts = pool.get("/v1/status")["tasks"]["queued"]
            assert parts > 1, (parts, told)
            for end in ("kill", "end"):
                miner = subprocess.Popen(
                    [MINERVA, "mine", "-o", "pouw+tcp://127.0.0.1:%d" % pool.port, "-u", "w", "-w", end, "-t", "2",
                     "--cache", os.path.join(folder, "cache")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                until(lambda: pool.get("/v1/status")["tasks"]["done"] >= 1, 60)
                if end == "kill":
                    miner.terminate()  # hands back what it has
                    miner.wait(timeout=60)
                    pool.kill()
                    pool.start()
                    url = "http://127.0.0.1:%d" % pool.http
            until(lambda: pool.state(task) == "done", 60)
            state = pool.get("/v1/tasks/" + task)
            assert state["done"] == state["total"] == 6000, state
            run("task", "claim", task, "--pool", url, "-o", claimed)
            with open(local, "rb") as a, open(claimed, "rb") as b:
                assert a.read() == b.read()
            miner.terminate()
            assert miner.wait(timeout=60) == 0
            assert pool.stop() == 0
    finally:
        if miner and miner.poll() is None:
            miner.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main([split])
