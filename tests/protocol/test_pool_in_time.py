#!/usr/bin/env python3
"""Claim: a share leaves while it is worth something, under the id that is right for it, once; for
another block none begins to leave later than 100 ms after the job; none is lost that could have gone.

labels: tsan
Limits are divided by 20: what holds for 30 s does so here for 1.5 s.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import cases, proxy  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402
from pearl_pool.problem import target_of  # noqa: E402
from pearl_pool.puppet import HURRY, Puppet  # noqa: E402

IN_FLIGHT, WAITING = 4, 64
OLD_S = 30 / HURRY
FACTOR = 8 * 16 * (2048 // 128) * 128  # of the shape that a puppet's shares have
LATE_S = 0.1
GRACE_S = 0.4  # other programs run on this machine; what is measured is printed


def joined(pool, **settings):
    puppet = Puppet(pool, **settings)
    puppet.joins(pool.current)
    return puppet


def say(pool, puppet, job):
    pool.say(job)
    puppet.expect("job", job=job.job_id)
    return job


def ended(puppet, serials):
    """How these shares ended, by verdict."""
    out = {}
    for serial in serials:
        out.setdefault(puppet.verdict(serial).verdict, []).append(serial)
    return out


def latest_start(pool, old, new):
    """Seconds after the new job at which the last share for the old one began to arrive."""
    return max((s.begun_at - new.said_at for s in pool.shares if s.job_id == old.job_id), default=0)


def another_block_ends_what_waits():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        old = pool.current
        pool.faults["delay shares"] = 0.2
        serials = [puppet.share(old) for _ in range(30)]
        pool.wait(lambda p: p.count() == 1)
        new = say(pool, puppet, pool.problem.new_block())
        late = [puppet.share(old) for _ in range(5)]
        found = ended(puppet, serials + late)
        pool.faults.clear()
        assert set(found) <= {"accepted", "stale"} and set(late) <= set(found["stale"]), found
        assert pool.count() <= IN_FLIGHT and latest_start(pool, old, new) < LATE_S + GRACE_S
        assert puppet.verdict(puppet.share(new)).verdict == "accepted"


def only_a_line_that_was_begun_is_finished():
    """Big proofs on a slow way: what has not begun to leave when the block changes never does."""
    with PearlPool("suprnova", verifies=False) as pool, proxy.Proxy({}, pace=200000) as way:
        with joined(pool, proxy=way.url, strict=1) as puppet:
            old = pool.current
            serials = [puppet.share(old, size=250000) for _ in range(8)]
            time.sleep(0.3)
            new = say(pool, puppet, pool.problem.new_block())
            way.pace = 8 << 20
            found = ended(puppet, serials)
            # the socket's own queue holds some of it: what is in there has left
            assert set(found) == {"stale"} and pool.count() < IN_FLIGHT, (found, pool.count())
            assert sum(puppet.verdict(s).code == 21 for s in serials) == pool.count()
            assert puppet.verdict(puppet.share(new)).verdict == "accepted"


def another_time_takes_the_old_id():
    with PearlPool("herominers", verifies=False) as pool, joined(pool) as puppet:
        old = pool.current
        new = say(pool, puppet, pool.problem.new_time())
        assert puppet.verdict(puppet.share(old)).verdict == "accepted"
        assert pool.shares[-1].job_id == old.job_id
        assert puppet.verdict(puppet.share(new)).verdict == "accepted"
        time.sleep(OLD_S + 0.2)
        assert puppet.verdict(puppet.share(old)).verdict == "stale"
        assert puppet.verdict(puppet.share(new)).verdict == "accepted"
        assert pool.count() == 3


def one_stale_answer_is_enough():
    with PearlPool("herominers", verifies=False) as pool, joined(pool) as puppet:
        old = pool.current
        new = say(pool, puppet, pool.problem.new_time())
        pool.faults["reject shares"] = 21, "Job not found"
        assert puppet.verdict(puppet.share(old)).verdict == "stale"
        pool.faults.clear()
        news = puppet.verdict(puppet.share(old))
        assert news.verdict == "stale" and "not sent" in news.text and pool.count() == 1, news
        assert puppet.verdict(puppet.share(new)).verdict == "accepted"
        assert not puppet.said("lost")  # a stale share is no reason to reconnect


def difficulty_alone_changes():
    """The newest id whose target the share meets, else the older one for a while."""
    with PearlPool("suprnova", difficulty=10, verifies=False) as pool, joined(pool) as puppet:
        easy = pool.current
        hard = say(pool, puppet, pool.problem.new_difficulty(20))
        between = target_of(15) * FACTOR
        assert puppet.verdict(puppet.share(easy, ticket=target_of(25) * FACTOR)).verdict == "accepted"
        assert puppet.verdict(puppet.share(easy, ticket=between)).verdict == "accepted"
        assert [s.job_id for s in pool.shares] == [hard.job_id, easy.job_id]
        time.sleep(OLD_S + 0.2)
        news = puppet.verdict(puppet.share(easy, ticket=between))
        assert news.verdict == "stale" and "below new difficulty" in news.text, news
        softer = say(pool, puppet, pool.problem.new_difficulty(5))
        assert puppet.verdict(puppet.share(hard, ticket=target_of(25) * FACTOR)).verdict == "accepted"
        assert pool.shares[-1].job_id == softer.job_id and pool.count() == 3


def the_login_is_waited_for():
    with PearlPool("suprnova", verifies=False) as pool:
        pool.faults["delay login"] = 0.4
        with Puppet(pool) as puppet:
            puppet.expect("job", job=pool.current.job_id)
            serials = [puppet.share(pool.current) for _ in range(3)]
            assert set(ended(puppet, serials)) == {"accepted"} and pool.count() == 3


def four_are_in_flight():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool, strict=1) as puppet:
        pool.faults["mute shares"] = True
        serials = [puppet.share(pool.current) for _ in range(12)]
        pool.wait(lambda p: p.count() == IN_FLIGHT)
        newer = say(pool, puppet, pool.problem.new_time())  # reads go on
        assert newer.job_id == puppet.mines()
        time.sleep(0.2)
        assert pool.count() == IN_FLIGHT
        pool.hang_up()
        pool.faults.clear()
        found = ended(puppet, serials)
        assert set(found["unknown"]) == set(serials[:IN_FLIGHT]) and not pool.twice(), found


def a_short_absence(job):
    """What was found meanwhile goes out under the new id, if the header is the same; else it is stale."""
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        old = pool.current
        pool.stop_listening()
        pool.hang_up()
        puppet.expect("lost")
        serials = [puppet.share(old) for _ in range(WAITING + 6)]
        pool.current = pool.problem.job() if job == "same header" else pool.problem.new_time()
        pool.listen()
        puppet.joins(pool.current)
        found = ended(puppet, serials)
        assert set(found["lost"]) == set(serials[:6]), found
        if job == "same header":
            assert set(found["accepted"]) == set(serials[6:]), found
            assert {s.job_id for s in pool.shares} == {pool.current.job_id} and pool.count() == WAITING
        else:
            assert set(found["stale"]) == set(serials[6:]) and not pool.shares, found


def the_end_in_the_middle_of_a_line():
    """Begun and not finished: unknown, and never sent again."""
    with PearlPool("suprnova", verifies=False) as pool, proxy.Proxy({}, pace=100000) as way:
        with joined(pool, proxy=way.url, strict=1) as puppet:
            job = pool.current
            big = puppet.share(job, size=400000)
            while way.carried < 50000:
                time.sleep(0.02)
            pool.hang_up()
            puppet.expect("lost")
            way.pace = 8 << 20
            puppet.joins(job)
            assert puppet.verdict(big).verdict == "unknown"
            assert puppet.verdict(puppet.share(job)).verdict == "accepted" and pool.count() == 1


def equal_proofs_leave_once():
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        serial = puppet.share(pool.current)
        assert puppet.verdict(serial).verdict == "accepted"
        puppet.share(pool.current, serial=serial)
        puppet.expect("share", verdict="rejected", pattern="sent before")
        say(pool, puppet, pool.problem.new_difficulty(5))
        puppet.share(pool.current, serial=serial)
        puppet.expect("share", verdict="rejected", pattern="sent before")
        assert pool.count() == 1


def many_blocks():
    """Whatever is found when: for an old block nothing begins to leave late; all is accounted for."""
    with PearlPool("herominers", verifies=False) as pool, joined(pool) as puppet:
        worst, old = 0, pool.current
        for turn in range(12):
            serials = [puppet.share(old) for _ in range(3 + turn % 5)]
            new = pool.say(pool.problem.new_block())
            serials += [puppet.share(old) for _ in range(3)]
            assert set(ended(puppet, serials)) <= {"accepted", "stale"}
            worst, old = max(worst, latest_start(pool, old, new)), new
            puppet.expect("job", job=new.job_id)
        print(f"the last share for an old block began to arrive {1000 * worst:.0f} ms after the job")
        found = puppet.verdicts()
        assert worst < LATE_S + GRACE_S and not pool.twice()
        assert pool.count() == len(found["accepted"]) + sum(s.code == 21 for s in pool.shares)
        assert len(puppet.given) == sum(map(len, found.values()))


def a_full_queue_is_tried_again():
    """The gateway's own word for it, and nothing else of that code; after 1, 2 and 5 s, here a 20th."""
    with PearlPool("gateway", verifies=False) as pool, Puppet(pool) as puppet:
        job = puppet.expect("job").job
        pool.faults["reject shares"] = -32000, "proof submission queue full"
        serial = puppet.share(job)
        pool.wait(lambda p: p.count() == 3)
        pool.faults.clear()
        assert puppet.verdict(serial).verdict == "accepted" and pool.count() == 4
        gaps = [b.begun_at - a.begun_at for a, b in zip(pool.shares, pool.shares[1:])]
        assert all(gap > wait / HURRY - 0.02 for gap, wait in zip(gaps, (1, 2, 5))), gaps
        pool.faults["reject shares"] = -32000, "something else"
        assert puppet.verdict(puppet.share(job)).verdict == "rejected" and pool.count() == 5
        pool.faults["reject shares"] = -32000, "proof submission queue full"
        serial = puppet.share(job)
        pool.wait(lambda p: p.count() == 6)
        pool.say(pool.problem.new_block())  # another template: no longer worth it
        assert puppet.verdict(serial).verdict == "stale"
        tried = pool.count()
        time.sleep(6 / HURRY)
        assert pool.count() == tried


