#!/usr/bin/env python3
"""Claim: a line that is no JSON, or a job whose fields do not decode, is said and dropped: the
connection stays, and so does the job in force. A job that decodes and cannot be worked on ends the
one before it, with a sentence. Nothing that can be read in good faith is refused.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from pearl_pool import cases, spoil  # noqa: E402
from pearl_pool.pool import PearlPool  # noqa: E402
from pearl_pool.puppet import Puppet  # noqa: E402

JOB = ("job_id", "header", "target", "height", "cert_version")
# What is no fault: it is taken as a job.
FINE = {("id", "number"), ("id", "negative"), ("id", "text"), ("id", "empty"), ("id", "null"), ("id", "absent"),
        ("job_id", "text"), ("height", "number"), ("height", "null"), ("height", "absent"),
        ("cert_version", "null"), ("cert_version", "absent"),
        (0, "text"), (1, "any"), (3, "number"), (4, "any"), (6, "true"), (6, "absent"), (6, "null"), (6, "twice")}
# Another method is none of ours; version 17 ends the job, and has its own case below.
PASSED_OVER = {("method", "text"), ("cert_version", "number")}
NO_JSON = r"no JSON"


def joined(pool):
    puppet = Puppet(pool, hurry=1000, strict=1)  # no limit is wanted here, and every word is to be told
    puppet.joins(pool.current)
    return puppet


def spoilt(pool, puppet, job, path, way):
    """Says the job with that member spoilt: whether it was one after all."""
    pool.faults["notify"] = lambda message: spoil.ways(message, path)[way]
    pool.say(job)
    del pool.faults["notify"]
    mark = len(puppet.said("notice"))
    return mark


def members_of_a_job(name, paths):
    with PearlPool(name, verifies=False) as pool, joined(pool) as puppet:
        for path in paths:
            member = path[-1]
            for way in (*spoil.OTHERS, "absent", "twice"):
                if (member, way) in PASSED_OVER:
                    continue
                before = puppet.mines()
                old = pool.current
                spoilt(pool, puppet, pool.problem.new_time(), path, way)
                if (member, way) in FINE or (member, "any") in FINE and way not in ("absent", "twice"):
                    pool.say(pool.problem.new_time())
                    puppet.expect("job", job=pool.current.job_id)
                    continue
                news = puppet.expect("notice")
                told = member if member == "id" else "method" if member == "method" else "mining.notify"
                assert re.search(rf"{told}|{NO_JSON}|neither method", news.text), (member, way, news)
                assert puppet.mines() == before, (member, way, news)
                pool.current = old
        assert not puppet.said("lost"), puppet.said("lost")
        assert puppet.verdict(puppet.share(_again(pool, puppet))).verdict == "accepted"


def members_of_a_shape(member):
    """A shape that cannot be read is dropped; the next job is of the one before."""
    fine = {("m", "number"), ("n", "number"), ("mma_type", "null"), ("mma_type", "absent")}
    with PearlPool("alphapool_v1", verifies=False) as pool, joined(pool) as puppet:
        for way in (w for w in (*spoil.OTHERS, "absent", "twice") if (member, w) not in fine):
            pool.faults["shape"] = lambda message: spoil.ways(message, ("params", 0, member))[way]
            pool.say(pool.problem.new_time())
            puppet.expect("notice", rf"{member}|{NO_JSON}")
            puppet.expect("job", job=pool.current.job_id)
        assert not puppet.said("lost"), puppet.said("lost")


def members_of_a_template(member):
    """The gateway's answer, spoilt: the template before it stays. (A line that is no JSON answers nothing,
    and what is not answered is overdue: that is another case.)"""
    ends = {("cert_version", "number"), ("cert_version", "null"), ("cert_version", "absent")}
    with PearlPool("gateway", verifies=False) as pool, Puppet(pool) as puppet:
        before = puppet.expect("job").job
        for way in ("number", "negative", "real", "text", "empty", "long", "true", "list", "object", "absent", "null"):
            if (member, way) in ends:
                continue
            pool.faults["info"] = lambda message: spoil.ways(message, ("result", member))[way]
            puppet.expect("notice", member)
            del pool.faults["info"]
            assert puppet.mines() == before, way
        assert not puppet.said("lost"), puppet.said("lost")


def lines_that_are_nothing():
    """More of them than a pool sends in a year: it is not left."""
    lines = [b"no", b"{", b"[]", b"17", b'""', b"{}", b'{"id":1}', b"\xff\xfe\x00", b"[" * 5000, b'{"a":' * 5000,
             b'{"id":null,"method":"mining.notify"}', b"x" * 100000, b'{"id":null,"result":true}{"id":1}']
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        job = pool.current
        for line in lines:
            pool.say_bytes(line + b"\n")
            puppet.expect("notice")
        pool.say_bytes(b"\n\r\n\n" + b'{"id":null,"method":"client.show_message","params":["hi"]}\r\n')
        for _ in range(150):
            pool.say_bytes(b"no\n")
        assert puppet.verdict(puppet.share(job)).verdict == "accepted"
        assert puppet.mines() == job.job_id and not puppet.said("lost"), puppet.said("lost")


def changed(**members):
    """A fault: these members of the job are others."""
    def spoil_job(message):
        return {**message, "params": {**message["params"], **members}}
    return spoil_job


def job_is(what, members, kind, pattern):
    """kind: kept (dropped, the job before stays), ended (none stays), taken."""
    with PearlPool("suprnova", verifies=False) as pool, joined(pool) as puppet:
        old = pool.current
        pool.faults["notify"] = changed(**members)
        new = pool.say(pool.problem.new_time())
        pool.faults.clear()
        if kind == "taken":
            puppet.expect("job", job=new.job_id)
            assert puppet.verdict(puppet.share(new)).verdict == "accepted"
        elif kind == "kept":
            puppet.expect("notice", pattern)
            assert puppet.mines() == old.job_id and puppet.verdict(puppet.share(old)).verdict == "accepted"
        else:
            puppet.expect("notice" if kind == "ended" else "too new", pattern)
            assert puppet.mines() == ""
            assert puppet.verdict(puppet.share(old)).verdict == "stale" and not pool.shares
            if kind == "ended":
                assert not puppet.said("lost")
                assert puppet.verdict(puppet.share(_again(pool, puppet))).verdict == "accepted"
            else:
                puppet.expect("lost", r"version")  # it may come to its senses
                puppet.joins(new)


def _again(pool, puppet):
    job = pool.say(pool.problem.new_time())
    puppet.expect("job", job=job.job_id)
    return job


HEADER = "00000020" + "ab" * 64 + "d2c1b06a" + "2f310518"
TARGETS = [
    ("taken", "0x" + "00" * 4 + "0a" * 28, ""), ("taken", "FFFF" + "0" * 40, ""), ("taken", "1", ""),
    ("taken", "7" * 58, ""),
    ("kept", "0", r"target"), ("ended", "f" * 64, r"does not fit 256 bits"),
    ("kept", "1" * 65, r"target"), ("kept", "0x", r"target"), ("kept", "-1", r"target"), ("kept", "", r"target"),
]
cases.run([
    *((members_of_a_job, "suprnova", [path]) for path in
      [("id",), ("method",), ("params",), *(("params", name) for name in JOB)]),
    *((members_of_a_job, "alphapool_v1", [path]) for path in [("method",), ("params",), ("params", 0), ("params", 2)]),
    *((members_of_a_shape, name) for name in ("m", "n", "k", "rank", "rows_pattern", "cols_pattern", "mma_type")),
    *((members_of_a_template, name) for name in ("incomplete_header_bytes", "target", "cert_version")),
    lines_that_are_nothing,
    (job_is, "header of 80 bytes", {"header": HEADER + "00000000"}, "kept", r"header .*152 hex digits"),
    (job_is, "header of 75 bytes", {"header": HEADER[2:]}, "kept", r"header .*152 hex digits"),
    (job_is, "header in capitals", {"header": HEADER.upper()}, "taken", ""),
    (job_is, "header of both", {"header": HEADER[:40].upper() + HEADER[40:]}, "taken", ""),
    (job_is, "header with a letter too many", {"header": "g" + HEADER[1:]}, "kept", r"header"),
    *((job_is, f"target {text[:8]}", {"target": text}, kind, pattern) for kind, text, pattern in TARGETS),
    (job_is, "version 1", {"cert_version": 1}, "taken", ""),
    (job_is, "version 2", {"cert_version": 2}, "taken", ""),
    (job_is, "version 0", {"cert_version": 0}, "ended", r"certificate version 0"),
    (job_is, "version 4", {"cert_version": 4}, "too new", r"certificate version 4"),
    (job_is, "a height before version 3", {"cert_version": None, "height": 98999}, "ended", r"certificate version"),
    (job_is, "a height of version 3", {"cert_version": None, "height": 99000}, "taken", ""),
])
