#!/usr/bin/env python3
"""Claim: an honest worker's shares and result are taken and counted, and every dishonest one is refused
with its code, in the order of the specification, with nothing lost on the way.

labels: tsan slow
"""
import json
import os
import resource
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import Pool, Work, Worker, TASK, blake3, main, share_of, until

SMALL = ["--share-macs", str(1 << 21), "--no-vardiff"]
SHAPE = {"m": 256, "n": 256, "k": 1024}


def begin(pool, worker, seed=7):
    """Assigned and accepted: the assignment and the newest job."""
    pool.add(dict(TASK, params=dict(SHAPE, seed=seed)))
    assign = worker.push("task.assign")
    assert worker.call("task.accept", {"task_id": assign["task_id"]})["result"] is True
    return assign


def honest():
    assert blake3(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert blake3(b"a" * 3000) != blake3(b"a" * 2999)
    with Pool(*SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker)
        assert (assign["kind"], assign["model"], assign["rows"]) == ("matmul", "", 4096), assign
        assert assign["work_units"] == 256 * 256 * 1024
        work = Work(assign, job)
        assert len(work.proofs) > 4, len(work.proofs)
        for i in range(5):
            reply = worker.call("mining.submit", work.share(i))
            assert reply["result"] is True, reply
        verdict = worker.call("task.result", work.result())
        assert verdict["result"]["status"] == "accepted", verdict
        # Said twice is answered as the first time, and shares are taken for a while yet.
        assert worker.call("task.result", work.result())["result"]["status"] == "accepted"
        if len(work.proofs) > 5:
            assert worker.code("mining.submit", work.share(5)) is None
        state = pool.get("/v1/tasks/" + assign["task_id"])
        assert (state["state"], state["done"], state["total"]) == ("done", 1, 1), state
        status, headers, data = pool.request("GET", "/v1/tasks/%s/result" % assign["task_id"])
        assert (status, data) == (200, work.output)
        assert headers["X-Pouw-Hash"] == work.result()["result"]
        assert headers["X-Pouw-Worker"] == "w.rig" and headers["X-Pouw-Checked"] == "pool", headers
        shares = pool.shares()
        assert shares["accepted"] == min(6, len(work.proofs)) and shares["unassigned"] == 0, shares
        assert pool.get("/v1/status")["usefulness"] == 0  # generated matrices are of no use


def codes():
    with Pool(*SMALL) as pool:
        stranger = Worker(pool, authorise=False)
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker)
        work = Work(assign, job)
        good = work.share(0)

        def expect(code, params, who=worker):
            got = who.code("mining.submit", params)
            assert got == code, (got, code)

        expect(27, good, stranger)
        expect(21, dict(good, job_id="00000000-0"))
        expect(21, dict(good, job_id="00000000-0", plain_proof="!"))  # the job is looked at first
        expect(26, dict(good, plain_proof="!"))
        expect(26, {"job_id": job["job_id"]})
        expect(26, {"plain_proof": "AAAA"})
        expect(26, dict(good, plain_proof="AAAA"))
        expect(28, share_of(work.proofs[0], job))  # this pool takes none without a task
        expect(28, dict(good, task_id="0" * 32))
        expect(28, dict(good, site={"pack": 1, "product": 0}))
        expect(28, dict(good, site={"pack": 0, "product": 1}))
        expect(28, dict(good, site={"pack": 0, "product": 0, "pass": 1}))
        broken = bytearray(work.proofs[0])
        broken[100] ^= 1  # in an opened chunk: another root
        expect(26, work.share(0) | share_of(bytes(broken), job, assign["task_id"]))
        expect(None, good)
        expect(22, good)
        expect(22, dict(good, site={"pack": 9, "product": 0}))  # the bytes are looked at first
        old = share_of(work.proofs[0][:-1], job, assign["task_id"])
        expect(22, old)  # the same ticket in the older encoding
        # Another worker: not its job, not its lease.
        other = Worker(pool, worker="other")
        expect(21, work.share(1), other)
        rejected = pool.shares()["rejected"]
        assert rejected == {"22": 3, "26": 5, "27": 1, "28": 5}, rejected
        assert pool.shares()["stale"] == 3 and pool.shares()["accepted"] == 1


def weights():
    """A product of other matrices: 29, and with the third the lease is gone."""
    with Pool(*SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker, seed=7)
        mine = Work(assign, job)
        assert worker.code("mining.submit", mine.share(0)) is None
        other = Work(dict(assign, params=dict(assign["params"], seed=1000)), job)
        for i in range(3):
            assert worker.code("mining.submit", other.share(i)) == 29
        assert worker.push("task.cancel")["task_id"] == assign["task_id"]
        assert worker.code("mining.submit", mine.share(1)) == 28
        shares = pool.shares()
        assert shares["voided"] == 1 and shares["rejected"]["29"] == 3, shares
        verdict = worker.call("task.result", mine.result())["result"]
        assert (verdict["status"], verdict["reason"]) == ("rejected", "lease lost"), verdict
        assert pool.state(assign["task_id"]) == "queued"
        # Never the same worker, even when it comes back: another one gets it.
        worker.close()
        again = Worker(pool)
        other = Worker(pool, worker="other")
        assert other.push("task.assign")["task_id"] == assign["task_id"]
        assert again.call("mining.ping", {})["result"] is True
        assert not [p for p in again.pushes if p["method"] == "task.assign"]


