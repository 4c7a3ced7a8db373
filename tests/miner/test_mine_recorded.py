#!/usr/bin/env python3
"""Claim: against a pool of every recorded kind (through TLS where the recording has it) the worker
logs in, finds shares, in gzip where that is agreed, and each of them holds for `minerva verify` and, where it is at hand, for an implementation that shares no code with
this one; a new job of the same pool is mined in its turn.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import recording, verifier  # noqa: E402
from pearl_pool.certificates import Certificates  # noqa: E402
from pearl_pool.miner import Miner, counted  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

SHARES = 1


def mine_at(name, made, *words, **faults):
    path = os.path.join(made.folder, "gateway.sock") if name == "gateway" else None
    tls = (made.ca, made.ca_key) if recording.Recording(name).has_tls else None
    with PearlPool(name, difficulty=3, path=path, tls=tls) as pool:
        pool.faults.update(faults)
        words = [*words, *pool.recording.options(), *(["--ca-file", made.ca] if tls else [])]
        with Miner(pool, *words) as miner:
            pool.wait(lambda p: p.count(0) >= SHARES, what=f"{name}: a share\n{miner.said()}")
            if pool.recording.is_array:  # it may dictate another shape at any time
                pool.problem.shape = {"m": 2048, "n": 1024, "k": 4096}
            second = pool.say(pool.problem.new_block())
            pool.wait(lambda p: any(s.job is second and not s.code for s in p.shares), what=f"{name}: its second job")
            miner.expect(" accepted (", SHARES + 1)
            said = miner.stop()
        found = counted(said)
        assert found["rejected"] == 0, said
        assert found["accepted"] == pool.count(0) - found["unknown"], (found, len(pool.shares), said)
        assert not pool.twice(), said
        assert all(s.is_gzip == bool(faults.get("gzip")) for s in pool.shares), "gzip"
        assert {s.code for s in pool.shares} <= {0, 21}, [(s.code, s.verdict) for s in pool.shares]
        return next(s for s in pool.shares if not s.code)


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = Certificates(folder)
        shares = {name: mine_at(name, made) for name in recording.names()}
        mine_at("kryptex", made, "--gzip", "yes", gzip=True)
        mine_at("kryptex", made, "--gzip", "yes")  # asked for and not agreed to
    assert len(shares) >= 8, shares
    if not verifier.has_judge():
        print("no second implementation at hand: that part is skipped")
        return
    for name in ("suprnova", "alphapool_v1", "gateway"):
        share = shares[name]
        why = verifier.judge(share.job.header, share.job.target, share.job.cert_version, share.proof)
        assert why is None, f"{name}: {why}"


main()
