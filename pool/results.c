/*
 * results.c - takes a result in, has it checked or not, stores the verdict, then says it.
 *
 * A result is in the store before its check begins, so that a pool that dies meanwhile
 * finds it and checks it after all.  Whoever asks again while it is being checked waits
 * for the same verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/results.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool/result_case.h"

static void result_say(struct connection *connection, const struct message_id *id,
                       enum verdict_state state, const char *reason)
{
    struct message_result verdict = {
        .status = state == VERDICT_ACCEPTED ? RESULT_ACCEPTED : RESULT_REJECTED};
    struct blob line = blob_empty(4096);

    snprintf(verdict.reason, sizeof verdict.reason, "%s", reason);
    if (message_result_encode(id, &verdict, &line))
        log_error("pool", "a verdict could not be written: out of memory");
    else
        connection_send(connection, blob_bytes(&line));
    blob_free(&line);
}

/* Everybody who waits for the verdict hears it; code 0: the one in the case. */
static void case_tell(struct result_case *c, int code, const char *text)
{
    while (c->waiters) {
        struct result_waiter *waiter = c->waiters;
        c->waiters = waiter->next;
        if (code)
            reply_error(waiter->connection, &waiter->id, code, text);
        else
            result_say(waiter->connection, &waiter->id, c->result.state,
                       c->result.reason);
        connection_resume(waiter->connection);
        connection_release(waiter->connection);
        memory_free(waiter);
    }
}

static enum status case_wait(struct result_case *c, struct connection *connection,
                             const struct message_id *id)
{
    struct result_waiter *waiter = memory_new(struct result_waiter);

    if (!waiter)
        return STATUS_NO_MEMORY;
    waiter->connection = connection_keep(connection);
    waiter->id = *id;
    waiter->next = c->waiters;
    c->waiters = waiter;
    connection_pause(connection);
    return STATUS_OK;
}

static struct result_case *case_find(struct pool *pool, const char *task, int64_t worker)
{
    for (struct result_case *c = pool->results; c; c = c->next) {
        if (!strcmp(c->result.task, task) && c->result.worker == worker)
            return c;
    }
    return NULL;
}

/* Lock held. */
static void case_unlink(struct result_case *c)
{
    for (struct result_case **at = &c->pool->results; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            return;
        }
    }
}

static void case_free(struct result_case *c)
{
    if (!c)
        return;
    assert(!c->waiters);
    work_release(c->work);
    blob_free(&c->output);
    memory_free(c);
}

/* The verdict is in the case; it is stored, told, and its consequences drawn. */
static void case_end(struct result_case *c)
{
    struct pool *pool = c->pool;
    struct stored_task task = {.parent = ""};
    struct error err = {0};

    pool_lock(pool);
    const enum status status = result_store(c, &task, &err);
    case_unlink(c);
    if (status) {
        pool->has_rechecks = true;
        pool_store_failed(pool, status, &err);
        case_tell(c, MESSAGE_CODE_OTHER, error_text(&err));
    } else {
        case_tell(c, 0, NULL);
        if (c->result.state == VERDICT_ACCEPTED)
            log_info("pool", "task %s done%s", c->result.task,
                     c->checked == CHECKED_POOL ? ", checked" : "");
        else
            log_warn("pool", "task %s: a result was rejected: %s", c->result.task,
                     c->result.reason);
    }
    /* One slot is free; a task that went back to the queue is for anybody. */
    struct session *session = session_find(pool, c->session);
    if (!status && c->result.state == VERDICT_ACCEPTED && session)
        tasks_assign(pool, session);
    else
        tasks_assign_all(pool);
    pool_unlock(pool);
    if (!status && *task.parent)
        request_join(pool, task.parent);
    case_free(c);
}

static void case_reject(struct result_case *c, const char *reason)
{
    c->result.state = VERDICT_REJECTED;
    snprintf(c->result.reason, sizeof c->result.reason, "%.*s", STORE_REASON_MAX, reason);
}

/* A result of another size can only be a fault record, and those are always checked. */
static bool case_needs_check(const struct result_case *c)
{
    return c->output.size != c->work->layout.output_size;
}

/* Without a verdict: it stays in the store, to be checked later or by the next start. */
static void case_put_off(struct result_case *c, const char *why)
{
    pool_lock(c->pool);
    c->pool->has_rechecks = true;
    case_unlink(c);
    case_tell(c, MESSAGE_CODE_OTHER, why);
    pool_unlock(c->pool);
    case_free(c);
}

static void case_audited(struct audit *audit, enum status status, const struct error *why)
{
    struct result_case *c = audit->context;

    if (status == STATUS_CANCELLED) {
        case_put_off(c, "the pool stops; send the result again");
        return;
    }
    if (status && status != STATUS_MISMATCH)
        log_error("pool", "task %s could not be checked: %s", c->result.task,
                  error_text(why));
    if (status && status != STATUS_MISMATCH && case_needs_check(c)) {
        case_put_off(c, "the result could not be checked now; send it again");
        return;
    }
    c->result.state = VERDICT_ACCEPTED;
    if (status == STATUS_MISMATCH)
        case_reject(c, error_text(why));
    else if (!status)
        c->checked = CHECKED_POOL;
    case_end(c);
}

