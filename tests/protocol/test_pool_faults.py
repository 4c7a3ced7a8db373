#!/usr/bin/env python3
"""Claim: a pool that fails, in whatever way, is left in time and with the right sentence; the
worker comes back to it, sends nothing twice, and loses nothing that could have been delivered.

labels: tsan
Limits are divided by 20: what is overdue after 30 s is so here after 1.5 s.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import cases  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402
from pearl_pool.puppet import HURRY, Puppet  # noqa: E402

LEFT_S = 35 / HURRY + 2.0  # from the first thing overdue; the two seconds of grace are the machine's


def joined(pool):
    """A puppet that has logged in and has a job."""
    puppet = Puppet(pool)
    puppet.joins(pool.current)
    return puppet


def works(pool, puppet):
    """It has a job, and a share for it is accepted."""
    puppet.expect("connected")
    job = pool.current.job_id if not pool.recording.is_gateway else puppet.expect("job").job
    while puppet.mines() != job:
        time.sleep(0.01)
    assert puppet.verdict(puppet.share(job)).verdict == "accepted"
    assert not pool.twice()


def comes_back(fault, value, pattern, name="suprnova"):
    """A fault at the login is said, and is over when the pool is well again."""
    with PearlPool(name, verifies=False) as pool:
        pool.faults[fault] = value
        with Puppet(pool) as puppet:
            begun = time.monotonic()
            puppet.expect("lost", pattern)
            assert time.monotonic() - begun < LEFT_S, time.monotonic() - begun
            puppet.expect("lost", pattern)  # it tries again
            pool.faults.clear()
            works(pool, puppet)


def nobody_listens():
    with PearlPool("suprnova", verifies=False) as pool:
        pool.stop_listening()
        with Puppet(pool) as puppet:
            puppet.expect("lost", r"connect.*again in \d+ s")
            puppet.expect("lost", r"connect.*again in \d+ s")
            pool.listen()
            works(pool, puppet)


def a_puzzle_too_hard():
    """Refused with both figures; it is not begun."""
    with PearlPool("alphapool_v1", verifies=False) as pool:
        pool.recording.opening[0][1]["params"]["difficulty"] = 41
        with Puppet(pool) as puppet:
            puppet.expect("lost", r"41 bits, at most 40")


def a_gateway_that_pauses():
    """No template is no fault of the connection: it is asked again, and nothing is mined meanwhile."""
    with PearlPool("gateway", verifies=False) as pool, Puppet(pool) as puppet:
        job = puppet.expect("job").job
        pool.faults["no job"] = True
        while puppet.mines():
            time.sleep(0.01)
        assert puppet.verdict(puppet.share(job)).verdict == "stale"
        pool.faults.clear()
        assert puppet.verdict(puppet.share(puppet.expect("job").job)).verdict == "accepted"
        assert not puppet.said("lost"), puppet.said("lost")


def mute_at_a_share():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        pool.faults["mute shares"] = True
        begun, serials = time.monotonic(), [puppet.share(pool.current) for _ in range(3)]
        for serial in serials:
            assert puppet.verdict(serial).verdict == "unknown"
        assert time.monotonic() - begun < LEFT_S
        pool.faults.clear()
        works(pool, puppet)
        assert pool.count() == 4


def ends_at_a_share():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        pool.faults["end on share"] = True
        serial = puppet.share(pool.current)
        puppet.expect("lost")
        assert puppet.verdict(serial).verdict == "unknown"
        pool.faults.clear()
        works(pool, puppet)
        assert pool.count() == 2 and not pool.twice()


def silent_about_jobs():
    """Nothing is overdue but a job."""
    with PearlPool("herominers", verifies=False) as pool:
        with Puppet(pool, job_timeout=20) as puppet:
            puppet.expect("connected")
            puppet.expect("job")
            puppet.expect("lost", r"sent no job for 20 s")
            works(pool, puppet)


def answers_a_stranger():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        for line in (b'{"id":77,"result":true,"error":null}\n', b'{"id":"x","result":null,"error":[23,"low",null]}\n',
                     b'{"id":null,"result":true}\n'):
            pool.say_bytes(line)
        assert puppet.verdict(puppet.share(pool.current)).verdict == "accepted"
        assert not puppet.said("lost") and len(puppet.said("share")) == 1


def a_line_that_drips():
    """A byte now and then does not make a line that ends."""
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        begun = time.monotonic()
        while not puppet.said("lost") and time.monotonic() < begun + 10:
            pool.say_bytes(b" ")
            time.sleep(0.1)
        puppet.expect("lost", r"did not finish a line")
        assert time.monotonic() - begun < LEFT_S
        works(pool, puppet)


def storms():
    """1,000 jobs a second: the last one is mined, and shares go out meanwhile."""
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        begun, serials = time.monotonic(), []
        for i in range(1000):
            job = pool.say(pool.problem.new_difficulty(10 + i % 3) if i % 2 else pool.problem.new_time())
            if i % 100 == 99:
                puppet.expect("job", job=job.job_id)
                serials.append(puppet.share(job))
            time.sleep(max(0, begun + i / 1000 - time.monotonic()))
        assert all(puppet.verdict(s).verdict in ("accepted", "stale") for s in serials)
        assert puppet.verdict(serials[-1]).verdict == "accepted"
        assert puppet.mines() == pool.current.job_id and not puppet.said("lost")


def speaks_in_shape(shape):
    """Every shape of refusal is understood."""
    words = {20: "Invalid share", 21: "stale job", 22: "duplicate share", 23: "low difficulty share"}
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        pool.faults["error shape"] = shape
        for code, text in words.items():
            pool.faults["reject shares"] = code, text
            news = puppet.verdict(puppet.share(pool.current))
            assert news.verdict == ("stale" if code == 21 and shape != "false" else "rejected"), news
            if shape != "false":
                assert news.text == text and (shape == "text" or news.code == code), news
        assert not puppet.said("lost")


def speaks_in_order(order):
    with PearlPool("suprnova", verifies=False) as pool:
        pool.faults["order"] = order
        with Puppet(pool) as puppet:
            puppet.expect("job")
            assert puppet.verdict(puppet.share(pool.current)).verdict == "accepted"


def login_is_refused(code):
    with PearlPool("suprnova", verifies=False) as pool:
        pool.faults["reject login"] = code
        with Puppet(pool, hurry=60) as puppet:
            times = [puppet.expect("refused", code=code).at for _ in range(3)]
            assert 0.9 < times[1] - times[0] < 1.8 < times[2] - times[1], times  # 60 s, then 120 s
            assert not puppet.said("connected")


CASES = [
    nobody_listens,
    (comes_back, "end at once", True, r"closed|ended|reset"),
    (comes_back, "end at login", True, r"closed|ended|reset"),
    (comes_back, "end in line", True, r"closed|ended|reset"),
    (comes_back, "long line", True, r"line"),
    (comes_back, "half line", True, r"did not finish a line|did not answer"),
    (comes_back, "mute login", True, r"did not answer.* 30 s"),
    (comes_back, "black hole", True, r"did not answer.* 30 s"),
    (comes_back, "no job", True, r"no job.* 30 s"),
    *((comes_back, fault, True, pattern, "alphapool_v1") for fault, pattern in
      [("end at once", r"closed|ended|reset"), ("black hole", r"30 s"), ("mute login", r"30 s"), ("no job", r"no job")]),
    *((comes_back, fault, True, pattern, "gateway") for fault, pattern in
      [("end at once", r"closed|ended|reset"), ("black hole", r"30 s"), ("long line", r"line")]),
    a_puzzle_too_hard, a_gateway_that_pauses,
    mute_at_a_share, ends_at_a_share, silent_about_jobs, answers_a_stranger, a_line_that_drips, storms,
    *((speaks_in_shape, shape) for shape in ("msg", "message", "array", "text", "false")),
    (speaks_in_order, "job first"), (speaks_in_order, "job last"),
    (login_is_refused, 24), (login_is_refused, 25),
]

cases.run(CASES)
