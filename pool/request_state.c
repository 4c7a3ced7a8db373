/*
 * request_state.c - what requesters may know: states, outputs, the pool's totals.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/clock.h"
#include "pool/requests.h"
#include "pool/sessions.h"
#include "pool/store_shares.h"

enum { OUTPUT_SIZE_MAX = 512 << 20 };

static enum http_task_state state_of(enum task_state state)
{
    switch (state) {
    case STORED_LEASED:
        return HTTP_TASK_LEASED;
    case STORED_CHECKING:
        return HTTP_TASK_CHECKING;
    case STORED_DONE:
        return HTTP_TASK_DONE;
    case STORED_FAILED:
        return HTTP_TASK_FAILED;
    default:
        return HTTP_TASK_QUEUED;
    }
}

/* A split request is what its parts are: leased when one is, checking when the last are.
 */
static enum status state_of_parts(struct pool *pool, const struct stored_task *whole,
                                  struct http_task *out, struct error *err)
{
    struct stored_task part;
    uint32_t counts[HTTP_TASK_STATE_COUNT] = {0};

    for (uint32_t i = 0; i < whole->part; i++) {
        const enum status status =
            store_task_child(pool->store, whole->id, i, &part, err);
        if (status)
            return status;
        counts[state_of(part.state)]++;
        out->done += part.done < part.items ? part.done : part.items;
    }
    if (counts[HTTP_TASK_LEASED] || (counts[HTTP_TASK_DONE] && counts[HTTP_TASK_QUEUED]))
        out->state = HTTP_TASK_LEASED;
    else if (counts[HTTP_TASK_QUEUED])
        out->state = HTTP_TASK_QUEUED;
    else
        out->state = HTTP_TASK_CHECKING;
    return STATUS_OK;
}

enum status request_state(struct pool *pool, const char *id, struct http_task *out,
                          struct error *err)
{
    struct stored_task task;

    memset(out, 0, sizeof *out);
    pool_lock(pool);
    enum status status = store_task_get(pool->store, id, &task, err);
    if (!status) {
        snprintf(out->id, sizeof out->id, "%s", task.id);
        snprintf(out->kind, sizeof out->kind, "%s", task.kind);
        snprintf(out->model, sizeof out->model, "%s", task.model);
        snprintf(out->reason, sizeof out->reason, "%s", task.reason);
        out->state = state_of(task.state);
        out->total = task.items;
        if (task.state == STORED_SPLIT)
            status = state_of_parts(pool, &task, out, err);
        else
            out->done = task.done < task.items ? task.done : task.items;
    }
    pool_unlock(pool);
    return status;
}

/* Lock held. */
static enum status output_of(struct pool *pool, const char *id,
                             struct request_output *out, struct error *err)
{
    struct stored_task task;
    struct stored_worker worker = {.id = 0};
    enum status status = store_task_get(pool->store, id, &task, err);

    if (status)
        return status;
    if (task.state == STORED_FAILED)
        return error_set(err, STATUS_CLOSED, "%s",
                         *task.reason ? task.reason : "the task failed");
    if (task.state != STORED_DONE)
        return STATUS_AGAIN;
    if (task.worker)
        status = store_worker_get(pool->store, task.worker, &worker, err);
    if (status)
        return status;
    snprintf(out->worker, sizeof out->worker, "%s%s%s", worker.wallet,
             *worker.name ? "." : "", worker.name);
    snprintf(out->result_hash, sizeof out->result_hash, "%s", task.result_hash);
    out->checked = task.checked == CHECKED_POOL ? "pool" : "none";
    return store_blob_get(pool->store, task.output_hash, &out->data, err);
}

enum status request_output(struct pool *pool, const char *id, struct request_output *out,
                           struct error *err)
{
    memset(out, 0, sizeof *out);
    out->data = blob_empty(OUTPUT_SIZE_MAX);
    pool_lock(pool);
    const enum status status = output_of(pool, id, out, err);
    pool_unlock(pool);
    return status;
}

struct totals {
    struct http_status *status;
    double hashes, useful;
};

static void total_take(void *context, const char *name, double amount)
{
    struct totals *totals = context;
    const struct {
        const char *name;
        uint64_t *place;
    } places[] = {{"accepted", &totals->status->accepted},
                  {"unassigned", &totals->status->unassigned},
                  {"stale", &totals->status->stale},
                  {"voided", &totals->status->voided},
                  {"surplus", &totals->status->surplus},
                  {"credited", &totals->status->credited}};
    uint64_t code;

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!strcmp(places[i].name, name))
            *places[i].place = (uint64_t)amount;
    }
    if (!strcmp(name, "hashes"))
        totals->hashes = amount;
    if (!strcmp(name, "useful"))
        totals->useful = amount;
    if (!strncmp(name, "rejected ", 9) && u64_parse(name + 9, HTTP_CODE_COUNT - 1, &code))
        totals->status->rejected[code] = (uint64_t)amount;
}

enum status request_status(struct pool *pool, struct http_status *out, struct error *err)
{
    struct totals totals = {.status = out};
    uint64_t counts[STORED_STATE_COUNT];

    memset(out, 0, sizeof *out);
    pool_lock(pool);
    enum status status = store_total_each(pool->store, total_take, &totals, err);
    if (!status)
        status = store_task_counts(pool->store, counts, err);
    out->workers = pool->session_count - pool->detached_count;
    out->hashes_per_s_10s = pool_rate(pool, 10);
    out->hashes_per_s_60s = pool_rate(pool, 60);
    out->hashes_per_s_15m = pool_rate(pool, RATE_SECONDS);
    pool_unlock(pool);
    if (status)
        return status;
    for (int state = 0; state < STORED_SPLIT; state++)
        out->tasks[state_of((enum task_state)state)] += counts[state];
    out->usefulness = totals.hashes > 0 ? totals.useful / totals.hashes : 0;
    return STATUS_OK;
}
