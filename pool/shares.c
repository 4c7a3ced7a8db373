/*
 * shares.c - the verdict on a share: decided, stored, then said.
 *
 * Nothing is answered before its transaction is through.  A share to be audited waits for
 * the auditor with its connection paused; the rest of its session's lines wait behind it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/shares.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool/share_case.h"
#include "pool/tasks.h"

static void case_free(struct share_case *c)
{
    connection_release(c->connection);
    message_submit_free(&c->submit);
    proof_free(&c->proof);
    work_release(c->work);
    memory_free(c);
}

static bool case_is_useful(const struct share_case *c)
{
    return c->work && strcmp(c->work->assignment.kind, "matmul");
}

/* Within a transaction. */
static enum status share_store(struct share_case *c, struct error *err)
{
    struct store *store = c->pool->store;
    struct stored_worker worker;
    enum status status = store_worker_get(store, c->share.worker, &worker, err);

    if (status)
        return status;
    c->share.number = ++worker.shares;
    worker.audited += c->was_audited;
    status = store_share_add(store, &c->share, err);
    if (!status)
        status = store_total_add(store, "accepted", 1, err);
    if (!status)
        status = store_total_add(store, "hashes", c->share.cost, err);
    if (!status && case_is_useful(c))
        status = store_total_add(store, "useful", c->share.cost, err);
    if (!status && !c->work)
        status = store_total_add(store, "unassigned", 1, err);
    if (!status)
        status = shares_settle(c->pool, &worker, err);
    return status ? status : store_worker_set(store, &worker, err);
}

/* Lock held.  The code to refuse with, or CODE_NONE when it is accepted for good. */
static int share_accept(struct share_case *c, struct error *err)
{
    struct store *store = c->pool->store;
    enum status status = store_begin(store, STORE_MONEY, err);

    if (!status)
        status = share_store(c, err);
    if (!status)
        status = store_commit(store, err);
    else
        store_rollback(store);
    if (status == STATUS_REFUSED) {
        /* The same from another session, between the check and now. */
        error_set(err, STATUS_REFUSED, "duplicate share");
        return MESSAGE_CODE_DUPLICATE;
    }
    if (status) {
        pool_store_failed(c->pool, status, err);
        return MESSAGE_CODE_OTHER;
    }
    pool_rate_add(c->pool, c->share.cost);
    return CODE_NONE;
}

static bool code_is_fault(int code)
{
    return code == MESSAGE_CODE_WRONG_WEIGHTS || code == MESSAGE_CODE_WRONG_INPUT;
}

/* Within a transaction: the lease ends with the third. */
static enum status share_fault(struct share_case *c, struct error *err)
{
    const struct lease_end how = {"its shares were not of the task", true, true};
    struct stored_worker worker;
    enum status status = store_worker_get(c->pool->store, c->share.worker, &worker, err);

    if (!status)
        status = shares_fault(c->pool, &worker, err);
    if (!status)
        status = store_lease_get(c->pool->store, c->lease.id, &c->lease, err);
    if (status)
        return status;
    c->lease.faults++;
    if (c->lease.faults >= LEASE_FAULTS_MAX && c->lease.state == LEASE_ACTIVE)
        return tasks_lease_end(c->pool, &c->lease, &how, err);
    return store_lease_set(c->pool->store, &c->lease, err);
}

/* Within a transaction. */
static enum status share_count(struct share_case *c, int code, struct error *err)
{
    char name[24];

    if (code == MESSAGE_CODE_STALE)
        return store_total_add(c->pool->store, "stale", 1, err);
    snprintf(name, sizeof name, "rejected %d", code);
    const enum status status = store_total_add(c->pool->store, name, 1, err);
    return !status && code_is_fault(code) && c->lease.id ? share_fault(c, err) : status;
}