def ten_wrong_in_a_row(code, text):
    """The worker's own fault is likely: it keeps the proof, says what may be wrong, and stays away."""
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        pool.faults["reject shares"] = code, text
        for _ in range(9):
            assert puppet.verdict(puppet.share(pool.current)).verdict == "rejected"
        pool.faults.clear()
        assert puppet.verdict(puppet.share(pool.current)).verdict == "accepted"  # begins anew
        pool.faults["reject shares"] = code, text
        for _ in range(10):
            assert puppet.verdict(puppet.share(pool.current)).verdict == "rejected"
        news = puppet.expect("lost", r"(?i)10|ten")
        print(news.text)
        time.sleep(0.5)
        assert not pool.sessions and pool.connections == 1


cases.run([
    another_block_ends_what_waits, only_a_line_that_was_begun_is_finished, another_time_takes_the_old_id,
    one_stale_answer_is_enough, difficulty_alone_changes, the_login_is_waited_for, four_are_in_flight,
    (a_short_absence, "same header"), (a_short_absence, "another header"), the_end_in_the_middle_of_a_line,
    equal_proofs_leave_once, many_blocks, a_full_queue_is_tried_again,
    (ten_wrong_in_a_row, 23, "low difficulty share"), (ten_wrong_in_a_row, 26, "invalid proof"),
])
