/*
 * tasks.c - offers, leases, and their ends.
 *
 * An offer lives in memory only: a restart puts the task back.  A lease is in the store
 * from the moment its worker said yes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/tasks.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "pool-protocol/message_task.h"
#include "pool/store_shares.h"
#include "pool/works.h"

enum { ASSIGN_LINE_MAX = 1 << 20, SKIP_MAX = SESSION_DECLINED * (TASK_ID_SIZE + 1) + 1 };

/* Sets the state of a task in a transaction of its own. */
static enum status task_save(struct pool *pool, const struct stored_task *task,
                             struct error *err)
{
    enum status status = store_begin(pool->store, STORE_NOTE, err);

    if (!status)
        status = store_task_set(pool->store, task, err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

static void offer_forget(struct session *session, uint32_t index)
{
    assert(index < session->offer_count);
    session->offers[index] = session->offers[--session->offer_count];
}

static struct session_offer *offer_find(struct session *session, const char *task)
{
    for (uint32_t i = 0; i < session->offer_count; i++) {
        if (!strcmp(session->offers[i].task, task))
            return &session->offers[i];
    }
    return NULL;
}

static void session_declines(struct session *session, const char *task)
{
    snprintf(session->declined[session->declined_next++ % SESSION_DECLINED],
             TASK_ID_SIZE + 1, "%s", task);
}

void tasks_cancel(struct pool *pool, const char *name, const char *task)
{
    const struct session *session = session_find(pool, name);
    struct blob line = blob_empty(4096);

    if (session && session->connection && !message_cancel_encode(task, &line))
        connection_send(session->connection, blob_bytes(&line));
    blob_free(&line);
}

/* An offer ends without a yes: the task is queued again. */
static void offer_return(struct pool *pool, struct session *session, uint32_t index)
{
    struct stored_task task;
    struct error err = {0};
    enum status status =
        store_task_get(pool->store, session->offers[index].task, &task, &err);

    if (!status && task.state == STORED_OFFERED) {
        task.state = STORED_QUEUED;
        status = task_save(pool, &task, &err);
    }
    if (status) {
        pool_store_failed(pool, status, &err);
        pool->has_orphans = true; /* it stays offered in the store until the next tick */
    }
    offer_forget(session, index);
}

void tasks_withdraw(struct pool *pool, struct session *session)
{
    while (session->offer_count)
        offer_return(pool, session, session->offer_count - 1);
}

static bool task_is_offered(struct pool *pool, const char *task)
{
    for (struct session *s = pool->sessions; s; s = s->next) {
        if (offer_find(s, task))
            return true;
    }
    return false;
}

void tasks_orphans(struct pool *pool)
{
    struct stored_task task = {.id = ""};
    struct error err = {0};
    enum status status = STATUS_OK;

    if (!pool->has_orphans)
        return;
    while (!status) {
        status = store_task_walk(pool->store, STORED_OFFERED, task.id, &task, &err);
        if (status || task_is_offered(pool, task.id))
            continue;
        task.state = STORED_QUEUED;
        status = task_save(pool, &task, &err);
    }
    if (status != STATUS_NOT_FOUND) {
        pool_store_failed(pool, status, &err);
        return;
    }
    pool->has_orphans = false;
    tasks_assign_all(pool);
}

void tasks_offers_due(struct pool *pool, struct session *session, uint64_t now_ms)
{
    bool is_changed = false;

    for (uint32_t i = session->offer_count; i-- > 0;) {
        if (session->offers[i].until_ms > now_ms)
            continue;
        session_declines(session, session->offers[i].task);
        tasks_cancel(pool, session->id, session->offers[i].task);
        offer_return(pool, session, i);
        is_changed = true;
    }
    if (is_changed)
        tasks_assign_all(pool);
}

static enum status task_announce(struct pool *pool, struct session *session,
                                 const struct stored_task *task, struct error *err)
{
    struct blob line = blob_empty(ASSIGN_LINE_MAX);
    struct work *work;
    enum status status = work_take(pool, task, &work, err);

    if (status)
        return status;
    struct assignment assignment = work->assignment; /* lent, not owned */
    if (assignment.input.size > TASK_INLINE_MAX)
        assignment.input = blob_empty(0);
    status = message_assign_encode(&assignment, &line);
    if (!status)
        connection_send(session->connection, blob_bytes(&line));
    else
        error_set(err, status, "the assignment could not be written: %s",
                  status_text(status));
    blob_free(&line);
    work_release(work);
    return status;
}

/* One task for the session: NOT_FOUND when there is none. */
static enum status task_offer(struct pool *pool, struct session *session,
                              struct error *err)
{
    char skip[SKIP_MAX] = "";
    size_t size = 0;
    struct stored_task task;

    for (size_t i = 0; i < SESSION_DECLINED; i++)
        size += (size_t)snprintf(skip + size, sizeof skip - size, "%s ",
                                 session->declined[i]);
    enum status status =
        store_task_next(pool->store, session->worker, session->kinds, skip, &task, err);
    if (status)
        return status;
    task.state = STORED_OFFERED;
    status = task_save(pool, &task, err);
    if (status)
        return status;
    struct session_offer *offer = &session->offers[session->offer_count++];
    snprintf(offer->task, sizeof offer->task, "%s", task.id);
    offer->until_ms = clock_ms() + OFFER_MS;
    status = task_announce(pool, session, &task, err);
    if (status == STATUS_NOT_FOUND || status == STATUS_NOT_SUPPORTED ||
        status == STATUS_BAD_DATA) {
        /* Its model left the shelf: nobody can do it here. */
        log_warn("pool", "task %s failed: %s", task.id, error_text(err));
        offer_forget(session, session->offer_count - 1);
        task.state = STORED_FAILED;
        snprintf(task.reason, sizeof task.reason, "%.*s", STORE_REASON_MAX,
                 error_text(err));
        status = task_save(pool, &task, err);
    }
    return status;
}

void tasks_assign(struct pool *pool, struct session *session)
{
    struct error err = {0};
    uint64_t leases;
    enum status status;

    if (!session->connection || !*session->kinds || !session->slots)
        return;
    status = store_lease_count(pool->store, session->id, &leases, &err);
    while (!status && leases + session->offer_count < session->slots &&
           session->offer_count < OFFER_SLOTS_MAX)
        status = task_offer(pool, session, &err);
    if (status && status != STATUS_NOT_FOUND)
        pool_store_failed(pool, status, &err);
}

void tasks_assign_all(struct pool *pool)
{
    uint64_t counts[STORED_STATE_COUNT];
    struct error err = {0};

    if (pool->is_stopping)
        return;
    const enum status status = store_task_counts(pool->store, counts, &err);
    if (status)
        pool_store_failed(pool, status, &err);
    if (status || !counts[STORED_QUEUED])
        return;
    for (struct session *s = pool->sessions; s; s = s->next)
        tasks_assign(pool, s);
}

enum status tasks_lease(struct pool *pool, const struct session *session,
                        const char *task, struct stored_lease *out, struct error *err)
{
    const enum status status = store_lease_find(pool->store, task, session->id, out, err);

    if (status)
        return status;
    return out->state == LEASE_ACTIVE ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status tasks_lease_end(struct pool *pool, struct stored_lease *lease,
                            const struct lease_end *how, struct error *err)
{
    struct stored_task task;
    uint64_t voided = 0;
    enum status status = store_task_get(pool->store, lease->task, &task, err);

    if (status)
        return status;
    lease->state = LEASE_ENDED;
    task.done = 0;
    task.tries += how->is_counted;
    task.state = task.tries < TASK_TRIES_MAX ? STORED_QUEUED : STORED_FAILED;
    if (task.state == STORED_FAILED)
        snprintf(task.reason, sizeof task.reason,
                 "%d workers came to nothing, the last: %.160s", TASK_TRIES_MAX,
                 how->reason);
    status = store_lease_set(pool->store, lease, err);
    if (!status)
        status = store_task_set(pool->store, &task, err);
    if (!status && how->is_excluded)
        status = store_task_exclude(pool->store, lease->task, lease->worker, err);
    if (!status)
        status = store_share_void(pool->store, lease->worker, lease->id, &voided, err);
    if (!status && voided)
        status = store_total_add(pool->store, "voided", (double)voided, err);
    return status;
}

/* Ends a lease in a transaction of its own. */
static enum status lease_end_saved(struct pool *pool, struct stored_lease *lease,
                                   const struct lease_end *how, struct error *err)
{
    enum status status = store_begin(pool->store, STORE_MONEY, err);

    if (!status)
        status = tasks_lease_end(pool, lease, how, err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

void tasks_leases_due(struct pool *pool)
{
    const struct lease_end how = {"its lease ran out", true, true};
    struct stored_lease lease = {.id = 0};
    struct error err = {0};
    bool is_changed = false;
    enum status status;

    while (!(status =
                 store_lease_due(pool->store, clock_wall_s(), lease.id, &lease, &err))) {
        const struct session *session = session_find(pool, lease.session);
        if (session && session->connection && connection_is_busy(session->connection))
            continue;
        status = lease_end_saved(pool, &lease, &how, &err);
        if (status)
            break;
        log_info("pool", "task %s: the lease of %s ran out, another worker gets it",
                 lease.task, session ? session->name : "a worker that is gone");
        tasks_cancel(pool, lease.session, lease.task);
        is_changed = true;
    }
    if (status != STATUS_NOT_FOUND)
        pool_store_failed(pool, status, &err);
    if (is_changed)
        tasks_assign_all(pool);
}

/* Yes to an offer: the lease starts. */
static enum status answer_accept(struct pool *pool, struct session *session,
                                 const char *id, struct error *err)
{
    struct session_offer *offer = offer_find(session, id);
    struct stored_lease lease = {.worker = session->worker};
    struct stored_task task;

    if (!offer) /* said twice */
        return tasks_lease(pool, session, id, &lease, err);
    enum status status = store_task_get(pool->store, id, &task, err);
    if (status)
        return status;
    snprintf(lease.task, sizeof lease.task, "%s", id);
    snprintf(lease.session, sizeof lease.session, "%s", session->id);
    lease.until = clock_wall_s() + pool->options.lease_s;
    task.state = STORED_LEASED;
    status = store_begin(pool->store, STORE_MONEY, err);
    if (!status)
        status = store_lease_add(pool->store, &lease, err);
    if (!status)
        status = store_task_set(pool->store, &task, err);
    if (!status)
        status = store_commit(pool->store, err);
    else
        store_rollback(pool->store);
    if (!status)
        offer_forget(session, (uint32_t)(offer - session->offers));
    return status;
}

static enum status answer_decline(struct pool *pool, struct session *session,
                                  const struct answer *answer, struct error *err)
{
    const struct lease_end how = {answer->reason, false, false};
    struct session_offer *offer = offer_find(session, answer->task_id);
    struct stored_lease lease;
    enum status status = STATUS_OK;

    session_declines(session, answer->task_id);
    if (offer) {
        offer_return(pool, session, (uint32_t)(offer - session->offers));
    } else {
        status = tasks_lease(pool, session, answer->task_id, &lease, err);
        if (!status)
            status = lease_end_saved(pool, &lease, &how, err);
    }
    if (!status)
        log_info("pool", "task %s was declined by %s: %s", answer->task_id, session->name,
                 *answer->reason ? answer->reason : "no reason given");
    return status;
}

/* Only work that grew renews: a worker that repeats itself does not keep a task for ever.
 */
static enum status answer_progress(struct pool *pool, struct session *session,
                                   const struct answer *answer, struct error *err)
{
    struct stored_lease lease;
    struct stored_task task;
    enum status status = tasks_lease(pool, session, answer->task_id, &lease, err);

    if (!status)
        status = store_task_get(pool->store, answer->task_id, &task, err);
    if (status || answer->done <= task.done || answer->done > answer->total ||
        task.state != STORED_LEASED)
        return status;
    task.done = answer->done;
    lease.until = clock_wall_s() + pool->options.lease_s;
    status = store_begin(pool->store, STORE_NOTE, err);
    if (!status)
        status = store_lease_set(pool->store, &lease, err);
    if (!status)
        status = store_task_set(pool->store, &task, err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

void tasks_answer(struct pool *pool, struct session *session, const struct message_id *id,
                  const struct answer *answer)
{
    struct error err = {0};
    enum status status;

    if (answer->kind == ANSWER_ACCEPT)
        status = answer_accept(pool, session, answer->task_id, &err);
    else if (answer->kind == ANSWER_DECLINE)
        status = answer_decline(pool, session, answer, &err);
    else
        status = answer_progress(pool, session, answer, &err);

    if (!status) {
        reply_true(session->connection, id);
    } else if (status == STATUS_NOT_FOUND) {
        reply_error(session->connection, id, MESSAGE_CODE_NOT_LEASED,
                    "lease lost: this task is not yours");
    } else {
        pool_store_failed(pool, status, &err);
        reply_error(session->connection, id, MESSAGE_CODE_OTHER, error_text(&err));
    }
    if (answer->kind == ANSWER_DECLINE)
        tasks_assign_all(pool);
}
