"""One connection to the scripted pool: the recorded login, then jobs and verdicts.

Its own thread reads and answers; other threads say jobs. What is wrong with the pool is asked of
pool.faults at each step, so that a switch works from the moment it is thrown.
"""
import base64
import copy
import hashlib
import json
import os
import queue
import socket
import struct
import threading
import time
import zlib

from pearl_pool.problem import compact
from pearl_pool.recording import AUTHORIZE, INFO, NOTIFY, SHAPE, SUBMITS

LINE_MAX, PROOF_MAX, JOBS_KEPT = 4 << 20, 16 << 20, 8


class Ended(Exception):
    """This side has had enough."""


class Share:
    """One submit as it arrived."""

    def __init__(self, job_id, digest, begun_at):
        self.job_id, self.digest, self.begun_at = job_id, digest, begun_at
        self.verdict = self.code = self.job = self.proof = self.text = None
        self.is_answered = self.is_gzip = False


class Session:
    def __init__(self, pool, connection):
        self.pool, self.connection, self.recording = pool, connection, pool.recording
        self.jobs, self.latest = [], None
        self.is_greeted = False
        self.speaking = threading.Lock()
        self.lines, self.heard = queue.SimpleQueue(), []
        self.is_gzip = False

    # --- bytes ---

    def _listen(self):
        """A thread of its own: when a line's first byte came is known however slow the verdicts are."""
        rest, begun_at = b"", 0.0
        try:
            while len(rest) <= LINE_MAX and (piece := self.connection.recv(1 << 16)):
                now = time.monotonic()
                *lines, left = piece.split(b"\n")
                for line in lines:
                    self.lines.put((rest + line, begun_at if rest else now))
                    rest = b""
                begun_at = begun_at if rest else now
                rest += left
        except OSError:
            pass  # the worker has gone
        self.pool.note_partial(rest)
        self.lines.put(None)

    def read(self):
        """The next line, and when its first byte was there."""
        heard = self.lines.get()
        if not heard:
            raise Ended("the worker has gone")
        self.pool.lines += 1
        return heard

    def wait_for_end(self):
        """Hears, says nothing."""
        while True:
            self.read()

    def write(self, data):
        with self.speaking:
            self.connection.sendall(data)

    def say(self, message):
        self.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def hang_up(self):
        for end in (lambda: self.connection.shutdown(socket.SHUT_RDWR), self.connection.close):
            try:
                end()
            except OSError:
                pass

    # --- the recorded login ---

    def run(self):
        try:
            threading.Thread(target=self._listen, daemon=True).start()
            self.pool.greet_badly(self)
            self._open()
            while True:
                self._answer(*self.read())
        except (Ended, OSError):
            pass
        finally:
            self.hang_up()

    def _ordered(self):
        """The opening, with the first job where `order` wants it."""
        steps = list(self.recording.opening)
        order = self.pool.faults.get("order")
        notify = next((s for s in steps if s[0] and s[1].get("method") == NOTIFY), None)
        if order and notify:
            steps.remove(notify)
            at = [i for i, (is_pool, m) in enumerate(steps) if not is_pool and m["method"] == AUTHORIZE][0] + 1
            steps.insert(at if order == "job first" else len(steps), notify)
        return steps

    def _open(self):
        ids = {}
        for is_pool, message in self._ordered():
            if not is_pool:
                ids[message["id"]] = self._hear(message)
                continue
            said = copy.deepcopy(message)
            if "method" not in said:
                said["id"] = ids[message["id"]]
            self._say_opening(said, message)

    def _hear(self, expected):
        """The recorded request, as this worker makes it: its id."""
        while True:
            line, begun_at = self.read()
            try:
                message = json.loads(line)
            except ValueError:
                raise Ended("no JSON where the login is expected") from None
            if message.get("method") == expected["method"]:
                break
            self._answer(line, begun_at)
        self.heard.append(message)
        assert message.get("jsonrpc") == expected.get("jsonrpc"), message
        wanted, came = expected["params"], message["params"]
        if isinstance(wanted, dict):
            assert wanted.keys() <= came.keys(), (wanted, came)
        else:
            assert isinstance(came, list) and len(came) == len(wanted), (wanted, came)
        self.is_gzip = isinstance(came, dict) and came.get("type") == "v2" and "gzip" in self.pool.faults
        return message["id"]

    def _say_opening(self, said, recorded):
        method = said.get("method")
        if method == NOTIFY:
            self.is_greeted = True
            if "no job" not in self.pool.faults:
                self.say_job(self.pool.current, with_shape=False)
        elif method == SHAPE:
            self.write(self.line_of("shape", self._shape(self.pool.current)))
        elif method == "mining.set_difficulty":
            self.say({**said, "params": [max(1, (0xFFFF << 208) // self.pool.current.target)]})
        elif recorded is self.recording.info:
            self.is_greeted = True
            self._say_info(said["id"])
        elif method == "pearl.challenge":
            said["params"]["seed"] = os.urandom(32).hex()
            self.seed, self.bits = said["params"]["seed"], said["params"]["difficulty"]
            self.say(said)
        else:
            self.pool.answer_login(self, said, len(self.heard) and self.heard[-1]["method"] == AUTHORIZE)

    # --- jobs ---

    def _shape(self, job):
        said = copy.deepcopy(self.recording.shape)
        said["params"][0].update(job.shape or {})
        return said

    def _notify(self, job):
        said = copy.deepcopy(self.recording.notify)
        header, params = job.header.hex(), said["params"]
        if isinstance(params, list):
            clock = struct.unpack_from("<I", job.header, 68)[0]
            said["params"] = [job.job_id, job.previous[::-1].hex(), header, job.height, f"{clock:08x}",
                              f"{compact(job.target):08x}", job.is_clean]
            return said
        params.update(job_id=job.job_id, header=header, target=f"{job.target:064x}", height=job.height)
        if "cert_version" in params:
            params["cert_version"] = job.cert_version
        if "diff" in params:
            params["diff"] = (0xFFFF << 208) // job.target
        return said

    def line_of(self, fault, message):
        """The message as bytes; the fault of that name may make others of it."""
        spoil = self.pool.faults.get(fault)
        said = spoil(message) if spoil else message
        return said if isinstance(said, bytes) else json.dumps(said, separators=(",", ":")).encode() + b"\n"

    def notify_line(self, job):
        """The bytes of a job's message, spoilt where the faults say so."""
        return self.line_of("notify", self._notify(job))

    def keep(self, job):
        if self.latest and self.latest.previous != job.previous:
            self.jobs.clear()
        self.jobs = [*self.jobs[1 - JOBS_KEPT:], job]
        self.latest = job

    def say_job(self, job, with_shape=True):
        self.keep(job)
        if self.recording.is_gateway:
            return  # it asks
        if self.recording.is_array and with_shape and job.shape:
            self.write(self.line_of("shape", self._shape(job)))
        self.write(self.notify_line(job))
        job.said_at = time.monotonic()

    def _say_info(self, request_id):
        said, job = copy.deepcopy(self.recording.info), self.pool.current
        if "no job" in self.pool.faults:
            self.say({"jsonrpc": "2.0", "error": {"code": -32001, "message": "mining paused"}, "id": request_id})
            return
        if self.latest is not job:
            self.jobs, self.latest = [job], job
            job.said_at = time.monotonic()
        said["id"] = request_id
        said["result"].update(incomplete_header_bytes=base64.b64encode(job.header).decode(), target=job.target,
                              cert_version=job.cert_version)
        self.write(self.line_of("info", said))

    # --- what the worker asks ---

    def _answer(self, line, begun_at):
        try:
            message = json.loads(line)
            method, request_id = message["method"], message.get("id")
        except (ValueError, KeyError, TypeError):
            self.say({"id": None, "result": None, "error": {"code": 20, "msg": "parse error"}})
            return
        if method in SUBMITS:
            self._judge(message, begun_at)
        elif method == INFO:
            self._say_info(request_id)
        elif method == "pearl.challenge_response":
            self.say({"id": request_id, "result": self._solves(message["params"]), "error": None})
        elif method == AUTHORIZE:
            self.say({"id": request_id, "result": True, "error": None})
        else:
            self.say({"id": request_id, "result": None, "error": {"code": 20, "msg": "method not supported"}})

    def _solves(self, params):
        return params["seed"] == self.seed and len(params["nonce"]) == 16

    def _read_share(self, message, begun_at):
        params = message["params"]
        if isinstance(params, list):
            wallet, job_id, text = params
        elif "mining_job" in params:
            text = params["plain_proof"]
            header = base64.b64decode(params["mining_job"]["incomplete_header_bytes"], validate=True)
            job_id = next((j.job_id for j in self.jobs if j.header == header), "")
        else:
            job_id, text = params["job_id"], params["plain_proof"]
        proof = base64.b64decode(text, validate=True)
        if self.is_gzip:
            plain = zlib.decompressobj(31)
            proof = plain.decompress(proof, PROOF_MAX)
            assert plain.eof and not plain.unused_data
        share = Share(job_id, hashlib.sha256(proof).hexdigest(), begun_at)
        share.proof, share.text, share.is_gzip = proof, text, self.is_gzip
        share.job = next((j for j in reversed(self.jobs) if j.job_id == job_id), None)
        return share

    def _judge(self, message, begun_at):
        try:
            share = self._read_share(message, begun_at)
        except (KeyError, ValueError, TypeError, AssertionError, zlib.error):
            share = Share("", "", begun_at)
            share.code, share.verdict = 26, "invalid proof"
        self.pool.judge(self, share)
        self.pool.deliver(self, message["id"], share)
