#!/usr/bin/env python3
"""Claim: HOST:PORT alone is a pool that is spoken to in TLS where it can, and without where it
cannot, which is said; a pool with a wrong certificate, or one that spoke TLS before, is never spoken
to in plain; and a user may stand in a URL, from which it is taken before anybody sees it.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool.certificates import Certificates  # noqa: E402
from pearl_pool.miner import Miner  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402


def bare(pool):
    return f"127.0.0.1:{pool.port}"


def a_plain_pool_is_found():
    with PearlPool("suprnova", difficulty=1) as pool, Miner(bare(pool)) as miner:
        miner.expect("accepted (1/", seconds=90)
        said = miner.stop()
        assert "the pool does not speak TLS" in said and "spoken to without TLS" in said, said
        with Miner(bare(pool), "--dry-run") as miner:
            assert ": ok, " in miner.end(0)


def tls_is_found_and_kept(certificates):
    keys = certificates.signed("pool")
    with PearlPool("suprnova", difficulty=1, tls=keys) as pool:
        with Miner(bare(pool), "--ca-file", certificates.ca) as miner:
            miner.expect("accepted (1/")
            pool.tls = None  # from now on somebody else answers there, in plain
            pool.hang_up()
            miner.expect("again in 2 s")
            assert not any(session.is_greeted for session in list(pool.sessions))
            said = miner.stop()
        assert said.count("logged in to") == 1, said
        assert "the pool speaks TLS" in said and "does not speak TLS" not in said, said


def a_wrong_certificate_is_no_lack_of_tls(certificates):
    with PearlPool("suprnova", difficulty=1, tls=certificates.self_signed("stranger")) as pool:
        with Miner(bare(pool), "--ca-file", certificates.ca) as miner:
            miner.expect("again in 2 s")
            said = miner.stop()
        assert "does not speak TLS" not in said and "certificate" in said, said
        assert not pool.sessions and not pool.shares


def main():
    a_plain_pool_is_found()
    with tempfile.TemporaryDirectory(prefix="minerva-bare-") as folder:
        certificates = Certificates(folder)
        tls_is_found_and_kept(certificates)
        a_wrong_certificate_is_no_lack_of_tls(certificates)


main()