/* Lock held.  One of the lease's shares, drawn now: its whole operand is compared, too.
 */
static enum status case_draw_share(struct result_case *c, struct error *err)
{
    uint64_t count;
    enum status status = store_share_count(c->pool->store, c->result.lease, &count, err);

    if (status || !count)
        return status;
    status =
        store_share_at(c->pool->store, c->result.lease, pool_draw(count), &c->share, err);
    if (status)
        return status;
    struct blake3 hasher;
    blake3_begin(&hasher);
    blake3_add(&hasher, c->share.header, JOB_HEADER_SIZE);
    blake3_add(&hasher, c->share.configuration, CONFIGURATION_SIZE);
    blake3_end(&hasher, c->job_key);
    c->audit.root_site = c->share.site;
    c->audit.job_key = c->job_key;
    c->audit.root = c->share.hash_a;
    return STATUS_OK;
}

/* Lock held; the question is asked afterwards, without it. */
static enum status case_prepare(struct result_case *c, struct error *err)
{
    c->audit = (struct audit){.work = c->work,
                              .output = blob_bytes(&c->output),
                              .done = case_audited,
                              .context = c};
    const enum status status = case_draw_share(c, err);
    if (status)
        return status;
    c->next = c->pool->results;
    c->pool->results = c;
    return STATUS_OK;
}

/* Lock held: what is known of this task and worker.  OK: the case may go on; DONE: it was
 * answered. */
static enum status case_open(struct result_case *c, const struct session *session,
                             struct connection *connection, const struct message_id *id,
                             struct error *err)
{
    struct store *store = c->pool->store;
    struct stored_lease lease;
    struct stored_task task;
    char name[TASK_ID_SIZE + 1];

    snprintf(name, sizeof name, "%s", c->result.task);
    c->result.worker = session->worker;
    struct result_case *running = case_find(c->pool, name, session->worker);
    if (running)
        return case_wait(running, connection, id) ? STATUS_NO_MEMORY : STATUS_DONE;
    enum status status = store_result_get(store, name, session->worker, &c->result, err);
    if (!status && c->result.state != VERDICT_CHECKING) {
        result_say(connection, id, c->result.state, c->result.reason);
        return STATUS_DONE;
    }
    snprintf(c->result.task, sizeof c->result.task, "%s", name);
    c->result.worker = session->worker;
    if (status == STATUS_NOT_FOUND || !status)
        status = tasks_lease(c->pool, session, name, &lease, err);
    if (status == STATUS_NOT_FOUND) {
        result_say(connection, id, VERDICT_REJECTED, "lease lost");
        return STATUS_DONE;
    }
    if (!status)
        status = store_task_get(store, name, &task, err);
    if (!status)
        status = work_take(c->pool, &task, &c->work, err);
    if (status)
        return status;
    c->result.lease = lease.id;
    snprintf(c->session, sizeof c->session, "%s", session->id);
    return STATUS_OK;
}

/* The output's bytes, as sent or as uploaded before. */
static enum status case_output(struct result_case *c, const struct message_answer *answer,
                               struct error *err)
{
    uint8_t digest[BLAKE3_SIZE];

    c->output = blob_empty(answer->output_size);
    if (*answer->output_hash) {
        pool_lock(c->pool);
        enum status status =
            store_blob_get(c->pool->store, answer->output_hash, &c->output, err);
        pool_unlock(c->pool);
        if (status == STATUS_NOT_FOUND)
            return error_set(err, STATUS_REFUSED, "output %s was not uploaded",
                             answer->output_hash);
        snprintf(c->result.output_hash, sizeof c->result.output_hash, "%s",
                 answer->output_hash);
        return status;
    }
    const struct bytes sent = blob_bytes(&answer->answer.output);
    if (blob_add(&c->output, sent.data, sent.size))
        return error_set(err, STATUS_NO_MEMORY, "the pool is out of memory");
    blake3_hash(sent.data, sent.size, NULL, digest);
    hex_encode(digest, sizeof digest, c->result.output_hash);
    return STATUS_OK;
}

/* Joining a result with nothing must give it back; a kind that joins nothing has no say.
 */
static bool case_is_whole(const struct result_case *c, struct bytes output)
{
    struct blob joined = blob_empty(TASK_OUTPUT_MAX);
    const enum status status = c->work->kind->join(&output, 1, &joined, NULL);
    const bool is_same =
        joined.size == output.size && !memcmp(joined.data, output.data, output.size);

    blob_free(&joined);
    return status == STATUS_NOT_SUPPORTED || status == STATUS_NO_MEMORY ||
           (!status && is_same);
}

