/*
 * sessions.c - hello, coming back, going away, and which handler a message goes to.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/sessions.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/tasks/task.h"
#include "pool-protocol/message_submit.h"
#include "pool-protocol/message_task.h"
#include "pool/results.h"
#include "pool/shares.h"
#include "pool/tasks.h"

enum { PING_SIZE_MAX = 512, REPLY_SIZE_MAX = 4096 };

static void reply_send(struct connection *connection, enum status encoded,
                       struct blob *line)
{
    if (encoded)
        log_error("pool", "a reply could not be written: %s", status_text(encoded));
    else
        connection_send(connection, blob_bytes(line));
    blob_free(line);
}

void reply_true(struct connection *connection, const struct message_id *id)
{
    struct blob line = blob_empty(REPLY_SIZE_MAX);

    reply_send(connection, message_line_encode_true(id, &line), &line);
}

void reply_error(struct connection *connection, const struct message_id *id, int code,
                 const char *text)
{
    struct blob line = blob_empty(REPLY_SIZE_MAX);

    reply_send(connection, message_line_encode_error(id, code, text, &line), &line);
}

struct session *session_find(struct pool *pool, const char *id)
{
    for (struct session *s = pool->sessions; s; s = s->next) {
        if (!strcmp(s->id, id))
            return s;
    }
    return NULL;
}

static void session_drop(struct pool *pool, struct session *session)
{
    if (session->next)
        session->next->previous = session->previous;
    if (session->previous)
        session->previous->next = session->next;
    else
        pool->sessions = session->next;
    pool->session_count--;
    memory_free(session);
}

/* Who is away longest is forgotten first; its leases are in the store. */
static void session_trim(struct pool *pool)
{
    struct session *oldest = NULL;

    if (pool->detached_count <= SESSION_DETACHED_MAX)
        return;
    for (struct session *s = pool->sessions; s; s = s->next) {
        if (!s->connection && (!oldest || s->job_ms < oldest->job_ms))
            oldest = s;
    }
    assert(oldest);
    session_drop(pool, oldest);
    pool->detached_count--;
}

static struct session *session_new(struct pool *pool, const char *id)
{
    struct session *session = memory_new(struct session);

    if (!session)
        return NULL;
    snprintf(session->id, sizeof session->id, "%s", id);
    if (!hex_decode(id, session->raw, sizeof session->raw)) {
        memory_free(session);
        return NULL;
    }
    session->macs = pool->options.share_macs;
    session->next = pool->sessions;
    if (pool->sessions)
        pool->sessions->previous = session;
    pool->sessions = session;
    pool->session_count++;
    pool->detached_count++;
    return session;
}

static void session_detach(struct pool *pool, struct session *session)
{
    struct connection *connection = session->connection;

    session->connection = NULL;
    pool->detached_count++;
    connection_set_session(connection, NULL);
    tasks_withdraw(pool, session);
    connection_release(connection);
}

static void session_attach(struct pool *pool, struct session *session,
                           struct connection *connection)
{
    if (session->connection) {
        struct connection *old = connection_keep(session->connection);
        session_detach(pool, session);
        connection_close_soon(old);
        connection_release(old);
    }
    session->connection = connection_keep(connection);
    session->window_ms = clock_ms();
    session->window_shares = 0;
    pool->detached_count--;
    connection_set_session(connection, session);
    connection_authorised(connection);
}

void session_gone(struct pool *pool, struct connection *connection)
{
    pool_lock(pool);
    struct session *session = connection_session(connection);
    if (session && session->connection == connection) {
        log_debug("pool", "%s left", session->name);
        session_detach(pool, session);
        session_trim(pool);
        tasks_assign_all(pool);
    }
    pool_unlock(pool);
}

/* Kinds that the pool knows, as "|embed|matmul|"; "" when there is none. */
static void session_offer(struct session *session, const struct message_authorize *hello)
{
    size_t size = 0;

    session->speaks_tasks = !strcmp(hello->protocol, MESSAGE_PROTOCOL);
    session->slots = session->speaks_tasks ? hello->offer.slots : 0;
    session->kinds[0] = 0;
    for (uint32_t i = 0; i < hello->offer.task_count; i++) {
        const char *kind = hello->offer.tasks[i];
        const size_t more = strlen(kind) + 2;
        if (!task_kind_find(kind) || size + more >= sizeof session->kinds)
            continue;
        size += (size_t)snprintf(session->kinds + size, sizeof session->kinds - size,
                                 "%s%s|", size ? "" : "|", kind);
    }
}

/* The session the worker names if it is its own, or a new id. */
static enum status session_name(struct pool *pool, const struct message_authorize *hello,
                                struct stored_worker *worker, char id[SESSION_SIZE + 1],
                                struct error *err)
{
    uint8_t raw[SESSION_SIZE / 2];
    int64_t owner;
    enum status status = store_begin(pool->store, STORE_NOTE, err);