def results():
    with Pool(*SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker)
        work = Work(assign, job)
        assert worker.code("mining.submit", work.share(0)) is None
        wrong = bytearray(work.output)
        wrong[-1] ^= 1
        verdict = worker.call("task.result", work.result(bytes(wrong)))["result"]
        assert verdict["status"] == "rejected" and "differs" in verdict["reason"], verdict
        again = worker.call("task.result", work.result())["result"]
        assert again == verdict, again  # as the first time
        assert pool.shares()["voided"] == 1
        assert pool.state(assign["task_id"]) == "queued"
        assert worker.code("mining.submit", work.share(1)) == 28
        # Another worker does it right.
        honest = Worker(pool, worker="honest")
        assign = honest.push("task.assign")
        assert honest.code("task.accept", {"task_id": assign["task_id"]}) is None
        lie = honest.call("task.result", dict(work.result(), result="0" * 64))["result"]
        assert lie["status"] == "rejected" and "hash" in lie["reason"], lie
        third = Worker(pool, worker="third")
        assert third.push("task.assign")["task_id"] == assign["task_id"]
        assert third.code("task.accept", {"task_id": assign["task_id"]}) is None
        assert third.call("task.result", work.result())["result"]["status"] == "accepted"
        assert pool.state(assign["task_id"]) == "done"


def unassigned():
    """A plain worker, no task: taken where the job says so, counted apart."""
    with Pool("--unassigned", *SMALL) as pool:
        worker = Worker(pool, authorise=False)
        reply = worker.call("mining.authorize", {"wallet": "prl1pexample", "worker": "rig", "pass": "x"})
        assert reply == {"id": 1, "result": True, "error": None}, reply
        job = worker.push("mining.notify")
        work = Work({"task_id": "", "params": dict(SHAPE, seed=3)}, job)
        assert worker.code("mining.submit", share_of(work.proofs[0], job)) is None
        shares = pool.shares()
        assert shares["accepted"] == shares["unassigned"] == 1, shares
        assert worker.code("mining.submit", share_of(work.proofs[0], job)) == 22


