/*
 * result_store.c - what a result changes in the store.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "miner/base/clock.h"
#include "pool/result_case.h"

enum {
    CHECK_LEASE_S = 7 * 24 * 3600
}; /* a lease does not run out while its result is checked */

static enum status checking_write(struct result_case *c, struct error *err)
{
    struct store *store = c->pool->store;
    struct stored_task task;
    struct stored_lease lease;
    enum status status = store_task_get(store, c->result.task, &task, err);

    if (!status)
        status = store_lease_get(store, c->result.lease, &lease, err);
    if (status)
        return status;
    c->result.state = VERDICT_CHECKING;
    task.state = STORED_CHECKING;
    lease.until = clock_wall_s() + CHECK_LEASE_S;
    status = store_blob_put(store, c->result.output_hash, blob_bytes(&c->output), err);
    if (!status)
        status = store_result_put(store, &c->result, err);
    if (!status)
        status = store_task_set(store, &task, err);
    return status ? status : store_lease_set(store, &lease, err);
}

enum status result_store_checking(struct result_case *c, struct error *err)
{
    enum status status = store_begin(c->pool->store, STORE_MONEY, err);

    if (!status)
        status = checking_write(c, err);
    if (!status)
        return store_commit(c->pool->store, err);
    store_rollback(c->pool->store);
    return status;
}

static enum status accept_worker(struct result_case *c, struct error *err)
{
    struct stored_worker worker;
    enum status status = store_worker_get(c->pool->store, c->result.worker, &worker, err);

    if (status)
        return status;
    worker.results++;
    worker.delivered += work_hashes(c->work, c->pool->options.min_rank);
    status = shares_settle(c->pool, &worker, err);
    return status ? status : store_worker_set(c->pool->store, &worker, err);
}

static enum status accept_write(struct result_case *c, struct stored_lease *lease,
                                struct stored_task *task, struct error *err)
{
    struct store *store = c->pool->store;

    lease->state = LEASE_DELIVERED;
    lease->until = clock_wall_s();
    task->state = STORED_DONE;
    task->done = task->items;
    task->checked = c->checked;
    task->worker = c->result.worker;
    snprintf(task->output_hash, sizeof task->output_hash, "%s", c->result.output_hash);
    snprintf(task->result_hash, sizeof task->result_hash, "%s", c->result.result_hash);
    enum status status =
        store_blob_put(store, c->result.output_hash, blob_bytes(&c->output), err);
    if (!status)
        status = store_task_set(store, task, err);
    if (!status)
        status = store_lease_set(store, lease, err);
    if (!status)
        status = store_total_add(store, "results", 1, err);
    return status ? status : accept_worker(c, err);
}

static enum status reject_write(struct result_case *c, struct stored_lease *lease,
                                struct error *err)
{
    const struct lease_end how = {c->result.reason, true, true};
    struct stored_worker worker;
    enum status status = store_worker_get(c->pool->store, c->result.worker, &worker, err);

    if (!status)
        status = shares_fault(c->pool, &worker, err);
    return status ? status : tasks_lease_end(c->pool, lease, &how, err);
}

static enum status verdict_write(struct result_case *c, struct stored_task *task,
                                 struct error *err)
{
    struct store *store = c->pool->store;
    struct stored_lease lease;
    enum status status = store_task_get(store, c->result.task, task, err);

    if (!status)
        status = store_lease_get(store, c->result.lease, &lease, err);
    if (!status)
        status = store_result_put(store, &c->result, err);
    if (status)
        return status;
    return c->result.state == VERDICT_ACCEPTED ? accept_write(c, &lease, task, err)
                                               : reject_write(c, &lease, err);
}

enum status result_store(struct result_case *c, struct stored_task *task,
                         struct error *err)
{
    enum status status = store_begin(c->pool->store, STORE_MONEY, err);

    if (!status)
        status = verdict_write(c, task, err);
    if (!status)
        return store_commit(c->pool->store, err);
    store_rollback(c->pool->store);
    return status;
}
