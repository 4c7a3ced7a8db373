#!/usr/bin/env python3
"""An hour with a pool that does everything wrong, in turn, through TLS and a proxy that does too.

    bench/flapping.py --minutes 60 --worker build-asan/minerva     the faults, one after another
    bench/flapping.py --steady 10                                  a well pool, one new header every 20 s

Prints what was found and what became of it, by the worker's count and by the pool's, which must agree;
how soon each fault was left; the memory over time; of the steady part the stale shares, and the
processor time of TLS and JSON. Exit code 1 where something is not explained. Its numbers are of a
worker on a machine that also runs the pool, in Python, and verifies every share.
"""
import argparse
import collections
import os
import re
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
os.environ.setdefault("MINERVA", os.path.join(ROOT, "build", "minerva"))  # what judges proofs

from pearl_pool import miner  # noqa: E402
from pearl_pool.certificates import Certificates  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402
from pearl_pool.proxy import NOT_ALLOWED, Proxy  # noqa: E402

SHARE = re.compile(r"  share +(accepted|stale|rejected|unknown|lost)\b(?:.*reply \d+ ms)?(?:  (.*))?")
LEFT = re.compile(r"again in (\d+) s")
LEFT_S, HEADER_S, SAMPLE_S = 35, 20, 5


def worker_counts(lines):
    """What the worker says of each share: by verdict, and of the stale ones by reason."""
    verdicts, reasons = collections.Counter(), collections.Counter()
    for line in lines:
        found = SHARE.search(line)
        if found:
            verdicts[found.group(1)] += 1
            reasons[found.group(1), (found.group(2) or "").strip()] += 1
    return verdicts, reasons


