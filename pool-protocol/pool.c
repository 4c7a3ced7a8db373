/*
 * pool.c - the pool thread: connect, greet, listen, come back, stop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/pool_target.h"
#include "pool-protocol/pool_thread.h"

enum { TURN_MS = 1000, LINES_MAX = 2 * MESSAGE_LINE_MAX };

static bool pool_is_over(const struct pool *pool)
{
    const uint64_t stop_at = atomic_load(&pool->stop_at_ms);

    return stop_at && (clock_ms() >= stop_at || pool_is_done(pool));
}

/* At most wait_ms, and not past the end. */
static uint64_t pool_wait_ms(const struct pool *pool, uint64_t wait_ms)
{
    const uint64_t stop_at = atomic_load(&pool->stop_at_ms);
    const uint64_t now = clock_ms();

    if (!stop_at)
        return wait_ms;
    if (stop_at <= now)
        return 0;
    return stop_at - now < wait_ms ? stop_at - now : wait_ms;
}

/* Waits without a connection, but never lets the workers wait for the outbox. */
static void pool_sleep(struct pool *pool, uint64_t wait_ms)
{
    struct pollfd fd = {.fd = pool->wake_fd, .events = POLLIN};
    uint64_t count;

    if (poll(&fd, 1, (int)pool_wait_ms(pool, wait_ms)) > 0) {
        while (read(pool->wake_fd, &count, sizeof count) > 0)
            ;
    }
    pool_gather(pool);
}

static void pool_pause(struct pool *pool, uint64_t wait_ms)
{
    const uint64_t until = clock_ms() + wait_ms;

    for (uint64_t now = clock_ms(); now < until && !pool_is_over(pool); now = clock_ms())
        pool_sleep(pool, until - now);
}

static enum status pool_connect(struct pool *pool, struct error *err)
{
    const struct transport_options options = {
        .host = pool->host,
        .port = pool->port,
        .path = *pool->path ? pool->path : NULL,
        .has_tls = pool->has_tls,
        .proxy = pool->proxy,
        .ca_file = pool->ca_file,
        .pin = *pool->pin ? pool->pin : NULL,
        .wake_fd = pool->wake_fd,
    };

    pool->is_greeted = pool->is_ready = false;
    pool->bad_messages = 0;
    pool->begun_ms = clock_ms();
    if (!pool->dialect->has_socket)
        return STATUS_OK;
    return transport_open(&options, &pool->transport, err);
}

/* A message that cannot be used is dropped; a pool that sends nothing else is left. */
static enum status pool_hear_line(struct pool *pool, struct bytes line, struct error *err)
{
    struct error heard = {0};
    const enum status status =
        pool->dialect->receive(pool->session, line, &pool->turn, &heard);
    const enum status settled = pool_settle(pool, err);

    if (!status || status == STATUS_NO_MEMORY)
        return settled;
    if (status != STATUS_BAD_MESSAGE && status != STATUS_NOT_SUPPORTED)
        return error_set(err, status, "%s", error_text(&heard));
    pool_tell_text(pool, status == STATUS_BAD_MESSAGE ? NEWS_NOTICE : NEWS_TOO_NEW,
                   error_text(&heard));
    if (++pool->bad_messages >= BAD_MESSAGES_MAX)
        return error_set(err, STATUS_NETWORK,
                         "the pool sent %d messages that could not be used",
                         BAD_MESSAGES_MAX);
    return settled;
}

static enum status pool_hear(struct pool *pool, struct error *err)
{
    enum status status = STATUS_OK;
    struct bytes line;

    while (!status && pool->transport && transport_take(pool->transport, &line))
        status = pool_hear_line(pool, line, err);
    return status;
}

static enum status pool_greet(struct pool *pool, struct error *err)
{
    const enum status status = pool->dialect->greet(pool->session, &pool->turn);

    pool->is_greeted = true;
    if (status)
        return error_set(err, status, "the hello could not be written: %s",
                         status_text(status));
    return pool_settle(pool, err);
}

/* One round: wait, hear, speak. */
static enum status pool_round(struct pool *pool, struct error *err)
{
    enum status status = STATUS_OK;

    if (pool->transport) {
        status = transport_wait(pool->transport, pool_wait_ms(pool, TURN_MS), err);
        pool_gather(pool);
    } else {
        pool_sleep(pool, pool->is_greeted ? TURN_MS : 0);
    }
    if (!status && (!pool->transport || transport_is_open(pool->transport)) &&
        !pool->is_greeted)
        status = pool_greet(pool, err);
    /* What came before the end of a connection still counts. */
    const enum status heard = pool_hear(pool, status ? NULL : err);
    if (!status)
        status = heard;
    if (status || !pool->is_greeted)
        return status;
    status = pool->dialect->tick(pool->session, clock_ms(), &pool->turn, err);
    if (!status)
        status = pool_settle(pool, err);
    if (!status)
        status = pool_solve(pool, err);
    return status ? status : pool_send(pool, err);
}

