#!/usr/bin/env python3
"""Claim: requesters get their work done over HTTP and only those who may ask are answered; artifacts are
served by hash, in ranges, and taken only from who holds a task with such a result.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import MINERVA, Pool, Worker, TASK, blake3, main, result_of

TINY = os.path.join(os.environ.get("SOURCE", "."), "tests/vectors/models/tiny-bert")


def routes():
    with Pool() as pool:
        task = pool.add()
        assert pool.get("/v1/tasks/" + task) == {"id": task, "kind": "matmul", "model": "", "state": "queued",
                                                 "done": 0, "total": 1, "reason": ""}
        status, _, data = pool.request("GET", "/v1/tasks/%s/result" % task)
        assert status == 202, (status, data)
        for path in ("/", "/v2", "/v1", "/v1/", "/v1/tasks/" + "0" * 32, "/v1/tasks/xyz", "/v1/tasks/%s/x" % task,
                     "/v1/tasks/" + "0" * 32 + "/result", "/artifacts", "/artifacts/", "/artifacts/" + "0" * 64,
                     "/artifacts/model/" + "0" * 64, "/artifacts/../pool.db", "/artifacts/%2e%2e/pool.db", "/v1x"):
            status, _, data = pool.request("GET", path)
            assert status == 404 and json.loads(data)["error"], (path, status)
        for method, path in (("DELETE", "/v1/status"), ("POST", "/v1/status"), ("PUT", "/v1/tasks"), ("GET", "/v1/tasks"),
                             ("DELETE", "/artifacts/" + "0" * 64)):
            status, _, _ = pool.request(method, path, b"" if method in ("POST", "PUT") else None)
            assert status == 405, (method, path, status)
        status = pool.get("/v1/status")
        assert status["tasks"]["queued"] == 1 and status["usefulness"] == 0, status


def bodies():
    with Pool() as pool:
        bad = [b"", b"{", b"[]", b"\xff", dict(TASK, kind="unheard"), dict(TASK, kind=7), dict(TASK, model="0" * 64),
               dict(TASK, model="../x"), dict(TASK, params={"m": 0, "n": 1, "k": 1, "seed": 1}),
               dict(TASK, params={"m": 2 ** 40, "n": 2 ** 40, "k": 1024, "seed": 1}), dict(TASK, params=None),
               dict(TASK, params=dict(TASK["params"], k=100)), dict(TASK, input={"inline": "AAAA"}),
               {"kind": "embed", "model": "0" * 64, "input": {"inline": "AAAA"}, "params": {}},
               {"kind": "embed", "model": "", "input": {"inline": "!"}, "params": {}}]
        for body in bad:
            status, _, data = pool.request("POST", "/v1/tasks", body)
            assert status == 400 and json.loads(data)["error"], (body, status, data)
        assert pool.get("/v1/status")["tasks"]["queued"] == 0
        with socket.create_connection(("127.0.0.1", pool.http), timeout=20) as raw:
            raw.sendall(b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
            assert b" 413 " in raw.recv(4096)
        with socket.create_connection(("127.0.0.1", pool.http), timeout=20) as raw:
            raw.sendall(b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert b" 411 " in raw.recv(4096)
        with socket.create_connection(("127.0.0.1", pool.http), timeout=20) as raw:
            raw.sendall(b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")  # half a body, then gone
        assert pool.get("/v1/status")["workers"] == 0


def tokens():
    """With a token: 401 without it. Without one: 403 for whoever is not on this machine."""
    with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
        file.write("correct-horse-battery-staple\n")
        file.flush()
        with Pool("--http-token-file", file.name) as pool:
            assert pool.request("GET", "/v1/status")[0] == 401
            for wrong in ("Bearer x", "Bearer correct-horse-battery-staplex", "Basic abc", "correct-horse-battery-staple"):
                assert pool.request("GET", "/v1/status", headers={"Authorization": wrong})[0] == 401, wrong
            right = {"Authorization": "Bearer correct-horse-battery-staple"}
            assert pool.request("GET", "/v1/status", headers=right)[0] == 200
            assert pool.request("POST", "/v1/tasks", TASK)[0] == 401
            assert pool.request("POST", "/v1/tasks", TASK, headers=right)[0] == 201
            assert pool.request("GET", "/artifacts/" + "0" * 64)[0] == 404  # artifacts are free
    own = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
           if not a[4][0].startswith("127.")]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("short")
        file.flush()
        done = subprocess.run([MINERVA, "pool", "--db", "/nonexistent/x.db", "--http-token-file", file.name],
                              capture_output=True, text=True)
        assert done.returncode == 2 and "token" in done.stderr, done
    if own:
        with Pool("--http", own[0] + ":0") as pool:
            connection = __import__("http.client").client.HTTPConnection(own[0], pool.http, timeout=20)
            connection.request("GET", "/v1/status")
            assert connection.getresponse().status == 403
            connection.request("GET", "/artifacts/" + "0" * 64)
            assert connection.getresponse().status in (404, 403)


def artifacts():
    """A model is served as its manifest names it, whole and in ranges."""
    folder = tempfile.mkdtemp(prefix="minerva-models-")
    try:
        done = subprocess.run([MINERVA, "model", "import", TINY, "-o", os.path.join(folder, "tiny")],
                              capture_output=True, text=True)
        assert done.returncode == 0, done
        shown = subprocess.run([MINERVA, "model", "show", os.path.join(folder, "tiny")], capture_output=True, text=True)
        model = shown.stdout.split("\n")[0].split()[-1]
        with Pool("--models", folder) as pool:
            assert "1 models" in "".join(pool.lines), pool.lines
            status, headers, manifest = pool.request("GET", "/artifacts/model/" + model)
            assert status == 200 and headers["Accept-Ranges"] == "bytes"
            with open(os.path.join(folder, "tiny", "manifest.json"), "rb") as file:
                assert file.read() == manifest
            tensors = json.loads(manifest)["tensors"]
            tensor = tensors[0] if isinstance(tensors, list) else sorted(tensors.items())[0][1]
            name, size = tensor["hash"], tensor["size"]
            status, _, data = pool.request("GET", "/artifacts/" + name)
            assert (status, len(data)) == (200, size)
            if size < 20000:
                assert blake3(data) == name
            for text, part in (("bytes=0-0", data[:1]), ("bytes=5-", data[5:]), ("bytes=-7", data[-7:]),
                               ("bytes=3-9", data[3:10]), ("bytes=1-%d" % (2 ** 62), data[1:])):
                status, headers, got = pool.request("GET", "/artifacts/" + name, headers={"Range": text})
                assert (status, got) == (206, part), (text, status)
                assert headers["Content-Range"].endswith("/%d" % size)
            for text in ("bytes=%d-" % size, "bytes=9-3", "bytes=-0"):
                status, headers, got = pool.request("GET", "/artifacts/" + name, headers={"Range": text})
                assert (status, headers["Content-Range"]) == (416, "bytes */%d" % size), (text, status)
            for text in ("bytes=", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5"):  # not understood: all of it
                assert pool.request("GET", "/artifacts/" + name, headers={"Range": text})[0] == 200, text
            status, _, got = pool.request("HEAD", "/artifacts/" + name)
            assert (status, got) == (200, b"")
        os.truncate(os.path.join(folder, "tiny", "model.safetensors"), 100)
        done = subprocess.run([MINERVA, "pool", "--db", os.path.join(folder, "x.db"), "--models", folder],
                              capture_output=True, text=True)
        assert done.returncode == 1 and "tiny" in done.stderr, done
    finally:
        shutil.rmtree(folder)


def uploads():
    """PUT: 401 for no session, 403 for a size that no task of the session has, 400 for other bytes."""
    with Pool() as pool:
        worker = Worker(pool)
        task = pool.add()
        assert worker.push("task.assign")["task_id"] == task
        worker.call("task.accept", {"task_id": task})
        size = 8 + 64 + 8 + 32  # the canonical form of one digest: at least this; found by trying
        session = {"Authorization": "Bearer " + worker.welcome["session"]}
        sizes = [n for n in range(size - 16, size + 40)
                 if pool.request("PUT", "/artifacts/" + "0" * 64, b"x" * n, session)[0] != 403]
        assert len(sizes) == 1, sizes
        data = os.urandom(sizes[0])
        path = "/artifacts/" + blake3(data)
        assert pool.request("PUT", path, data)[0] == 401
        assert pool.request("PUT", path, data, {"Authorization": "Bearer " + "0" * 32})[0] == 401
        assert pool.request("PUT", path, data, {"Authorization": "Bearer x"})[0] == 401
        assert pool.request("PUT", path, data + b"x", session)[0] == 403
        assert pool.request("PUT", path, b"y" * len(data), session)[0] == 400
        assert pool.request("PUT", "/artifacts/model/" + "0" * 64, data, session)[0] == 404
        assert pool.request("GET", path)[0] == 404
        # By its hash, but never brought: said so, and the task is kept.
        named = dict(result_of(task, data), output={"hash": blake3(data)})
        reply = worker.call("task.result", named)
        assert reply["error"]["code"] == 20 and "upload" in reply["error"]["msg"], reply
        assert pool.request("PUT", path, data, session)[0] == 201
        assert pool.request("GET", path)[2] == data
        assert pool.request("GET", path, headers={"Range": "bytes=2-5"})[2] == data[2:6]
        codes = []  # not more of them than a few: a disk is not filled this way
        for i in range(12):
            other = os.urandom(len(data))
            codes.append(pool.request("PUT", "/artifacts/" + blake3(other), other, session)[0])
        assert codes == [201] * 7 + [403] * 5, codes
        verdict = worker.call("task.result", named)["result"]
        assert verdict["status"] == "rejected" and "differs" in verdict["reason"], verdict


def failed():
    """Sixteen workers give wrong results: the task has failed, and its result is gone for good (410)."""
    with Pool() as pool:
        task = pool.add()
        for i in range(16):
            worker = Worker(pool, worker="rig%d" % i)
            assert worker.push("task.assign")["task_id"] == task
            worker.call("task.accept", {"task_id": task})
            reply = worker.call("task.result", result_of(task, b"lie", result="0" * 64))
            assert reply["result"]["status"] == "rejected", reply
            worker.close()
        state = pool.get("/v1/tasks/" + task)
        assert state["state"] == "failed" and state["reason"], state
        status, _, data = pool.request("GET", "/v1/tasks/%s/result" % task)
        assert status == 410 and json.loads(data)["error"], (status, data)


if __name__ == "__main__":
    main([routes, bodies, tokens, artifacts, uploads, failed])
