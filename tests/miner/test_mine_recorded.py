#!/usr/bin/env python3
"""Claim: against a pool of every recorded kind the worker logs in, finds shares, and each of them
holds for `minerva verify` and, where it is at hand, for an implementation that shares no code with
this one; a new job of the same pool is mined in its turn.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import recording, verifier  # noqa: E402
from pearl_pool.miner import Miner, counted  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

SHARES = 2


def mine_at(name, folder):
    path = os.path.join(folder, "gateway.sock") if name == "gateway" else None
    with PearlPool(name, difficulty=3, path=path) as pool:
        words = [] if pool.recording.form == "split" else ["--login", pool.recording.form]
        with Miner(pool, *words) as miner:
            pool.wait(lambda p: p.count(0) >= SHARES, what=f"{name}: a share\n{miner.said()}")
            second = pool.say(pool.problem.new_block())
            pool.wait(lambda p: any(s.job is second and not s.code for s in p.shares), what=f"{name}: its second job")
            miner.expect(" accepted (", SHARES + 1)
            said = miner.stop()
        found = counted(said)
        assert found["rejected"] == 0, said
        assert found["accepted"] == pool.count(0) - found["unknown"], (found, len(pool.shares), said)
        assert not pool.twice(), said
        assert {s.code for s in pool.shares} <= {0, 21}, [(s.code, s.verdict) for s in pool.shares]
        return next(s for s in pool.shares if not s.code)


def main():
    with tempfile.TemporaryDirectory() as folder:
        shares = {name: mine_at(name, folder) for name in recording.names()}
    assert len(shares) >= 8, shares
    if not verifier.has_judge():
        print("no second implementation at hand: that part is skipped")
        return
    for name in ("suprnova", "alphapool_v1", "gateway"):
        share = shares[name]
        why = verifier.judge(share.job.header, share.job.target, share.job.cert_version, share.proof)
        assert why is None, f"{name}: {why}"


main()
