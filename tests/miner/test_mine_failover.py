#!/usr/bin/env python3
"""Claim: `minerva mine` goes on with the next pool of its list when one goes away or refuses, and
ends only when all have refused from the start: with exit code 6 for logins, 8 for certificate
versions; what a pool said is in its own account.
"""
import http.client
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool.miner import Miner  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

REFUSED, TOO_NEW = 6, 8


def pools():
    return PearlPool("suprnova", difficulty=1), PearlPool("herominers", difficulty=1)


def account(said, pool):
    words = re.findall(rf"pool {re.escape(pool.url)}  ([a-z ]+)  A (\d+) S \d+ R (\d+)", said)
    assert words, said
    state, accepted, rejected = words[-1]
    return state, int(accepted), int(rejected)


def the_next_one_is_used():
    first, second = pools()
    with first, second, Miner([first, second]) as miner:
        first.wait(lambda p: p.count(0) >= 1, what="a share for the first")
        miner.expect("accepted (1/0/0)")
        first.close()
        miner.expect(f"use pool {second.url}")
        second.wait(lambda p: p.count(0) >= 1, what="a share for the second")
        miner.expect("accepted (", 2)
        said = miner.stop()
        assert account(said, first)[0] == "away" and account(said, second)[0] == "in use", said
        assert account(said, first)[1] <= first.count(0) and account(said, second)[1] >= 1, said
        assert re.search(rf"pool {re.escape(first.url)}  .*; again in \d+ s", said), said


def one_that_refuses_is_set_aside():
    first, second = pools()
    first.faults["reject login"] = 25
    with first, second, Miner([first, second]) as miner:
        miner.expect(f"use pool {second.url}")
        said = miner.stop()
        assert re.search(r"refuses the login \(code 25\): invalid wallet", said), said
        assert "again in 60 s" in said and account(said, first)[0] == "refuses", said
        assert first.connections == 1


def all_that_refuse_end_it():
    first, second = pools()
    first.faults["reject login"] = second.faults["reject login"] = 24
    with first, second, Miner([first, second]) as miner:
        said = miner.end(REFUSED)
        assert said.count("refuses the login (code 24)") == 2, said


def all_that_want_another_version_end_it():
    first, second = pools()
    with first, second:
        for pool in first, second:
            pool.problem.cert_version = 4
            pool.current = pool.problem.job(is_clean=True)
        with Miner([first, second]) as miner:
            said = miner.end(TOO_NEW)
            assert said.count("certificate version 4") >= 2, said


def another_one_can_be_ordered():
    first, second = pools()
    with first, second, Miner([first, second], "--api-token", "secret") as miner:
        miner.expect(f"use pool {first.url}")
        port = int(re.search(r"status at http://127\.0\.0\.1:(\d+)", miner.said()).group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/control/next-pool", headers={"Authorization": "Bearer secret"})
        assert connection.getresponse().status == 200
        miner.expect(f"use pool {second.url}")
        miner.expect(f"pool {first.url}  left: another pool is in use")
        miner.stop()


def main():
    the_next_one_is_used()
    one_that_refuses_is_set_aside()
    all_that_refuse_end_it()
    all_that_want_another_version_end_it()
    another_one_can_be_ordered()


main()
