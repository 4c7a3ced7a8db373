#!/usr/bin/env python3
"""Claim: --dry-run tries every pool and says what each gave, takes nothing and sends nothing; with
--no-submit the worker proves its shares and sends none; --log-wire records both ways, shows no
address and no password, and cuts proofs short.
"""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool.miner import Miner  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402

REFUSED, FAILED = 6, 1
WALLET, PASSWORD = "prl1pexampleexampleexampleexample", "x;d=2097152;secret"


def dry_run(pools, code):
    with Miner(pools, "--dry-run") as miner:
        return miner.end(code)


def dry_runs_tell_each_pool():
    first, second = PearlPool("suprnova", difficulty=1), PearlPool("herominers", difficulty=1)
    with first, second:
        said = dry_run([first, second], 0)
        assert re.search(r"^device +#\d+ \S+", said, re.M), said
        for pool in first, second:
            assert re.search(rf"^pool +{re.escape(pool.url)} as someone\.rig7, worker rig7, for both: ok, .* in \d+ ms; "
                             r"job of height 131072, a share costs 4\.29\de\+09 MAC$", said, re.M), said
            assert pool.connections == 1 and not pool.shares
        second.faults["reject login"] = 25
        said = dry_run([first, second], REFUSED)
        assert f"{second.url} as someone.rig7, worker rig7, for both: NO WORK: invalid wallet" in said, said
        assert re.search(rf"{re.escape(first.url)} .*: ok", said), said
        second.stop_listening()
        said = dry_run([first, second], FAILED)
        assert re.search(rf"pool {re.escape(second.url)} gives no work: .*connect", said), said


def nothing_is_submitted():
    with PearlPool("suprnova", difficulty=1) as pool, Miner(pool, "--no-submit") as miner:
        miner.expect("proved, not sent", 2)
        said = miner.stop()
        assert not pool.shares and pool.connections == 1
        assert re.search(r"shares +0 accepted, 0 stale, 0 rejected", said), said
        assert re.search(r"\d+ were proved and not sent", said), said


def the_wire_is_recorded(folder):
    path = folder + "/wire.log"
    with PearlPool("suprnova", difficulty=1) as pool:
        with Miner(pool, "--log-wire", path, "-p", PASSWORD, user=WALLET + ".rig7") as miner:
            miner.expect("accepted (1/")
            miner.stop()
        sizes = [len(share.text) for share in pool.shares]
    with open(path) as file:
        text = file.read()
    assert os.stat(path).st_mode & 0o077 == 0
    lines = text.splitlines()
    assert all(re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z pool 0 [<>] \{.*\}$", line) for line in lines), text
    assert WALLET not in text and PASSWORD not in text and "secret" not in text, text
    login = next(line for line in lines if "mining.authorize" in line)
    assert " > " in login and '"wallet":"prl1pe...ple' in login and '"pass":"..."' in login, login
    notify = next(line for line in lines if "mining.notify" in line)
    assert " < " in notify and pool.current.header.hex() in notify, notify
    submit = next(line for line in lines if "mining.submit" in line)
    assert any(f"...({size} characters)\"" in submit for size in sizes) and len(submit) < 600, submit
    assert any(" < " in line and '"result":true' in line for line in lines)


def main():
    dry_runs_tell_each_pool()
    nothing_is_submitted()
    with tempfile.TemporaryDirectory(prefix="minerva-trial-") as folder:
        the_wire_is_recorded(folder)


main()