def low():
    """Under a higher price the same proof is too little (23); another session's header is not its own."""
    with Pool("--unassigned", "--no-vardiff", "--share-macs", str(1 << 40)) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        easy = dict(job, target="%064x" % (2 ** 256 // (1 << 21)))
        work = Work({"task_id": "", "params": dict(SHAPE, seed=3)}, easy)
        assert worker.code("mining.submit", share_of(work.proofs[0], job)) == 23
        other = Worker(pool, worker="other")
        theirs = other.push("mining.notify")
        assert theirs["header"] != job["header"]
        assert other.code("mining.submit", share_of(work.proofs[0], theirs)) == 26


def ranks():
    """The rank is the smallest that the job allows; another is 28."""
    with Pool("--unassigned", *SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assert job["min_rank"] == 64, job
        shape = {"m": 256, "n": 256, "k": 2048, "seed": 3}
        work = Work({"task_id": "", "params": shape}, dict(job, min_rank=128))
        assert worker.code("mining.submit", share_of(work.proofs[0], job)) == 28


def vardiff():
    """Shares that come too fast make the next job dearer, under a new header."""
    with Pool("--unassigned", "--share-macs", str(1 << 21)) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assert int(job["target"], 16) == 2 ** 256 // (1 << 21), job
        work = Work({"task_id": "", "params": dict(SHAPE, m=512, seed=3)}, job)
        for proof in work.proofs[:10]:
            assert worker.code("mining.submit", share_of(proof, job)) is None
        dearer = worker.push("mining.notify")
        assert int(dearer["target"], 16) < int(job["target"], 16) // 4
        assert dearer["header"] != job["header"] and dearer["job_id"] != job["job_id"]
        # What was found under the old job is still taken.
        assert worker.code("mining.submit", share_of(work.proofs[10], job)) is None


def jobs():
    """The last eight jobs of a session are valid, the ninth is stale; no two share a header."""
    with Pool("--unassigned", *SMALL) as pool:
        worker = Worker(pool)
        seen = [worker.push("mining.notify")]
        for _ in range(8):
            worker = Worker(pool, session=worker.welcome["session"])
            seen.append(worker.push("mining.notify"))
        assert len({job["header"] for job in seen}) == 9
        for job in (seen[1], seen[8]):
            work = Work({"task_id": "", "params": dict(SHAPE, seed=3)}, job)
            assert worker.code("mining.submit", share_of(work.proofs[0], job)) is None
        assert worker.code("mining.submit", share_of(work.proofs[0], seen[0])) == 21


def long_shape(job):
    """Of a product that takes this build, however instrumented, about half a second: it can be caught."""
    shape = {"m": 128, "n": 4096, "k": 4096, "seed": 7}
    begin = time.monotonic()
    Work({"task_id": "", "params": shape}, job)
    spent = time.monotonic() - begin
    return dict(shape, m=max(128, min(3072, int(0.5 / spent) * 128)))


def checks():
    """kill -9, or a clean stop, while a result is being checked: the next start checks it, whoever brought
    it is gone."""
    for end in ("kill", "stop"):
        with Pool(*SMALL) as pool:
            worker = Worker(pool)
            job = dict(worker.push("mining.notify"), target="0" * 63 + "1")  # no proofs wanted
            pool.add(dict(TASK, params=long_shape(job)))
            assign = worker.push("task.assign")
            assert worker.call("task.accept", {"task_id": assign["task_id"]})["result"] is True
            work = Work(assign, job)
            worker.send("task.result", work.result())
            until(lambda: pool.state(assign["task_id"]) != "leased")
            caught = pool.state(assign["task_id"]) == "checking"
            if end == "kill":
                pool.kill()
            else:
                assert pool.stop() == 0
            pool.start()
            until(lambda: pool.state(assign["task_id"]) == "done", 100)
            status, headers, data = pool.request("GET", "/v1/tasks/%s/result" % assign["task_id"])
            assert (status, headers["X-Pouw-Checked"], data) == (200, "pool", work.output)
            again = Worker(pool, session=worker.welcome["session"])
            assert again.call("task.result", work.result())["result"]["status"] == "accepted"
            print(end, "while checking" if caught else "after the check")


def full_disk():
    """No room for the database: 20 and 503 with a sentence, nothing half done; with room it goes on."""
    with Pool(*SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker)
        work = Work(assign, job)
        assert worker.code("mining.submit", work.share(0)) is None
        before = pool.shares()
        resource.prlimit(pool.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        reply = worker.call("mining.submit", work.share(1))
        assert reply["error"]["code"] == 20 and reply["error"]["msg"], reply
        status, _, data = pool.request("POST", "/v1/tasks", TASK)
        assert status == 503 and json.loads(data)["error"], (status, data)
        ended = pool.process.poll()
        resource.prlimit(pool.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        try:
            code = pool.process.wait(timeout=1.5)  # it may say that it cannot go on
            assert code == 1, code
            pool.start()
        except subprocess.TimeoutExpired:
            pass
        assert ended in (None, 1)
        assert pool.shares()["accepted"] == before["accepted"] == 1
        assert pool.state(assign["task_id"]) == "leased"
        back = Worker(pool, session=worker.welcome["session"])
        assert back.call("task.result", work.result())["result"]["status"] == "accepted"


def killed():
    """kill -9 among verdicts: every share that was answered true is there afterwards, once."""
    with Pool("--unassigned", *SMALL) as pool:
        told, sent = 0, 0
        for answers in (1, 6, 13):
            worker = Worker(pool)
            job = worker.push("mining.notify")
            work = Work({"task_id": "", "params": dict(SHAPE, seed=answers)}, job)
            numbers = [worker.send("mining.submit", share_of(proof, job)) for proof in work.proofs[:18]]
            sent += len(numbers)
            for number in numbers[:answers]:
                assert worker.reply(number)["result"] is True
            pool.kill()
            told += answers
            try:
                for number in numbers[answers:]:  # what was on its way when it died
                    told += worker.reply(number)["result"] is True
            except OSError:
                pass
            pool.start()
            kept = pool.shares()["accepted"]
            assert told <= kept <= sent, (told, kept, sent)
            told = kept  # verdicts that were stored and could not be said any more


def restart():
    """kill -9 between verdicts: shares stay accepted, leases stay held, the result is taken."""
    with Pool(*SMALL) as pool:
        worker = Worker(pool)
        job = worker.push("mining.notify")
        assign = begin(pool, worker)
        work = Work(assign, job)
        for i in range(3):
            assert worker.code("mining.submit", work.share(i)) is None
        before = pool.shares()
        session = worker.welcome["session"]
        pool.kill()
        pool.start()
        assert pool.shares() == before, (pool.shares(), before)
        assert pool.state(assign["task_id"]) == "leased"
        worker = Worker(pool, session=session)
        assert worker.welcome["session"] == session
        fresh = worker.push("mining.notify")
        assert fresh["header"] != job["header"]
        assert worker.code("mining.submit", work.share(0)) == 21  # a job of the former life
        relabelled = share_of(work.proofs[0], fresh, assign["task_id"])
        assert worker.code("mining.submit", relabelled) == 22
        verdict = worker.call("task.result", work.result())["result"]
        assert verdict["status"] == "accepted", verdict
        pool.kill()
        pool.start()
        assert pool.state(assign["task_id"]) == "done"
        assert pool.request("GET", "/v1/tasks/%s/result" % assign["task_id"])[2] == work.output
        assert pool.stop() == 0


if __name__ == "__main__":
    main([honest, codes, weights, results, unassigned, low, ranks, vardiff, jobs, checks, full_disk, killed, restart])
