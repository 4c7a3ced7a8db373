/*
 * share_credit.c - what a share is worth: settled, void, or surplus.
 *
 * No clocks, no sockets: arithmetic and the store, so that it can be tested to the last
 * hash.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>

#include "pool/shares.h"

bool worker_is_new(const struct stored_worker *worker)
{
    return worker->audited < TRUST_SHARES || worker->results < TRUST_RESULTS;
}

bool worker_is_drawn(const struct pool *pool, const struct stored_worker *worker)
{
    return worker_is_new(worker) || pool_chance() < pool->options.audit;
}

uint64_t shares_until_settled(double audit)
{
    /* 3 / 0.05 is a hair above 60 in binary: a thousandth of a share does not count. */
    return audit > 0 ? (uint64_t)ceil(SETTLE_NUMERATOR / audit - 0.001) : 0;
}

bool share_is_credited(double credited, double delivered, double cost)
{
    return credited + cost <= delivered + 4 * sqrt(delivered * cost) + cost;
}

static enum status share_settle(struct pool *pool, struct stored_worker *worker,
                                const struct stored_share *share, struct error *err)
{
    /* Only what came out of tasks is bounded by the tasks' size. */
    const bool is_credited =
        !share->lease ||
        share_is_credited(worker->credited, worker->delivered, share->cost);
    enum status status = store_share_mark(
        pool->store, share->id, is_credited ? SHARE_SETTLED : SHARE_SURPLUS, err);

    if (!status && is_credited)
        status = store_total_add(pool->store, "credited", share->cost, err);
    if (!status && !is_credited)
        status = store_total_add(pool->store, "surplus", 1, err);
    if (!status && is_credited && share->lease)
        worker->credited += share->cost;
    return status;
}

enum status shares_settle(struct pool *pool, struct stored_worker *worker,
                          struct error *err)
{
    const uint64_t further = shares_until_settled(pool->options.audit);
    struct stored_share share;
    enum status status = STATUS_OK;

    if (worker->shares < further)
        return STATUS_OK;
    while (!status) {
        status = store_share_ripe(pool->store, worker->id, worker->shares - further,
                                  &share, err);
        if (!status)
            status = share_settle(pool, worker, &share, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status shares_fault(struct pool *pool, struct stored_worker *worker,
                         struct error *err)
{
    uint64_t voided;
    enum status status = store_share_void(pool->store, worker->id, 0, &voided, err);

    worker->audited = worker->results = 0;
    if (!status && voided)
        status = store_total_add(pool->store, "voided", (double)voided, err);
    return status ? status : store_worker_set(pool->store, worker, err);
}