class Watch:
    """Memory and processor time of a process, as the system counts them."""

    def __init__(self, pid):
        self.pid, self.begun, self.memory = pid, time.monotonic(), []
        self.cpu_begun = self.pool_seconds()

    def rss_mib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def sample(self):
        at = time.monotonic() - self.begun
        if not self.memory or at - self.memory[-1][0] >= SAMPLE_S:
            self.memory.append((at, self.rss_mib()))

    def pool_seconds(self):
        """Of the threads that speak to pools: TLS, JSON, base64 and digests of shares."""
        nanoseconds = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/comm", encoding="ascii") as file:
                    name = file.read().strip()
                with open(f"/proc/{self.pid}/task/{task}/schedstat", encoding="ascii") as file:
                    nanoseconds += int(file.read().split()[0]) if name == "pool" else 0
            except OSError:
                continue  # that thread has ended
        return nanoseconds / 1e9

    def pool_share(self):
        return (self.pool_seconds() - self.cpu_begun) / (time.monotonic() - self.begun)

    def print_memory(self):
        """Medians of each sixth of the time: what grows shows."""
        settled = [m for m in self.memory if m[0] > 60] or self.memory
        part = max(1, len(settled) // 6)
        medians = [sorted(m for _, m in settled[i:i + part])[part // 2] for i in range(0, part * 6, part)
                   if len(settled[i:i + part]) == part]
        print("memory, MiB, over time: " + "  ".join(f"{m:.0f}" for m in medians))
        return medians


def print_after_block(pool):
    late = pool.after_block()
    print(f"{len(late)} shares for an old block began to arrive after the new one was said" +
          (f", the last {1000 * max(late):.0f} ms after it" if late else ""))


# --- the faults, in turn ---

def jobs(pool, turn):
    """What a well pool does meanwhile: another time, another difficulty, another block."""
    problem = pool.problem
    if turn % HEADER_S == HEADER_S - 1:
        pool.say(problem.new_block())
    elif turn % 7 == 6:
        pool.say(problem.new_time())
    elif turn % 11 == 10:
        pool.say(problem.job())


def bad_lines(pool, _):
    for line in (b"no JSON\n", b'{"id":null,"method":"mining.notify","params":{"job_id":7}}\n',
                 b'{"id":99999,"result":true,"error":null}\n', b"\n"):
        pool.say_bytes(line)


def storm(pool, _):
    until = time.monotonic() + 0.9
    while time.monotonic() < until:
        pool.say(pool.problem.new_difficulty_of(pool.share_difficulty))
        time.sleep(0.001)


def blocks(pool, _):
    pool.say(pool.problem.new_block())


def hang_up(pool, turn):
    if turn % 2:
        pool.hang_up()


# name, seconds, faults, what is done every second, whether those connected are hung up on first,
# seconds in which nothing can come in when it is over
TURNS = [
    ("well", 30, {}, jobs, False),
    ("answers to nobody, and no JSON", 10, {}, bad_lines, False),
    ("1,000 jobs a second", 5, {}, storm, False),
    ("a block every second", 10, {}, blocks, False),
    ("hangs up every two seconds", 12, {}, hang_up, False),
    ("slow verdicts", 20, {"delay shares": 0.7}, jobs, False),
    ("ends at a share", 15, {"end on share": True}, None, False),
    ("mute about shares", 45, {"mute shares": True}, jobs, False),
    ("all stale", 8, {"reject shares": (21, "stale job"), "error shape": "array"}, jobs, False),
    ("stale, as text", 5, {"reject shares": (0x15, "Job not found"), "error shape": "text"}, None, False),
    ("duplicates", 5, {"reject shares": (22, "duplicate share"), "error shape": "message"}, None, False),
    ("bare false", 5, {"reject shares": (20, "no reason"), "error shape": "false"}, None, False),
    ("header of 80 bytes", 6, {"notify": lambda m: {**m, "params": {**m["params"], "header": "00" * 80}}}, jobs, False),
    ("nobody listens", 12, {}, None, True),
    ("ends at once", 8, {"end at once": True}, None, True),
    ("ends at the login", 8, {"end at login": True}, None, True),
    ("ends in a line", 8, {"end in line": True}, None, True),
    ("half a line", 40, {"half line": True}, None, True),
    ("a line of 4 MiB", 10, {"long line": True}, None, True),
    ("a black hole", 40, {"black hole": True}, None, True),
    ("mute at the login", 40, {"mute login": True}, None, True),
    ("no job", 40, {"no job": True}, None, True),
    ("refuses the login", 3, {"reject login": 24}, None, True),
    ("certificate version 4", 3, {"notify": lambda m: {**m, "params": {**m["params"], "cert_version": 4}}}, blocks,
     False),
    ("a slow proxy", 20, {"pace": 60000}, bad_lines, False),
    ("a proxy that refuses", 8, {"proxy refuses": NOT_ALLOWED}, None, True),
]


class Flapping:
    def __init__(self, arguments, folder):
        made = Certificates(folder)
        self.pool = PearlPool("suprnova", difficulty=arguments.difficulty, tls=made.signed("pool"))
        self.pool.share_difficulty = arguments.difficulty
        self.pool.problem.new_difficulty_of = lambda d: self._jitter(d)
        self.proxy = Proxy({})
        self.worker = miner.Miner(self.pool, "--ca-file", made.ca, "--proxy", self.proxy.url, "--log-level", "debug",
                                  threads=arguments.threads, program=arguments.worker)
        self.watch = Watch(self.worker.process.pid)
        self.slow_to_leave = []

    def _jitter(self, difficulty):
        """Two targets that differ by little: no storm of hard jobs at its end."""
        self.pool.problem.flip = not getattr(self.pool.problem, "flip", False)
        return self.pool.problem.new_difficulty(difficulty + self.pool.problem.flip)

    def _wait(self, holds, seconds):
        """Seconds until it held, or None."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            assert self.worker.process.poll() is None, self.worker.said()[-4000:]
            self.watch.sample()
            if holds():
                return time.monotonic() - begun
            time.sleep(0.1)
        return None

    def _throw(self, faults, hangs_up):
        self.pool.faults.update(faults)
        self.proxy.pace = faults.get("pace")
        self.proxy.refuses = faults.get("proxy refuses")
        if hangs_up and not faults:
            self.pool.stop_listening()
        if hangs_up:
            self.pool.hang_up()

    def _take_back(self):
        self.pool.faults.clear()
        self.proxy.pace = self.proxy.refuses = None
        if not self.pool.listener:
            self.pool.listen()

    def turn(self, name, seconds, faults, every_second, hangs_up):
        lines, shares = len(self.worker.lines), len(self.pool.shares)
        begun = time.monotonic()
        self._throw(faults, hangs_up)
        for second in range(seconds):
            if every_second:
                every_second(self.pool, second)
            self._wait(lambda: time.monotonic() - begun >= second + 1, 2)
        self._take_back()
        accepted = self.pool.count(0)
        self.pool.say(self.pool.problem.new_time())
        back = self._wait(lambda: self.pool.count(0) > accepted, 700)
        fresh = self.pool.shares[shares:]
        if "mute shares" in faults and fresh:
            begun = fresh[0].begun_at  # nothing is overdue before it
        left = self._left(lines, begun, hangs_up)
        if left and left > LEFT_S:
            self.slow_to_leave.append((name, left))
        print(f"{name:32} {seconds:4} s  {len(self.pool.shares) - shares:5} shares came  "
              f"left after {'-' if left is None else f'{left:.1f} s':7} a share again after "
              f"{'never' if back is None else f'{back:.1f} s'}", flush=True)
        assert back is not None, self.worker.said()[-4000:]

    def _left(self, first, begun, hangs_up):
        """The longest that a connection was held on to: from the fault, or from connecting anew."""
        longest, since = None, None if hangs_up else begun
        for i in range(first, len(self.worker.lines)):
            found = LEFT.search(self.worker.lines[i])
            if not found:
                continue
            if since is not None:
                longest = max(longest or 0, self.worker.at[i] - since)
            since = self.worker.at[i] + int(found.group(1))
        return longest

    def run(self, minutes):
        until = time.monotonic() + 60 * minutes
        while True:
            for turn in TURNS:
                if time.monotonic() >= until:
                    return
                self.turn(*turn)

    def call_all_wrong(self):
        """At the very end, because the worker stays away for ten minutes: ten wrong in a row."""
        self.pool.faults["reject shares"] = 23, "low difficulty share"
        left = self._wait(lambda: "in a row wrong" in self.worker.said(), 120)
        print(f"{'ten proofs wrong in a row':32}         left after {'never' if left is None else f'{left:.1f} s'}")
        self.pool.faults.clear()
        return left is not None

    def count(self):
        """Both sides' books. True: they agree."""
        said = self.worker.stop(seconds=120)
        verdicts, reasons = worker_counts(self.worker.lines)
        pool, partial = self.pool, self.pool.partial
        print(f"\nfound {sum(verdicts.values())}: " + ", ".join(f"{n} {v}" for v, n in verdicts.most_common()))
        for (verdict, reason), number in sorted(reasons.items()):
            if verdict != "accepted":
                print(f"  {number:6} {verdict:9} {reason}")
        codes = collections.Counter((s.code, s.verdict, s.is_answered) for s in pool.shares)
        print(f"the pool got {len(pool.shares)} whole ones and {partial} broken off:")
        for (code, verdict, answered), number in sorted(codes.items(), key=str):
            print(f"  {number:6} {'answered' if answered else 'no answer':9} {code} {verdict}")
        print_after_block(pool)
        unsent = sum(n for (v, r), n in reasons.items() if v in ("stale", "rejected", "lost") and "not sent" in r
                     or v == "lost")
        began = sum(verdicts.values()) - unsent
        print(f"sent by the worker's count {began}, come by the pool's {len(pool.shares) + partial}, "
              f"in sockets when a connection ended {began - len(pool.shares) - partial}")
        bad = [s for s in pool.shares if s.code in (23, 26) and s.verdict != "low difficulty share"]
        answered = sum(s.is_answered and not s.code for s in pool.shares)
        unknown = verdicts["unknown"]
        unanswered = sum(not s.is_answered for s in pool.shares)
        checks = {
            "nothing came twice": not pool.twice(),
            "nothing came that does not hold": not bad,
            "what the worker calls accepted was": verdicts["accepted"] <= answered,
            "what vanished is among the unknown": 0 <= began - len(pool.shares) - partial <= unknown,
            "what was not answered is unknown": unknown >= unanswered + partial,
            "accepted but not heard is unknown": answered - verdicts["accepted"] <= unknown,
            "each fault was left in time": not self.slow_to_leave,
            "the worker found no fault in itself": "findings did not verify" not in said and "Sanitizer" not in said,
        }
        for what, holds in checks.items():
            print(f"{'yes' if holds else 'NO ':4} {what}")
        if self.slow_to_leave:
            print("left late:", self.slow_to_leave)
        return all(checks.values())


def flap(arguments, folder):
    flapping = Flapping(arguments, folder)
    with flapping.worker:
        flapping.run(arguments.minutes)
        flapping.watch.print_memory()
        was_left = flapping.call_all_wrong()
        return flapping.count() and was_left


# --- a well pool ---

def steady(arguments, folder):
    """A new block every 20 s, which is the worst that a new header can be; shares as fast as they come."""
    made = Certificates(folder)
    with PearlPool("suprnova", difficulty=arguments.difficulty, tls=made.signed("pool")) as pool:
        words = ["--ca-file", made.ca]
        with miner.Miner(pool, *words, threads=arguments.threads, program=arguments.worker) as worker:
            pool.wait(lambda p: p.count(0) >= 20)
            watch, shares, begun, turn = Watch(worker.process.pid), len(pool.shares), time.monotonic(), 0
            while time.monotonic() - begun < 60 * arguments.steady:
                turn += 1
                while time.monotonic() - begun < HEADER_S * turn:
                    watch.sample()
                    time.sleep(0.2)
                pool.say(pool.problem.new_block())
            seconds, came = time.monotonic() - begun, len(pool.shares) - shares
            busy = watch.pool_share()
            worker.stop()
        verdicts, reasons = worker_counts(worker.lines)
    found = sum(verdicts.values())
    print(f"{turn} headers in {seconds:.0f} s, {found} shares found, {came / seconds:.1f} a second")
    print(f"stale {verdicts['stale']} = {100 * verdicts['stale'] / found:.2f} % "
          f"({sum(n for (v, r), n in reasons.items() if v == 'stale' and 'not sent' in r)} of them not sent), "
          f"rejected {verdicts['rejected']}, unknown {verdicts['unknown']}")
    print_after_block(pool)
    print(f"TLS, JSON and base64: {100 * busy:.2f} % of a core; {1e3 * busy * seconds / max(1, came):.2f} ms a share")
    watch.print_memory()
    return verdicts["rejected"] == 0 and not pool.twice()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steady", type=float, help="minutes of the steady part alone")
    parser.add_argument("--worker", default=os.path.join(ROOT, "build", "minerva"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--difficulty", type=int, default=10, help="1 costs 2^32 multiply-accumulates a share")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="minerva-flapping-") as folder:
        holds = steady(arguments, folder) if arguments.steady else flap(arguments, folder)
    sys.exit(0 if holds else 1)


main()