/* Lock held.  Puts a refusal on record; what cannot be recorded is no verdict. */
static int share_refuse(struct share_case *c, int code, struct error *err)
{
    struct store *store = c->pool->store;
    struct error fault = {0};
    enum status status =
        store_begin(store, code_is_fault(code) ? STORE_MONEY : STORE_NOTE, &fault);

    if (!status)
        status = share_count(c, code, &fault);
    if (!status)
        status = store_commit(store, &fault);
    else
        store_rollback(store);
    if (status) {
        pool_store_failed(c->pool, status, &fault);
        *err = fault;
        return MESSAGE_CODE_OTHER;
    }
    if (c->lease.faults >= LEASE_FAULTS_MAX && c->lease.state == LEASE_ENDED &&
        code_is_fault(code)) {
        tasks_cancel(c->pool, c->session, c->lease.task);
        tasks_assign_all(c->pool);
    }
    return code;
}

/* The verdict in the store, then on the wire. */
static void case_end(struct share_case *c, int code, struct error *err)
{
    pool_lock(c->pool);
    if (!code)
        code = share_accept(c, err);
    if (code)
        code = share_refuse(c, code, err);
    struct session *session = connection_session(c->connection);
    const bool is_bad =
        code == MESSAGE_CODE_BAD_PROOF && session && session_job_bad(session, clock_ms());
    if (code)
        reply_error(c->connection, &c->id, code, error_text(err));
    else
        reply_true(c->connection, &c->id);
    if (!code && session)
        session_job_shared(c->pool, session);
    if (code && session)
        log_debug("pool", "%s: share refused with %d, %s", session->name, code,
                  error_text(err));
    pool_unlock(c->pool);
    if (is_bad) {
        log_warn("pool", "%s sent too many bad proofs and is blocked for a minute",
                 connection_address(c->connection));
        connection_block(c->connection);
    }
    case_free(c);
}

static void case_audited(struct audit *audit, enum status status, const struct error *why)
{
    struct share_case *c = audit->context;
    struct connection *connection = connection_keep(c->connection);
    struct error err = *why;
    int code = CODE_NONE;

    if (status == STATUS_CANCELLED) {
        case_free(c); /* the pool stops; no verdict was given */
    } else {
        if (status == STATUS_MISMATCH)
            code = MESSAGE_CODE_WRONG_INPUT;
        else if (status)
            log_error("pool", "a share could not be audited: %s", error_text(why));
        c->was_audited = status == STATUS_OK;
        case_end(c, code, &err);
    }
    connection_resume(connection);
    connection_release(connection);
}

static bool case_is_drawn(struct share_case *c)
{
    struct stored_worker worker;
    struct error err = {0};

    if (!c->work)
        return false;
    pool_lock(c->pool);
    const enum status status =
        store_worker_get(c->pool->store, c->share.worker, &worker, &err);
    pool_unlock(c->pool);
    return status || worker_is_drawn(c->pool, &worker);
}

/* One of the opened rows, drawn now that the proof is in, over all its k bytes. */
static void case_audit(struct share_case *c)
{
    const struct opening *a = &c->proof.a;
    const uint64_t row = a->rows[pool_draw(a->row_count)];
    const uint64_t start = row * c->proof.k;
    uint64_t at = 0;

    while (a->chunk_indices[at] != start / CHUNK_SIZE)
        at++;
    c->audit =
        (struct audit){.work = c->work,
                       .row_site = c->submit.site,
                       .row = row,
                       .row_bytes = a->chunks + at * CHUNK_SIZE + start % CHUNK_SIZE,
                       .done = case_audited,
                       .context = c};
    connection_pause(c->connection);
    auditor_ask(c->pool->auditor, &c->audit);
}

void share_submit(struct pool *pool, struct connection *connection,
                  const struct message_line *line)
{
    struct share_case *c = memory_new(struct share_case);
    struct error err = {0};

    if (!c) {
        reply_error(connection, message_line_id(line), MESSAGE_CODE_OTHER,
                    "the pool is out of memory");
        return;
    }
    c->pool = pool;
    c->connection = connection_keep(connection);
    c->id = *message_line_id(line);
    const int code = share_check(c, line, &err);
    if (!code && case_is_drawn(c))
        case_audit(c);
    else
        case_end(c, code, &err);
}