    if (!status)
        status = store_worker(pool->store, hello->wallet, hello->worker, worker, err);
    if (!status && *hello->session) {
        status = store_session_get(pool->store, hello->session, &owner, err);
        if (!status && owner == worker->id)
            snprintf(id, SESSION_SIZE + 1, "%s", hello->session);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    if (!status && !*id) {
        status = random_bytes(raw, sizeof raw, err);
        if (!status)
            hex_encode(raw, sizeof raw, id);
    }
    if (!status)
        status = store_session_put(pool->store, id, worker->id, clock_wall_s(), err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

static void session_welcome(struct pool *pool, const struct session *session,
                            const struct message_id *id,
                            const struct message_authorize *hello)
{
    struct message_welcome welcome = {.artifacts = "/artifacts",
                                      .is_gzip = hello->asks_gzip};
    struct blob line = blob_empty(REPLY_SIZE_MAX);

    if (session->speaks_tasks) {
        snprintf(welcome.protocol, sizeof welcome.protocol, MESSAGE_PROTOCOL);
        welcome.http_port = pool_http_port(pool);
        snprintf(welcome.session, sizeof welcome.session, "%s", session->id);
    }
    reply_send(session->connection, message_welcome_encode(id, &welcome, &line), &line);
}

/* The lock is held. */
static enum status session_enter(struct pool *pool, struct connection *connection,
                                 const struct message_id *id,
                                 const struct message_authorize *hello, struct error *err)
{
    struct stored_worker worker;
    char name[SESSION_SIZE + 1] = "";
    enum status status = session_name(pool, hello, &worker, name, err);

    if (status) {
        pool_store_failed(pool, status, err);
        return status;
    }
    struct session *session = session_find(pool, name);
    if (!session)
        session = session_new(pool, name);
    if (!session)
        return error_set(err, STATUS_NO_MEMORY, "the pool is out of memory");
    session->worker = worker.id;
    snprintf(session->name, sizeof session->name, "%.64s%s%.64s", hello->wallet,
             *hello->worker ? "." : "", hello->worker);
    session_attach(pool, session, connection);
    session_offer(session, hello);
    session_welcome(pool, session, id, hello);
    session_job_new(pool, session);
    tasks_assign(pool, session);
    log_debug("pool", "%s works from %s, %s", session->name,
              connection_address(connection),
              session->speaks_tasks ? "takes tasks" : "plain");
    return STATUS_OK;
}

static void session_hello(struct pool *pool, struct connection *connection,
                          const struct message_line *line)
{
    const struct message_id *id = message_line_id(line);
    struct error err = {0};
    struct message_authorize hello;

    if (message_authorize_decode(line, &hello, &err)) {
        const bool is_wallet = strstr(err.text, ": wallet is") != NULL;
        reply_error(connection, id,
                    is_wallet ? MESSAGE_CODE_BAD_WALLET : MESSAGE_CODE_OTHER,
                    error_text(&err));
        return;
    }
    if (!*hello.wallet) {
        reply_error(connection, id, MESSAGE_CODE_NO_WALLET, "wallet is missing");
        return;
    }
    pool_lock(pool);
    if (connection_session(connection))
        reply_error(connection, id, MESSAGE_CODE_OTHER, "already authorised");
    else if (session_enter(pool, connection, id, &hello, &err))
        reply_error(connection, id, MESSAGE_CODE_OTHER, error_text(&err));
    pool_unlock(pool);
}

static void session_task(struct pool *pool, struct connection *connection,
                         const struct message_line *line)
{
    const struct message_id *id = message_line_id(line);
    struct message_answer answer = {0};
    struct error err = {0};

    pool_lock(pool);
    const bool is_known = connection_session(connection) != NULL;
    pool_unlock(pool);
    if (!is_known) {
        reply_error(connection, id, MESSAGE_CODE_UNAUTHORISED, "unauthorized");
        return;
    }
    if (message_answer_decode(line, &answer, &err)) {
        reply_error(connection, id, MESSAGE_CODE_OTHER, error_text(&err));
        return;
    }
    if (answer.answer.kind == ANSWER_DONE) {
        result_deliver(pool, connection, id, &answer);
    } else {
        pool_lock(pool);
        struct session *session = connection_session(connection);
        if (session)
            tasks_answer(pool, session, id, &answer.answer);
        pool_unlock(pool);
    }
    message_answer_free(&answer);
}

bool session_ping(struct connection *connection, struct bytes text)
{
    struct message_line *line;

    if (text.size > PING_SIZE_MAX || message_line_parse(text, &line, NULL))
        return false;
    const bool is_ping = !strcmp(message_line_method(line), "mining.ping");
    if (is_ping)
        reply_true(connection, message_line_id(line));
    message_line_free(line);
    return is_ping;
}

static void session_dispatch(struct pool *pool, struct connection *connection,
                             const struct message_line *line)
{
    const char *method = message_line_method(line);

    if (message_line_kind(line) == MESSAGE_REPLY)
        return;
    if (!strcmp(method, MESSAGE_SUBMIT))
        share_submit(pool, connection, line);
    else if (!strcmp(method, MESSAGE_AUTHORIZE))
        session_hello(pool, connection, line);
    else if (!strcmp(method, "mining.ping"))
        reply_true(connection, message_line_id(line));
    else if (!strncmp(method, "task.", 5))
        session_task(pool, connection, line);
    else
        reply_error(connection, message_line_id(line), MESSAGE_CODE_OTHER,
                    "method not supported");
}

void session_line(struct pool *pool, struct connection *connection, struct bytes text)
{
    const struct message_id none = {.kind = MESSAGE_ID_NULL};
    struct error err = {0};
    struct message_line *line;

    if (message_line_parse(text, &line, &err)) {
        reply_error(connection, &none, MESSAGE_CODE_OTHER, error_text(&err));
        return;
    }
    session_dispatch(pool, connection, line);
    message_line_free(line);
}

void session_tick(struct pool *pool, struct session *session, uint64_t now_ms)
{
    if (!session->connection)
        return;
    session_job_tick(pool, session, now_ms);
    tasks_offers_due(pool, session, now_ms);
}

void sessions_free(struct pool *pool)
{
    while (pool->sessions) {
        struct session *session = pool->sessions;
        connection_release(session->connection);
        session_drop(pool, session);
    }
}