/* What can be said of a result without running the task. */
static void case_judge(struct result_case *c, const struct message_answer *answer)
{
    const struct bytes output = blob_bytes(&c->output);
    char hash[65];

    answer_result_hash(c->work->assignment.model, c->result.task, output, hash);
    snprintf(c->result.result_hash, sizeof c->result.result_hash, "%s", hash);
    if (strcmp(hash, answer->answer.result_hash))
        case_reject(c, "the result's hash is not that of its output");
    else if (output.size != answer->output_size)
        case_reject(c, "the result's size is not that of its output");
    else if (!case_is_whole(c, output))
        case_reject(c, "the result is not in the canonical form of its kind");
}

/* Lock held.  OK: to be asked; DONE: accepted without a check. */
static enum status case_begin(struct result_case *c, struct error *err)
{
    struct stored_worker worker;
    enum status status = store_worker_get(c->pool->store, c->result.worker, &worker, err);

    if (status)
        return status;
    if (!case_needs_check(c) && !worker_is_drawn(c->pool, &worker)) {
        c->result.state = VERDICT_ACCEPTED;
        return STATUS_DONE;
    }
    status = result_store_checking(c, err);
    return status ? status : case_prepare(c, err);
}

/* From here the case ends by itself. */
static void case_run(struct result_case *c)
{
    struct error err = {0};

    if (c->result.state == VERDICT_REJECTED) {
        case_end(c);
        return;
    }
    pool_lock(c->pool);
    const enum status status = case_begin(c, &err);
    if (status && status != STATUS_DONE) {
        pool_store_failed(c->pool, status, &err);
        case_tell(c, MESSAGE_CODE_OTHER, error_text(&err));
    }
    pool_unlock(c->pool);
    if (!status)
        auditor_ask(c->pool->auditor, &c->audit);
    else if (status == STATUS_DONE)
        case_end(c);
    else
        case_free(c);
}

void result_deliver(struct pool *pool, struct connection *connection,
                    const struct message_id *id, const struct message_answer *answer)
{
    struct result_case *c = memory_new(struct result_case);
    struct error err = {0};
    enum status status = STATUS_NO_MEMORY;

    if (c) {
        c->pool = pool;
        snprintf(c->result.task, sizeof c->result.task, "%s", answer->answer.task_id);
        pool_lock(pool);
        const struct session *session = connection_session(connection);
        status = session ? case_open(c, session, connection, id, &err) : STATUS_DONE;
        if (status && status != STATUS_DONE)
            pool_store_failed(pool, status, &err);
        pool_unlock(pool);
    }
    if (!status)
        status = case_output(c, answer, &err);
    if (!status)
        status = case_wait(c, connection, id);
    if (!status) {
        case_judge(c, answer);
        case_run(c);
        return;
    }
    if (status != STATUS_DONE)
        reply_error(connection, id, MESSAGE_CODE_OTHER,
                    *err.text ? err.text : status_text(status));
    case_free(c);
}

/* Lock held. */
static enum status recheck_open(struct pool *pool, const struct stored_result *result,
                                struct result_case **out, struct error *err)
{
    struct result_case *c = memory_new(struct result_case);
    struct stored_task task;

    if (!c)
        return error_set(err, STATUS_NO_MEMORY, "the pool is out of memory");
    c->pool = pool;
    c->result = *result;
    c->output = blob_empty(TASK_OUTPUT_MAX);
    enum status status = store_task_get(pool->store, result->task, &task, err);
    if (!status)
        status = work_take(pool, &task, &c->work, err);
    if (!status)
        status = store_blob_get(pool->store, result->output_hash, &c->output, err);
    if (!status)
        status = case_prepare(c, err);
    if (status) {
        case_free(c);
        return status;
    }
    *out = c;
    return STATUS_OK;
}

/* The next unfinished check above result's task; *out is NULL where it is under way
 * already or cannot be taken up now.  NOT_FOUND after the last. */
static enum status recheck_next(struct pool *pool, struct stored_result *result,
                                struct result_case **out, struct error *err)
{
    enum status status = store_result_checking(pool->store, result->task, result, err);

    *out = NULL;
    if (status || case_find(pool, result->task, result->worker))
        return status;
    status = recheck_open(pool, result, out, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    log_error("pool", "task %s cannot be checked now: %s", result->task, error_text(err));
    return STATUS_OK;
}

enum status results_recheck(struct pool *pool, struct error *err)
{
    struct stored_result result = {.task = ""};
    struct result_case *c;
    enum status status = STATUS_OK;

    while (!status) {
        pool_lock(pool);
        status = recheck_next(pool, &result, &c, err);
        if (status == STATUS_NOT_FOUND)
            pool->has_rechecks = false;
        pool_unlock(pool);
        if (!status && c)
            auditor_ask(pool->auditor, &c->audit);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