/* Shares of a plain pool's old jobs are worth nothing; a task pool keeps its session. */
static void pool_lost(struct pool *pool)
{
    struct pool_artifacts where;

    transport_close(pool->transport);
    pool->transport = NULL;
    puzzle_stop(pool->puzzle);
    pool->puzzle = NULL;
    pool->is_ready = false;
    dialect_turn_clear(&pool->turn);
    pool_send_again(pool);
    board_artifacts(&pool->board, &where);
    if (!*where.session)
        mailbox_put(pool->ports.jobs, NULL);
}

/* One connection, from its first packet to its last. */
static void pool_talk(struct pool *pool)
{
    struct error err = {0};
    char text[ERROR_TEXT_MAX];
    enum status status = pool_connect(pool, &err);

    while (!status && !pool_is_over(pool))
        status = pool_round(pool, &err);
    pool_lost(pool);
    if (!status || pool_is_over(pool))
        return;

    const uint64_t wait_ms =
        backoff_failed(&pool->backoff, status == STATUS_REFUSED) / pool->hurry;
    snprintf(text, sizeof text, "%.400s; again in %" PRIu64 " s", error_text(&err),
             (wait_ms + 999) / 1000);
    pool_tell_text(pool, NEWS_LOST, text);
    pool_pause(pool, wait_ms);
}

static void pool_main(void *context)
{
    struct pool *pool = context;

    do
        pool_talk(pool);
    while (!pool_is_over(pool));
}

/* Everything a person wrote is judged here. */
static enum status pool_configure(struct pool *pool, const struct pool_options *options,
                                  struct error *err)
{
    struct pool_target target;
    const enum status status = pool_target_read(options, &target, err);

    if (status)
        return status;
    pool->dialect = target.row->dialect;
    pool->has_tls = target.row->has_tls;
    pool->hurry = options->hurry ? options->hurry : 1;
    pool->port = target.port;
    pool->login = target.login;
    memcpy(pool->pin, target.pin, sizeof pool->pin);
    memcpy(pool->path, target.path, sizeof pool->path);
    memcpy(pool->host, target.host, sizeof pool->host);
    if (options->proxy && *options->proxy)
        pool->proxy = memory_text(options->proxy);
    if (options->ca_file && *options->ca_file)
        pool->ca_file = memory_text(options->ca_file);
    pool->courier_options = (struct courier_options){
        .proxy = pool->proxy, .ca_file = pool->ca_file, .wake_fd = pool->wake_fd};
    return pool->dialect->open(&pool->login, &pool->session, err);
}

enum status pool_start(const struct pool_options *options, const struct pool_ports *ports,
                       struct pool **out, struct error *err)
{
    struct pool *pool = memory_new(struct pool);
    enum status status = STATUS_OK;

    *out = NULL;
    if (!pool)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool");
    pool->ports = *ports;
    pool->turn.lines = blob_empty(LINES_MAX);
    atomic_init(&pool->stop_at_ms, 0);
    pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (pool->wake_fd < 0)
        status = error_set(err, STATUS_IO, "no eventfd could be had");
    if (!status)
        status = pool_configure(pool, options, err);
    if (!status && board_open(&pool->board))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a pool");
    if (!status)
        status = courier_start(&pool->courier_options, &pool->courier, err);
    if (!status) {
        queue_watch(ports->outbox, pool->wake_fd);
        status = thread_start("pool", pool_main, pool, &pool->thread);
        if (status)
            error_set(err, status, "no thread for a pool");
    }
    if (status)
        pool_free(pool);
    else
        *out = pool;
    return status;
}

uint32_t pool_stop(struct pool *pool, uint64_t wait_ms)
{
    const uint64_t one = 1;
    ssize_t told = 0;

    if (!pool->thread)
        return 0;
    atomic_store(&pool->stop_at_ms, clock_ms() + wait_ms);
    told = write(pool->wake_fd, &one, sizeof one);
    assert(told > 0); /* an eventfd takes a one */
    (void)told;
    thread_join(pool->thread);
    pool->thread = NULL;
    queue_watch(pool->ports.outbox, -1);
    courier_stop(pool->courier);
    pool->courier = NULL;
    return pool_drop_all(pool);
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    (void)pool_stop(pool, 0);
    queue_watch(pool->ports.outbox, -1);
    courier_stop(pool->courier);
    if (pool->session)
        pool->dialect->close(pool->session);
    board_close(&pool->board);
    dialect_turn_free(&pool->turn);
    memory_free(pool->proxy);
    memory_free(pool->ca_file);
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    memory_free(pool);
}

bool pool_is_cancelled(struct pool *pool, const char *task_id)
{
    return board_is_cancelled(&pool->board, task_id);
}

void pool_artifacts(struct pool *pool, struct pool_artifacts *out)
{
    board_artifacts(&pool->board, out);
}
