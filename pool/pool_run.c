/*
 * pool_run.c - puts the pool together, in the order in which a worker may find it, and
 * takes it apart.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/pool_run.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool/audit.h"
#include "pool/http_api.h"
#include "pool/requests.h"
#include "pool/results.h"
#include "pool/roots.h"
#include "pool/sessions.h"
#include "pool/shelf.h"
#include "pool/tasks.h"

enum { RESTART_GRACE_S = 30, LINE_THREADS_MAX = 4, JOIN_EVERY_MS = 2000, TOKEN_MIN = 16 };

void pool_lock(struct pool *pool)
{
    lock_take(pool->lock);
}

void pool_unlock(struct pool *pool)
{
    lock_give(pool->lock);
}

uint16_t pool_http_port(const struct pool *pool)
{
    return http_api_port(pool->http);
}

void pool_store_failed(struct pool *pool, enum status status, const struct error *err)
{
    log_error("pool", "%s", error_text(err));
    /* Locked, full or out of memory may pass; a store that cannot be read or written will
     * not. */
    if (status == STATUS_IO)
        pool->fatal = status;
}

void pool_rate_add(struct pool *pool, double hashes)
{
    const uint64_t now = clock_wall_s();

    while (pool->rate_second < now) {
        if (now - pool->rate_second > RATE_SECONDS)
            pool->rate_second = now - RATE_SECONDS;
        pool->rates[++pool->rate_second % RATE_SECONDS] = 0;
    }
    pool->rates[now % RATE_SECONDS] += hashes;
}

double pool_rate(struct pool *pool, uint32_t seconds)
{
    double sum = 0;

    pool_rate_add(pool, 0);
    for (uint32_t i = 0; i < seconds; i++)
        sum += pool->rates[(pool->rate_second + RATE_SECONDS - i) % RATE_SECONDS];
    return sum / seconds;
}

uint64_t pool_draw(uint64_t count)
{
    uint64_t value;

    /* Without randomness nothing may be let through unseen: the first is as good as any.
     */
    if (random_bytes(&value, sizeof value, NULL))
        return 0;
    return value % count;
}

double pool_chance(void)
{
    return (double)(pool_draw((uint64_t)1 << 53)) / (double)((uint64_t)1 << 53);
}

static enum status pool_read_token(struct pool *pool, struct error *err)
{
    struct blob text = blob_empty(4096);
    size_t size = 0;

    if (!pool->options.token_file)
        return STATUS_OK;
    enum status status = file_read(pool->options.token_file, &text, err);
    while (!status && size < text.size && isgraph(text.data[size]))
        size++;
    if (!status && (size < TOKEN_MIN || size >= sizeof pool->token))
        status = error_set(err, STATUS_BAD_CONFIG,
                           "%s: expected a token of %d to %zu characters",
                           pool->options.token_file, TOKEN_MIN, sizeof pool->token - 1);
    if (!status)
        snprintf(pool->token, sizeof pool->token, "%.*s", (int)size,
                 (const char *)text.data);
    blob_free(&text);
    return status;
}

/* The database as the last process left it, made ready for this one. */
static enum status pool_restore(struct pool *pool, struct error *err)
{
    const uint32_t grace =
        pool->options.lease_s < RESTART_GRACE_S ? pool->options.lease_s : RESTART_GRACE_S;
    enum status status = store_begin(pool->store, STORE_MONEY, err);

    if (!status)
        status = store_restart(pool->store, clock_wall_s() + grace, err);
    if (!status)
        status = store_blob_sweep(pool->store, err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

/* Wrong usage is said before anything is opened. */
static enum status pool_check(struct pool *pool, struct error *err)
{
    char host[SERVER_ADDRESS_MAX];
    uint16_t port;
    enum status status = address_split(pool->options.listen, host, &port, err);

    if (!status)
        status = address_split(pool->options.http, host, &port, err);
    return status ? status : pool_read_token(pool, err);
}

static enum status pool_load(struct pool *pool, struct error *err)
{
    enum status status = pool_check(pool, err);

    if (!status && (lock_new(&pool->lock) || work_cache_new(&pool->works) ||
                    root_cache_new(&pool->roots)))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the pool");
    if (!status)
        status = random_bytes(pool->previous, sizeof pool->previous, err);
    if (!status)
        status = store_open(pool->options.database, &pool->store, err);
    if (!status)
        status = pool_restore(pool, err);
    if (!status)
        status = shelf_open(pool->options.models, &pool->shelf, err);
    if (!status)
        status = auditor_open(&pool->auditor, err);
    if (!status)
        status = results_recheck(pool, err);
    if (!status)
        request_join_all(pool);
    return status;
}

static uint32_t pool_threads(void)
{
    const uint32_t processors = thread_processors();

    if (processors < 2)
        return 2;
    return processors < LINE_THREADS_MAX ? processors : LINE_THREADS_MAX;
}

static enum status pool_serve(struct pool *pool, struct error *err)
{
    enum status status = http_api_open(pool, pool->options.http, &pool->http, err);

    if (!status)
        status = server_open(pool, pool->options.listen, &pool->server, err);
    if (!status)
        status = server_start(pool->server, pool_threads(), err);
    return status;
}

static enum status pool_ready(struct pool *pool, struct error *err)
{
    uint64_t counts[STORED_STATE_COUNT];

    pool_lock(pool);
    const enum status status = store_task_counts(pool->store, counts, err);
    pool_unlock(pool);
    if (!status)
        log_info("pool",
                 "ready  pouw+tcp://%s:%u  http://%s:%u  %zu models  %llu tasks waiting",
                 server_host(pool->server), server_port(pool->server),
                 http_api_host(pool->http), http_api_port(pool->http),
                 shelf_count(pool->shelf), (unsigned long long)counts[STORED_QUEUED]);
    return status;
}

enum status pool_open(const struct pool_options *options, struct pool **out,
                      struct error *err)
{
    struct pool *pool = memory_new(struct pool);

    if (!pool)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the pool");
    pool->options = *options;
    pool->rate_second = clock_wall_s();
    enum status status = pool_load(pool, err);
    if (!status)
        status = pool_serve(pool, err);
    if (!status)
        status = pool_ready(pool, err);
    if (status) {
        pool_close(pool);
        return status;
    }
    *out = pool;
    return STATUS_OK;
}

enum status pool_tick(struct pool *pool)
{
    const uint64_t now_ms = clock_ms();
    struct error err = {0};

    pool_lock(pool);
    for (struct session *s = pool->sessions; s; s = s->next)
        session_tick(pool, s, now_ms);
    tasks_orphans(pool);
    tasks_leases_due(pool);
    const bool is_late = now_ms - pool->join_ms >= JOIN_EVERY_MS;
    const bool has_rechecks = pool->has_rechecks && is_late;
    const enum status fatal = pool->fatal;
    pool_unlock(pool);
    if (is_late) {
        request_join_all(pool);
        pool->join_ms = now_ms;
    }
    if (has_rechecks && results_recheck(pool, &err))
        log_error("pool", "%s", error_text(&err));
    return fatal;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    if (pool->lock) {
        pool_lock(pool);
        pool->is_stopping = true;
        pool_unlock(pool);
    }
    http_api_close(pool->http);
    if (pool->server)
        server_stop(pool->server);
    if (pool->auditor)
        auditor_stop(pool->auditor);
    if (pool->lock)
        sessions_free(pool);
    server_close(pool->server);
    auditor_close(pool->auditor);
    work_cache_free(pool->works);
    root_cache_free(pool->roots);
    shelf_close(pool->shelf);
    store_close(pool->store);
    lock_free(pool->lock);
    memory_free(pool);
}
