#!/usr/bin/env python3
"""Claim: with a thousand idle workers connected the pool holds less than 100 MB, answers each of them, and
hands a task to one of them.

labels: plain
"""
import os
import resource
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from poolkit import Pool, Worker, main

COUNT = 1000


def resident(pid):
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def thousand():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < COUNT + 200:
        print("only %d descriptors: skipped" % hard)
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with Pool() as pool:
        workers = [Worker(pool, worker="rig%d" % i) for i in range(COUNT)]
        numbers = [worker.send("mining.ping", {}) for worker in workers]
        for worker, number in zip(workers, numbers):
            assert worker.reply(number)["result"] is True
        assert pool.get("/v1/status")["workers"] == COUNT
        kilobytes = resident(pool.process.pid)
        print("%d workers, %d KB" % (COUNT, kilobytes))
        assert kilobytes < 100000, kilobytes
        task = pool.add()
        given = [worker for worker in workers if worker.call("mining.ping", {}) and
                 any(push["method"] == "task.assign" for push in worker.pushes)]
        assert len(given) == 1 and given[0].push("task.assign")["task_id"] == task
        assert given[0].code("task.accept", {"task_id": task}) is None
        assert pool.state(task) == "leased"


if __name__ == "__main__":
    main([thousand])
