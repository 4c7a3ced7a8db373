"""The scripted pool: it listens, hands out jobs, judges shares and counts them, and has faults.

    with PearlPool("suprnova") as pool:
        pool.faults["error shape"] = "array"
        pool.say(pool.problem.new_block())

faults, each thrown and taken back at any time:
    refuse               nobody listens                     (set by stop_listening)
    black hole           takes the connection, says nothing
    end at once          takes the connection and ends it
    end at login         ends it instead of answering the login
    end in line          ends it in the middle of the login's answer
    half line            begins the login's answer and falls silent
    long line            sends a line of more than 4 MiB
    delay login          SECONDS before the answer to it
    mute login           does not answer the login
    reject login         CODE: refuses it
    no job               never sends one (the gateway: mining paused)
    reject shares        (CODE, TEXT): refuses every one
    mute shares          answers none
    end on share         ends the connection at one
    delay shares         SECONDS before each verdict
    error shape          msg, message, array, false or text
    order                "job first" or "job last", whatever was recorded
    gzip                 agrees to compressed proofs, where they are asked for
    notify, info, shape  FUNCTION of the message of that kind, which returns another one, or bytes
"""
import collections
import copy
import ssl
import socket
import threading
import time

from pearl_pool import verifier
from pearl_pool.problem import Problem
from pearl_pool.recording import Recording
from pearl_pool.session import Ended, Session
from pearl_pool.tls import unwrap

WORDS = {20: "Invalid share", 21: "stale job", 22: "duplicate share", 23: "low difficulty share",
         24: "wallet is missing", 25: "invalid wallet", 26: "invalid proof", 27: "unauthorized"}
BUSY = -32000  # the gateway's full queue: to be sent again
TEST_SHAPE = {"m": 1024, "n": 1024, "k": 2048}


