#!/usr/bin/env python3
"""Claim: with several pools that fail as chance has it, every share ends once and is counted once,
reaches only the pool whose job it was found for, is never sent twice, and what a pool accepted is what
the worker says; the first pool is worked for again when it can be had.

labels: tsan
Waits between connections are divided by 300, limits by 20.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import cases  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402
from pearl_pool.problem import Problem  # noqa: E402
from pearl_pool.puppet import Puppet  # noqa: E402

HURRY, STRICT, SECONDS = 300, 20, 4
FAULTS = [("end at once", True), ("end at login", True), ("end in line", True), ("mute login", True),
          ("black hole", True), ("reject login", 24), ("no job", True), ("end on share", True),
          ("mute shares", True), ("delay shares", 0.1), ("reject shares", (21, "stale job")),
          ("notify", lambda message: b"no JSON\n"), ("half line", True)]


def pools_of(count, kinds=("suprnova", "herominers", "alphapool")):
    return [PearlPool(kind, verifies=False, problem=Problem(id_like=f"{chr(97 + i)}%08x"))
            for i, kind in enumerate(kinds[:count])]


def close(pools):
    for pool in pools:
        pool.close()


def given(puppet):
    """A share for what would be mined now, if anything is."""
    job = puppet.mines()
    if job:
        puppet.share(job, size=2000)


def misbehave(chance, pools):
    """Something happens to one of them."""
    pool = chance.choice(pools)
    what = chance.random()
    if what < 0.35:
        name, value = chance.choice(FAULTS)
        pool.faults[name] = value
    elif what < 0.6:
        pool.faults.clear()
    elif what < 0.7:
        pool.hang_up()
    elif what < 0.75:
        pool.stop_listening()
        pool.hang_up()
    elif what < 0.8 and not pool.listener:
        pool.listen()
    else:
        pool.say(chance.choice((pool.problem.new_block, pool.problem.new_time, pool.problem.job))())


def heal(pools):
    for pool in pools:
        pool.faults.clear()
        if not pool.listener:
            pool.listen()


def settle(pool, puppet):
    """Until a share reaches the first pool; one that fails now and then is on its way back."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        job = puppet.mines()
        if job.startswith("a"):
            news = puppet.verdict(puppet.share(job))
            if news.verdict == "accepted":
                return
        time.sleep(0.05)
    raise AssertionError(f"the first pool is not worked for: {puppet.news[-8:]}")


def books_agree(pools, puppet):
    found = puppet.verdicts()
    serials = [s for kind in found.values() for s in kind]
    assert sorted(serials) == sorted(puppet.given), "a share ended twice, or never"
    digests = [s.digest for pool in pools for s in pool.shares]
    assert len(digests) == len(set(digests)), "a share came twice"
    for pool, letter in zip(pools, "abc"):
        assert all(s.job_id.startswith(letter) for s in pool.shares), "a share came to another pool"
    accepted = sum(s.is_answered and s.code == 0 for pool in pools for s in pool.shares)
    came = len(digests) + sum(pool.partial for pool in pools)
    stale = [n for n in puppet.news if n.kind == "share" and n.verdict == "stale"]
    sent = sum(len(found[k]) for k in ("accepted", "rejected", "unknown")) + \
        sum("not sent" not in n.text for n in stale)
    assert accepted - len(found["unknown"]) <= len(found["accepted"]) <= accepted, (found, accepted)
    assert came <= sent <= came + len(found["unknown"]), (came, sent, {k: len(v) for k, v in found.items()})
    print({k: len(v) for k, v in found.items()}, f"{came} came, {accepted} were accepted")


def flap(seed):
    chance, pools = random.Random(seed), pools_of(3)
    try:
        with Puppet(pools, hurry=HURRY, strict=STRICT) as puppet:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                misbehave(chance, pools)
                for _ in range(chance.randrange(4)):
                    given(puppet)
                time.sleep(chance.random() * 0.1)
            heal(pools)
            settle(pools[0], puppet)
            puppet.stop()
            books_agree(pools, puppet)
    finally:
        close(pools)


def what_was_found_for_one_is_not_sent_to_another():
    pools = pools_of(2)
    try:
        with Puppet(pools, hurry=HURRY, strict=STRICT) as puppet:
            puppet.joins(pools[0].current)
            pools[0].faults["mute shares"] = True
            for _ in range(8):
                puppet.share(pools[0].current)
            pools[0].wait(lambda p: p.count() == 4)
            pools[0].stop_listening()
            pools[0].hang_up()
            puppet.joins(pools[1].current)
            assert puppet.mines() == pools[1].current.job_id
            assert puppet.verdict(puppet.share(pools[1].current)).verdict == "accepted"
            pools[0].faults.clear()
            pools[0].listen()
            settle(pools[0], puppet)
            puppet.stop()
            books_agree(pools, puppet)
            assert pools[1].count() == 1 and len(puppet.verdicts()["unknown"]) == 4
    finally:
        close(pools)


cases.run([*((flap, seed) for seed in range(6)), what_was_found_for_one_is_not_sent_to_another])
