#!/usr/bin/env python3
"""Claim: whatever a stranger or a broken worker sends is answered with a code and a sentence or ends its
connection, and the pool goes on serving everybody else.
"""
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import Pool, Worker, TASK, main, until

WRONG = [None, True, 7, -1, 1.5, "", "x" * 5000, [], {}, [[]], "\u0000", 2 ** 63]

HELLO = {"wallet": "w", "worker": "r", "pass": "x", "agent": "a", "protocol": "pouw/1", "session": "0" * 32,
         "offer": {"tasks": ["matmul"], "slots": 1, "memory_bytes": 1, "models": [], "backends": ["cpu"]}}
ID = "0" * 32
MESSAGES = {
    "mining.submit": {"wallet": "w", "worker": "r", "job_id": "j", "plain_proof": "AAAA", "task_id": ID,
                      "site": {"pack": 0, "product": 0}},
    "task.accept": {"task_id": ID},
    "task.decline": {"task_id": ID, "reason": "no"},
    "task.progress": {"task_id": ID, "done": 1, "total": 2},
    "task.result": {"task_id": ID, "result": "0" * 64, "size": 3, "output": {"inline": "AAAA"},
                    "stats": {"seconds": 1, "macs": 1, "proved_macs": 1}},
}


def variants(params):
    """The message with every member, also inner ones, of every wrong kind, and missing."""
    for name, value in params.items():
        for wrong in WRONG:
            yield dict(params, **{name: wrong})
        yield {k: v for k, v in params.items() if k != name}
        if isinstance(value, dict):
            for inner in variants(value):
                yield dict(params, **{name: inner})


def fields():
    """One wrong field at a time: always an answer, never the end of the pool or of the connection."""
    with Pool("--no-vardiff") as pool:
        worker = Worker(pool)
        count = 0
        for method, params in MESSAGES.items():
            for wrong in list(variants(params)) + [[], None, "x", 7]:
                if method == "mining.submit":
                    worker.close()  # ten bad proofs a minute block; a submit a connection is no business here
                    worker = Worker(pool)
                reply = worker.call(method, wrong)
                assert reply["result"] is None or reply["result"].get("status") == "rejected", (wrong, reply)
                if reply["result"] is None:
                    assert 20 <= reply["error"]["code"] <= 31 and reply["error"]["msg"], reply
                    if not isinstance(wrong, dict):
                        assert reply["error"]["code"] == 20, (wrong, reply)
                count += 1
        assert count > 200
        assert worker.call("mining.ping", {})["result"] is True
        assert pool.stop() == 0


def hellos():
    with Pool() as pool:
        for wrong in variants(HELLO):
            worker = Worker(pool, authorise=False)
            reply = worker.call("mining.authorize", wrong)
            assert reply["result"] is True or reply["error"]["code"] in (20, 24, 25), (wrong, reply)
            worker.close()
        worker = Worker(pool, authorise=False)
        assert worker.code("mining.authorize", {"wallet": ""}) == 24
        assert worker.code("mining.authorize", {"worker": "x"}) == 24
        assert worker.code("mining.authorize", {"wallet": "x" * 129}) == 25
        assert worker.code("mining.authorize", {"wallet": 7}) == 25
        assert worker.code("mining.authorize", {"wallet": "x" * 128}) is None
        assert worker.code("mining.authorize", {"wallet": "w"}) == 20  # twice
        assert worker.code("mining.unheard_of", {}) == 20
        stranger = Worker(pool, authorise=False)
        for method in list(MESSAGES):
            assert stranger.code(method, MESSAGES[method]) == 27, method
        # A session that is somebody else's, or nobody's, is not given away.
        mine = Worker(pool, wallet="mine")
        theirs = Worker(pool, wallet="theirs", session=mine.welcome["session"])
        assert theirs.welcome["session"] != mine.welcome["session"]
        mine = Worker(pool, wallet="mine", session=mine.welcome["session"])
        assert mine.welcome["http_port"] == pool.http and mine.welcome["artifacts"] == "/artifacts"


def lines():
    with Pool() as pool:
        worker = Worker(pool)
        for text in (b"{", b"[]", b"7", b'"x"', b"{}", b'{"id":1}', b'{"id":1,"method":7}', b"\xff\xfe", b"nonsense",
                     b'{"id":1,"method":"mining.ping","params":{},"id":2}', b"[" * 100000):
            worker.raw(text + b"\n")
            reply = worker.line()
            while "method" in reply:
                reply = worker.line()
            assert reply["error"]["code"] == 20 and reply["error"]["msg"], (text[:40], reply)
        worker.raw(b"\n\r\n  \n")
        worker.raw(b'{"id":"text","method":"mining.ping","params":{}}\r\n')
        assert worker.line() == {"id": "text", "result": True, "error": None}
        # Many at once, in pieces: answered in order.
        text = b"".join(b'{"id":%d,"method":"mining.ping","params":{}}\n' % i for i in range(500))
        for i in range(0, len(text), 777):
            worker.raw(text[i:i + 777])
        assert [worker.line()["id"] for _ in range(500)] == list(range(500))
        # Half a message, then gone.
        half = Worker(pool)
        half.raw(b'{"id":9,"method":"mining.submit","params":{"job_id":"')
        half.close()
        assert worker.call("mining.ping", {})["result"] is True