class PearlPool:
    """path: a Unix socket; tls: (certificate file, key file); verifies: judge proofs by the verifier."""

    def __init__(self, name, difficulty=10, verifies=True, tls=None, path=None, problem=None):
        self.recording = Recording(name)
        self.problem = problem or Problem(
            difficulty, shape=TEST_SHAPE if self.recording.is_array else None,
            id_like="%08x-00112233aabbccdd" if "alphapool" in name else "%08x_2097152")
        self.problem.is_solo = self.recording.is_gateway
        self.current = self.problem.job(is_clean=True)
        self.history = [self.current]
        self.verifies, self.faults, self.tls = verifies, {}, None
        self.sessions, self.shares, self.partial = [], [], 0
        self.connections, self.lines, self.seen = 0, 0, set()
        self.changed = threading.Condition()
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.path, self.port, self.listener = path, 0, None
        self.listen()

    # --- connections ---

    def listen(self):
        if self.path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.path)
            self.listener.listen(16)
        else:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop_listening(self):
        """Whoever connects is refused, until listen()."""
        listener, self.listener = self.listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        if not self.path:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.changed:
            self.connections += 1
            self.changed.notify_all()
        try:
            if self.tls:
                connection = unwrap(connection, self.tls)
        except OSError:
            connection.close()
            return
        session = Session(self, connection)
        with self.changed:
            self.sessions.append(session)
            self.changed.notify_all()
        session.run()
        with self.changed:
            if session in self.sessions:
                self.sessions.remove(session)
            self.changed.notify_all()

    def hang_up(self):
        for session in list(self.sessions):
            session.hang_up()

    def close(self):
        self.stop_listening()
        self.hang_up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def scheme(self):
        scheme = self.recording.scheme.split("+")[0]
        return scheme + ("+unix" if self.path else "+ssl" if self.tls else "+tcp")

    @property
    def url(self):
        return f"{self.scheme}://" + (self.path or f"127.0.0.1:{self.port}")

    # --- what it says ---

    def say(self, job):
        """The next job, to everybody who is logged in."""
        self.current = job
        for session in list(self.sessions):
            if session.is_greeted:
                self._try(session.say_job, job)
        self.history.append(job)
        return job

    def say_bytes(self, data):
        for session in list(self.sessions):
            self._try(session.write, data)

    @staticmethod
    def _try(say, what):
        try:
            say(what)
        except OSError:
            pass  # the worker has gone

    def greet_badly(self, session):
        if "end at once" in self.faults:
            raise Ended("as the fault says")
        if "black hole" in self.faults:
            session.wait_for_end()
        if "long line" in self.faults:
            session.write(b"x" * ((4 << 20) + 2))
            session.wait_for_end()

    def answer_login(self, session, said, is_login):
        if is_login and "end at login" in self.faults:
            raise Ended("as the fault says")
        if is_login and "end in line" in self.faults:
            session.write(b'{"id":1,"res')
            raise Ended("as the fault says")
        if is_login and "half line" in self.faults:
            session.write(b'{"id":1,"res')
            session.wait_for_end()
        if is_login and "mute login" in self.faults:
            session.wait_for_end()
        if is_login and "reject login" in self.faults:
            code = self.faults["reject login"]
            session.say({"id": said["id"], "result": None, "error": self._error(code, WORDS[code])})
            raise Ended("as the fault says")
        if is_login:
            time.sleep(self.faults.get("delay login", 0))
        if session.is_gzip:
            said["type"] = "v2"
        session.say(said)

    # --- shares ---

    def judge(self, session, share):
        """Sets the verdict, as pearl-pools.md 2.12 has it."""
        if "reject shares" in self.faults:
            share.code, share.verdict = self.faults["reject shares"]
        elif share.verdict:
            pass
        elif not share.job:
            share.code, share.verdict = 21, WORDS[21]
        elif share.digest in self.seen:
            share.code, share.verdict = 22, WORDS[22]
        else:
            share.code, share.verdict = self._verify(share)
        with self.changed:
            if share.digest in self.seen:
                share.verdict = f"duplicate, {share.verdict}"
            if share.code != BUSY:
                self.seen.add(share.digest)

    def _verify(self, share):
        job = share.job
        if len(share.text) > verifier.CHARACTERS_MAX:
            return 26, "the proof is too long"
        if not self.verifies:
            return 0, "accepted"
        why = verifier.verify(job.header, job.target, job.cert_version, share.proof)
        if why:
            return (23 if "is above the bound" in why else 26), why
        m, n, k, *_ = verifier.shape_of(share.proof)
        if job.shape and (m, n, k) != (job.shape["m"], job.shape["n"], job.shape["k"]):
            return 26, "another shape"
        return 0, "accepted"

    def _error(self, code, text):
        shape = self.faults.get("error shape")
        if not shape:
            like = next((r["error"] for r in self.recording.refusals if r.get("error") is not None), {})
            shape = {list: "array", str: "text"}.get(type(like)) or ("message" if "message" in like else "msg")
        return {"array": [code, text, None], "text": text, "false": None}.get(shape, {"code": code, shape: text})

    def deliver(self, session, request_id, share):
        with self.changed:
            self.shares.append(share)
            self.changed.notify_all()
        if "end on share" in self.faults:
            raise Ended("as the fault says")
        if "mute shares" in self.faults:
            return
        time.sleep(self.faults.get("delay shares", 0))
        said = copy.deepcopy(self.recording.accepted)
        if share.code:
            error = self._error(share.code, share.verdict)
            said = {"result": None if error else False, "error": error}
            if self.recording.is_gateway:
                said = {"jsonrpc": "2.0", "error": error}
        said["id"] = request_id
        share.is_answered = True  # before it is: the worker may be faster than this thread
        try:
            session.say(said)
        except OSError:
            share.is_answered = False
            raise

    def note_partial(self, rest):
        """The worker left in the middle of a line."""
        if b"plain_proof" in rest or b"submit" in rest:
            self.partial += 1

    # --- what a test asks ---

    def wait(self, holds, seconds=60, what="it"):
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self), timeout=seconds), f"{what} did not happen"

    def count(self, code=None):
        return sum(code is None or s.code == code for s in self.shares)

    def after_block(self):
        """Of each share that began to arrive after another block was said: how many seconds."""
        ended = {}
        for job, following in zip(self.history, self.history[1:]):
            if job.previous != following.previous and following.said_at:
                ended[job.previous] = following.said_at
        jobs = {job.job_id: job for job in self.history}
        late = [s.begun_at - ended[jobs[s.job_id].previous] for s in self.shares
                if s.job_id in jobs and jobs[s.job_id].previous in ended]
        return [seconds for seconds in late if seconds > 0]

    def twice(self):
        return [d for d, n in collections.Counter(s.digest for s in self.shares if s.code != BUSY).items() if n > 1]
