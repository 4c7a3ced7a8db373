"""The pool thread alone (tests/puppet/pool_puppet.c), so that a test says when a share is found."""
import collections
import os
import re
import subprocess
import threading
import time

PUPPET = os.path.join(os.path.abspath(os.environ.get("BUILD", "build")), "pool_puppet")
HURRY = 20  # every limit and wait is that much shorter: 30 s become 1.5 s
WAIT_S = 20
News = collections.namedtuple("News", "kind ms pool verdict code job serial reply_ms text at")
_serials = iter(range(1, 1 << 31))


class Puppet:
    """News are read from a mark that moves on: what was expected once is not seen again."""

    def __init__(self, pools, hurry=HURRY, strict=HURRY, **settings):
        """Settings are those of every pool of the list."""
        words = []
        for pool in pools if isinstance(pools, list) else [pools]:
            words.append("url=" + (pool if isinstance(pool, str) else pool.url))
            if not isinstance(pool, str):
                words.append("form=" + pool.recording.form)
                if pool.url.startswith("stratum"):
                    words.append("dialect=object")
            words += [f"{name.replace('_', '-')}={value}" for name, value in settings.items()]
            words += [f"hurry={hurry}", f"strict={strict}"]
        self.process = subprocess.Popen([PUPPET, *words], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=1)
        self.news, self.mark, self.given = [], 0, []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            kind, ms, pool, verdict, code, job, serial, reply, text = line.rstrip("\n").split("\t", 8)
            with self.changed:
                self.news.append(News(kind, int(ms), int(pool), verdict, int(code), job, int(serial), int(reply), text,
                                      time.monotonic()))
                self.changed.notify_all()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    # --- what it is told ---

    def share(self, job, size=40, ticket=None, serial=None):
        """A share of a job the pool has said (the last one of that id); returns its serial. Those of one
        serial are equal."""
        serial = serial or next(_serials)
        self.given.append(serial)
        job_id = job if isinstance(job, str) else job.job_id
        self.say(f"share {job_id} {serial} {size}" + (f" {ticket:064x}" if ticket is not None else ""))
        return serial

    def mines(self):
        """The id of the job that a worker would mine now, or ''."""
        with self.changed:
            mark = len(self.news)
        self.say("job")
        return self.news[self._await(lambda n: n.kind == "mines", mark, WAIT_S)].job

    def stop(self, wait_ms=1000):
        self.say(f"stop {wait_ms}")
        self._await(lambda n: n.kind == "stopped", 0, WAIT_S)
        return self.end()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=WAIT_S)
        wrong = self.process.stderr.read()
        assert code == 0 and not wrong, f"exit code {code}: {wrong[-3000:]}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and self.process.poll() is None:
            self.stop()
        self.kill()

    # --- what it says ---

    def _await(self, fits, mark, seconds):
        def find():
            return next((i for i in range(mark, len(self.news)) if fits(self.news[i])), None)
        with self.changed:
            seen = self.changed.wait_for(lambda: find() is not None, timeout=seconds)
            if not seen:
                told = "\n".join(map(str, self.news[-12:]))
                raise AssertionError(f"did not come within {seconds} s; the last news:\n{told}")
            return find()

    def expect(self, kind, pattern="", seconds=WAIT_S, **members):
        """The next news of that kind whose text fits, after what was expected before."""
        try:
            at = self._await(
                lambda n: n.kind == kind and re.search(pattern, n.text) and
                all(getattr(n, k) == v for k, v in members.items()), self.mark, seconds)
        except AssertionError as wrong:
            raise AssertionError(f"{kind} {pattern!r} {members}: {wrong}") from None
        self.mark = at + 1
        return self.news[at]

    def joins(self, job, seconds=WAIT_S):
        """Logs in and hears the job, in either order."""
        at = [self._await(lambda n: n.kind == "connected", self.mark, seconds),
              self._await(lambda n: n.kind == "job" and n.job == job.job_id, self.mark, seconds)]
        self.mark = max(at) + 1

    def verdict(self, serial, seconds=WAIT_S):
        return self.news[self._await(lambda n: n.kind == "share" and n.serial == serial, 0, seconds)]

    def said(self, kind, pattern=""):
        return [n for n in self.news if n.kind == kind and re.search(pattern, n.text)]

    def verdicts(self):
        """Serials by verdict; every share that was given has one, and only one."""
        out = collections.defaultdict(list)
        for n in self.news:
            if n.kind == "share":
                out[n.verdict].append(n.serial)
        return out