def oversized():
    with Pool() as pool:
        worker = Worker(pool)
        worker.raw(b'{"id":1,"method":"mining.submit","params":{"job_id":"j","plain_proof":"')
        piece = b"A" * (1 << 16)
        try:
            for _ in range(80):
                worker.raw(piece)
        except OSError:
            pass
        assert worker.closed()
        stranger = Worker(pool, authorise=False)
        try:
            stranger.raw(b"x" * (70 << 10))
        except OSError:
            pass
        assert stranger.closed()  # who has not said who it is may say less
        longest = Worker(pool)
        body = b'{"id":1,"method":"mining.ping","params":{"x":"'
        longest.raw(body + b"A" * ((4 << 20) - len(body) - 5) + b'"}}\n')
        while True:
            message = longest.line()
            if "method" not in message:
                break
        assert message["id"] == 1 and message["result"] is True, message


def floods():
    """More than 20 shares a second: 20. Ten bad proofs in a minute: closed, and blocked for a while."""
    with Pool("--no-vardiff") as pool:
        fast = Worker(pool)
        fast.raw(b"".join(b'{"id":%d,"method":"mining.submit","params":{"job_id":"no","plain_proof":"AAAA"}}\n' % i
                          for i in range(1, 61)))
        codes = [fast.reply(i)["error"]["code"] for i in range(1, 61)]
        assert codes[:20] == [21] * 20 and 20 in codes[20:], codes
        bad = Worker(pool)
        job = bad.push("mining.notify")
        for _ in range(10):
            assert bad.code("mining.submit", {"job_id": job["job_id"], "plain_proof": "AAAA"}) == 26
        assert bad.closed()
        try:
            Worker(pool)
            raise AssertionError("a blocked address was let in")
        except (ConnectionError, socket.timeout):
            pass
        # Who was there before stays.
        assert fast.call("mining.ping", {})["result"] is True


def strangers():
    """At most 256 that have not said who they are; those are let go after 10 s (tested by their number)."""
    with Pool() as pool:
        known = Worker(pool)
        sockets = [socket.create_connection(("127.0.0.1", pool.port), timeout=30) for _ in range(256)]
        late = socket.create_connection(("127.0.0.1", pool.port), timeout=30)
        assert late.recv(1) == b""
        assert known.call("mining.ping", {})["result"] is True
        for one in sockets:
            one.close()

        def is_open():
            try:
                Worker(pool).close()
                return True
            except OSError:
                return False
        until(is_open)


def usage():
    import subprocess
    from poolkit import MINERVA
    for words in (["--audit", "2"], ["--audit", "nan"], ["--audit", ""], ["--share-macs", "1"], ["--share-macs", "x"],
                  ["--min-rank", "48"], ["--lease", "0"], ["--nonsense"], ["extra"], ["--listen", "nowhere"],
                  ["--listen", "127.0.0.1:99999"], ["--http", "::1:1"], ["--models", "/nonexistent"],
                  ["--lease"]):
        done = subprocess.run([MINERVA, "pool", "--db", "/nonexistent/never.db"] + words, capture_output=True, text=True)
        code = 1 if "--models" in words else 2  # the database is opened before the models
        assert done.returncode == code and done.stderr.strip(), (words, done)
    done = subprocess.run([MINERVA, "pool", "--db", "/nonexistent/never.db"], capture_output=True, text=True)
    assert done.returncode == 1 and "/nonexistent/never.db" in done.stderr, done
    assert subprocess.run([MINERVA, "pool", "--help"], capture_output=True).returncode == 0
    with Pool() as pool:
        done = subprocess.run([MINERVA, "pool", "--db", pool.database], capture_output=True, text=True)
        assert done.returncode == 1 and "another pool" in done.stderr, done
        done = subprocess.run([MINERVA, "pool", "--listen", "127.0.0.1:%d" % pool.port, "--http", "127.0.0.1:0",
                               "--db", pool.database + "2"], capture_output=True, text=True)
        assert done.returncode == 1 and "in use" in done.stderr, done


def silent(pool, stranger, began):
    """Ten seconds to say who one is, and not much less."""
    def late():
        assert stranger.recv(1) == b""
        assert 8 < time.monotonic() - began < 15, time.monotonic() - began
        assert pool.stop() == 0
    return late


if __name__ == "__main__":
    quiet = Pool()
    began = time.monotonic()
    waiting = socket.create_connection(("127.0.0.1", quiet.port), timeout=30)
    main([fields, hellos, lines, oversized, floods, strangers, usage, silent(quiet, waiting, began)])
    quiet.close()
