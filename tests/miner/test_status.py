#!/usr/bin/env python3
"""Claim: a worker shows how it stands on 127.0.0.1 and nowhere else, on the next port when that one
is taken; whoever asks wrongly, from another origin or without the token gets a sentence and changes
nothing; pause, resume and finish do what they say; 0 switches all of it off.

labels: tsan
"""
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

MINERVA = os.environ.get("MINERVA", "build/minerva")
HOME = tempfile.mkdtemp(prefix="minerva-status-")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("MINERVA_")}
ENVIRONMENT.update(HOME=HOME, XDG_CONFIG_HOME=HOME, XDG_CACHE_HOME=HOME)
PATIENCE_S = 60


def check(what, holds, *seen):
    if not holds:
        sys.exit(f"does not hold: {what} {seen if seen else ''}")


def command(*words):
    return [MINERVA, "mine", "-o", "simulate://", "-u", "me", "-d", "cpu", "-t", "1", "-w", "rig7", *words]


class Worker:
    """minerva mine; says at which port it can be asked."""

    def __init__(self, *words):
        self.lines = []
        self.process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=ENVIRONMENT)
        self.port = int(self.wait_for(r"status at http://127\.0\.0\.1:(\d+)"))

    def wait_for(self, pattern):
        while line := self.process.stdout.readline():
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found.group(found.lastindex or 0)
        sys.exit(f"no line like {pattern} in {''.join(self.lines)}")

    def ask(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        body = reply.read().decode()
        connection.close()
        return reply.status, json.loads(body) if reply.getheader("Content-Type") == "application/json" else body

    def until(self, path, holds):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            _, seen = self.ask(path)
            if holds(seen):
                return seen
            time.sleep(0.05)
        sys.exit(f"{path} stays {seen}")

    def end(self):
        rest = self.process.communicate(timeout=PATIENCE_S)[0]
        return self.process.returncode, "".join(self.lines) + rest

    def kill(self):
        self.process.kill()
        self.process.wait()


def read_everything(worker):
    summary = worker.until("/summary", lambda s: s.get("shares", {}).get("accepted", 0) >= 3)
    check("it names itself", summary["name"] == "minerva" and summary["worker"] == "rig7" and summary["status"] == "ok")
    check("the pool is in use", summary["pool"]["state"] == "in use" and summary["pool"]["url"] == "simulate://", summary)
    check("devices and totals agree",
          sum(d["shares"]["accepted"] for d in summary["devices"]) == summary["shares"]["accepted"], summary)
    check("a rate is unknown before its window is full", summary["hashrate_hs"]["15m"] is None)
    for path, key in (("/pools", "pools"), ("/devices", "devices"), ("/tasks", "tasks"), ("/hive", "khs"), ("/mmpos", "busid")):
        code, seen = worker.ask(path)
        check(f"{path} answers", code == 200 and key in seen, code, seen)
    check("healthy", worker.ask("/health") == (200, {"status": "ok"}))
    code, text = worker.ask("/metrics")
    check("metrics", code == 200 and 'minerva_shares_total{device="cpu' in text and "minerva_pool_current" in text, text)
    code, text = worker.ask("/")
    check("a page for people", code == 200 and text.startswith("<!doctype html>"))


def ask_wrongly(worker):
    for what, wanted, (code, seen) in (
            ("an unknown path", 404, worker.ask("/../etc/passwd")),
            ("a method that is none of this path's", 405, worker.ask("/summary", "DELETE")),
            ("an order without a token", 401, worker.ask("/control/quit", "POST")),
            ("an order with a wrong token", 401, worker.ask("/control/quit", "POST", Authorization="Bearer secreT")),
            ("a token of another length", 401, worker.ask("/control/quit", "POST", Authorization="Bearer secret1")),
            ("an order by GET", 405, worker.ask("/control/quit", Authorization="Bearer secret")),
            ("another host's name", 403, worker.ask("/summary", Host="evil.example:80")),
            ("a name that begins like ours", 403, worker.ask("/summary", Host="127.0.0.1.evil.example")),
            ("a page from elsewhere", 403, worker.ask("/summary", Origin="http://evil.example")),
            ("an order of such a page", 403, worker.ask("/control/quit", "POST", Origin="null", Authorization="Bearer secret"))):
        check(f"{what} is refused with a sentence", code == wanted and len(seen["error"]) > 10, code, seen)
    code, _ = worker.ask("/summary", Origin=f"http://127.0.0.1:{worker.port}", Host="localhost")
    check("its own page may ask", code == 200, code)
    with socket.create_connection(("127.0.0.1", worker.port)) as raw:
        raw.sendall(b"GET /summary HTTP/1.1\r\nX: " + b"x" * 100000)
        with contextlib.suppress(ConnectionError):
            raw.recv(65536)
    check("it lives after all that", worker.ask("/summary")[0] == 200)


def give_orders(worker):
    token = {"Authorization": "Bearer secret"}
    check("paused", worker.ask("/control/pause", "POST", **token) == (200, {"ok": True}))
    worker.until("/summary", lambda s: s["paused"])
    check("who looks after it hears of it", worker.ask("/health") == (503, {"status": "paused"}))
    # What was under way may still be counted; then nothing moves for a second.
    def shares():
        return worker.ask("/summary")[1]["shares"]["accepted"]
    before, end = shares(), time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        time.sleep(1.2)
        now = shares()
        if now == before:
            break
        before = now
    check("nothing is begun while it is paused", now == before)
    check("resumed", worker.ask("/control/resume", "POST", **token)[0] == 200)
    worker.until("/summary", lambda s: not s["paused"] and s["shares"]["accepted"] > before)
    check("finishing", worker.ask("/control/finish", "POST", **token)[0] == 200)
    code, log = worker.end()
    check("it left by itself and says so", code == 0 and "finishing" in log and "summary of" in log, code, log)


def main():
    if not os.access(MINERVA, os.X_OK):
        sys.exit(77)
    worker = Worker("--api-token", "secret")
    with socket.socket() as outside:
        outside.settimeout(1)
        own = socket.gethostbyname(socket.gethostname())
        if not own.startswith("127."):
            check("other addresses of this machine do not answer", outside.connect_ex((own, worker.port)) != 0)
    second = Worker("--api-port", str(worker.port))
    check("a taken port is passed over", worker.port < second.port < worker.port + 32, second.port)
    check("without a token no order is taken", second.ask("/control/quit", "POST", Authorization="Bearer ")[0] == 403)
    second.kill()
    read_everything(worker)
    ask_wrongly(worker)
    give_orders(worker)

    for wrong in ("70000", "here", "a:b:c:1"):
        done = subprocess.run(command("--api-port", wrong), capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE_S)
        check(f"api-port {wrong} is refused", done.returncode == 2 and "api-port" in done.stderr, done.returncode, done.stderr)
    silent = subprocess.Popen(command("--api-port", "0"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=ENVIRONMENT)
    for line in silent.stdout:
        check("0 is off", "status at" not in line, line)
        if "accepted" in line:
            break
    silent.kill()
    silent.wait()


main()
