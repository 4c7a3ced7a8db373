#!/usr/bin/env python3
"""Claim: a task is always with one worker or in the queue: offers and leases end as the specification says,
nobody gets a task again that it lost, and a restart forgets neither leases nor tasks.

labels: tsan slow
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import Pool, Work, Worker, main, until


def accept(worker):
    assign = worker.push("task.assign")
    assert worker.code("task.accept", {"task_id": assign["task_id"]}) is None
    return assign


def nothing(worker):
    """No assignment lies in the line: the answer to a ping comes first."""
    assert worker.call("mining.ping", {})["result"] is True
    return not [p for p in worker.pushes if p["method"] == "task.assign"]


def slots():
    """No slot, no kind, no task; otherwise as many as there are slots, the oldest first."""
    with Pool() as pool:
        none, other = Worker(pool, worker="none", slots=0), Worker(pool, worker="other", tasks=["embed", "unheard"])
        tasks = [pool.add() for _ in range(3)]
        assert nothing(none) and nothing(other)
        two = Worker(pool, worker="two", slots=2)
        assert [two.push("task.assign")["task_id"] for _ in range(2)] == tasks[:2]
        assert nothing(two)
        one = Worker(pool, worker="one")
        assert one.push("task.assign")["task_id"] == tasks[2]
        # Gone without having said yes: the next one has it at once.
        one.close()
        again = Worker(pool, worker="again")
        assert again.push("task.assign")["task_id"] == tasks[2]


def decline():
    with Pool() as pool:
        first = Worker(pool, worker="first")
        task = pool.add()
        assert first.push("task.assign")["task_id"] == task
        assert first.code("task.decline", {"task_id": task, "reason": "no memory"}) is None
        assert nothing(first)
        second = Worker(pool, worker="second")
        accept(second)
        assert pool.state(task) == "leased"
        # Handed back after yes; another session of the same worker may have it again.
        assert second.code("task.decline", {"task_id": task, "reason": "stopping"}) is None
        assert nothing(second) and pool.state(task) == "queued"
        assert second.code("task.progress", {"task_id": task, "done": 1, "total": 2}) == 28
        second.close()
        accept(Worker(pool, worker="second"))


def one_lease():
    """Two workers, one lease: what the other says about the task is 28 or rejected."""
    with Pool("--no-vardiff", "--share-macs", str(1 << 21)) as pool:
        mine, thief = Worker(pool, worker="mine"), Worker(pool, worker="thief", slots=0)
        job = thief.push("mining.notify")
        task = pool.add()
        assign = accept(mine)
        work = Work(assign, job)
        assert thief.code("task.accept", {"task_id": task}) == 28
        assert thief.code("task.progress", {"task_id": task, "done": 1, "total": 1}) == 28
        assert thief.code("task.decline", {"task_id": task, "reason": "mine"}) == 28
        assert thief.code("mining.submit", work.share(0)) == 28
        verdict = thief.call("task.result", work.result())["result"]
        assert (verdict["status"], verdict["reason"]) == ("rejected", "lease lost"), verdict
        assert mine.call("task.result", work.result())["result"]["status"] == "accepted"
        assert pool.shares()["voided"] == 0


def expiry():
    """The lease runs out: cancelled, given to another, never again to the same, late results are refused."""
    with Pool("--lease", "1", "--no-vardiff", "--share-macs", str(1 << 21)) as pool:
        slow = Worker(pool, worker="slow")
        task = pool.add()
        job = slow.push("mining.notify")
        work = Work(accept(slow), job)
        other = Worker(pool, worker="other")
        assert slow.push("task.cancel")["task_id"] == task
        assert other.push("task.assign")["task_id"] == task
        assert slow.code("mining.submit", work.share(0)) == 28
        verdict = slow.call("task.result", work.result())["result"]
        assert (verdict["status"], verdict["reason"]) == ("rejected", "lease lost"), verdict
        other.close()
        assert nothing(slow) and pool.state(task) == "queued"
        back = Worker(pool, worker="slow")
        assert nothing(back)
        third = Worker(pool, worker="third")
        accept(third)
        assert third.call("task.result", work.result())["result"]["status"] == "accepted"


def progress():
    """Progress renews while done grows; repeating the same number does not."""
    with Pool("--lease", "2") as pool:
        worker = Worker(pool)
        task = pool.add()
        accept(worker)
        begin = time.monotonic()
        for done in range(1, 8):
            assert worker.code("task.progress", {"task_id": task, "done": done, "total": 100}) is None
            time.sleep(0.5)
        assert time.monotonic() - begin > 3 and pool.state(task) == "leased"
        while worker.code("task.progress", {"task_id": task, "done": 7, "total": 100}) is None:
            assert time.monotonic() - begin < 20
            time.sleep(0.1)
        assert worker.push("task.cancel")["task_id"] == task


def restart():
    """kill -9: queued tasks are queued, offers are queued again, leases are kept by their session."""
    with Pool() as pool:
        holder, offered = Worker(pool, worker="holder"), None
        tasks = [pool.add() for _ in range(3)]
        accept(holder)
        offered = Worker(pool, worker="offered")
        assert offered.push("task.assign")["task_id"] == tasks[1]
        pool.kill()
        pool.start()
        assert [pool.state(t) for t in tasks] == ["leased", "queued", "queued"]
        back = Worker(pool, worker="holder", session=holder.welcome["session"])
        assert back.code("task.progress", {"task_id": tasks[0], "done": 1, "total": 2}) is None
        assert nothing(back)
        stranger = Worker(pool, worker="stranger")
        assert stranger.push("task.assign")["task_id"] == tasks[1]
        assert stranger.code("task.progress", {"task_id": tasks[0], "done": 2, "total": 2}) == 28
        assert pool.stop() == 0


def locked():
    """Somebody else locks the database: the caller hears it, nothing is lost, and it goes on afterwards."""
    import json
    import sqlite3
    with Pool() as pool:
        worker = Worker(pool)
        task = pool.add()
        assert worker.push("task.assign")["task_id"] == task
        lock = sqlite3.connect(pool.database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        reply = worker.call("task.accept", {"task_id": task})
        assert reply["error"]["code"] == 20 and "locked" in reply["error"]["msg"], reply
        status, _, data = pool.request("POST", "/v1/tasks", {"kind": "matmul", "model": "", "params": {
            "m": 64, "n": 64, "k": 1024, "seed": 1}})
        assert status == 503 and "locked" in json.loads(data)["error"], (status, data)
        lock.execute("ROLLBACK")
        assert worker.code("task.accept", {"task_id": task}) is None
        assert pool.state(task) == "leased"


if __name__ == "__main__":
    main([slots, decline, one_lease, expiry, progress, restart, locked])
