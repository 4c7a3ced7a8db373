/*
 * pool.c - the pool thread: which pool is connected when, waiting for all of them, stop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/pool_thread.h"

enum { TURN_MS = 1000 };

/* Nothing waits any more, for sending or for an answer. */
static bool pool_is_done(const struct pool *pool)
{
    bool is_done = pool->is_outbox_closed;

    for (uint32_t i = 0; i < pool->link_count; i++)
        is_done = is_done && !pool->links[i].sending_count;
    return is_done;
}

static bool pool_is_over(const struct pool *pool)
{
    const uint64_t stop_at = atomic_load(&pool->stop_at_ms);

    return stop_at && (clock_ms() >= stop_at || pool_is_done(pool));
}

/* How long nothing can be due. */
static uint64_t pool_wait_ms(const struct pool *pool)
{
    const uint64_t stop_at = atomic_load(&pool->stop_at_ms);
    const uint64_t now = clock_ms();
    uint64_t until = now + TURN_MS;

    if (stop_at && stop_at < until)
        until = stop_at;
    for (uint32_t i = 0; i < pool->link_count; i++) {
        const struct pool_link *link = &pool->links[i];

        if (link->is_connected && !link->transport && !link->is_greeted)
            return 0;
        if (!link->is_connected && link->due_ms < until)
            until = link->due_ms;
    }
    return until > now ? until - now : 0;
}

/* Waits for all links together. */
static void pool_wait(struct pool *pool)
{
    struct transport *transports[POOL_LINKS_MAX];
    uint32_t count = 0;

    assert(pool->link_count <= POOL_LINKS_MAX);
    for (uint32_t i = 0; i < pool->link_count; i++) {
        if (pool->links[i].transport)
            transports[count++] = pool->links[i].transport;
    }
    transport_wait_all(transports, count, pool->wake_fd, pool_wait_ms(pool));
}

static bool pool_has_room(const struct pool *pool)
{
    bool has_room = true;

    for (uint32_t i = 0; i < pool->link_count; i++)
        has_room = has_room && sending_has_room(&pool->links[i]);
    return has_room;
}

/* Takes from the outbox and from the courier what is there, with or without a connection:
 * the workers never wait for the outbox. */
static void pool_gather(struct pool *pool)
{
    struct errand *errand = NULL;
    void *taken = NULL;
    enum status status = STATUS_OK;

    while ((errand = courier_take(pool->courier))) {
        assert(errand->link < pool->link_count);
        if (errand->kind == ERRAND_FETCH)
            link_fetched(&pool->links[errand->link], errand);
        else
            sending_carried(&pool->links[errand->link], errand);
        errand_free(errand);
    }
    while (!status && pool_has_room(pool)) {
        status = queue_take(pool->ports.outbox, 0, &taken);
        if (!status)
            sending_put(&pool->links[0], taken);
    }
    pool->is_outbox_closed = status == STATUS_CLOSED;
}

/* Shares of a plain pool's old jobs are worth nothing; a task pool keeps its session. */
static void pool_lost(struct pool *pool, struct pool_link *link)
{
    link_hang_up(link);
    sending_lost(link);
    if (!*link->artifacts.session)
        mailbox_put(pool->ports.jobs, NULL);
}

static void pool_failed(struct pool *pool, struct pool_link *link, enum status status,
                        const struct error *why)
{
    const uint64_t wait_ms =
        backoff_failed(&link->backoff, status == STATUS_REFUSED) / pool->hurry;
    char text[ERROR_TEXT_MAX];

    pool_lost(pool, link);
    link->due_ms = clock_ms() + wait_ms;
    if (pool_is_over(pool))
        return;
    snprintf(text, sizeof text, "%.400s; again in %" PRIu64 " s", error_text(why),
             (wait_ms + 999) / 1000);
    link_tell_text(link, NEWS_LOST, text);
}

static void pool_connect(struct pool *pool, struct pool_link *link)
{
    struct error err = {0};
    const enum status status = link_connect(link, &err);

    if (status)
        pool_failed(pool, link, status, &err);
}

static void pool_step(struct pool *pool, struct pool_link *link)
{
    struct error err = {0};
    const enum status status = link_step(link, &err);

    if (status)
        pool_failed(pool, link, status, &err);
}

/* One round: wait, hear, speak. */
static void pool_round(struct pool *pool)
{
    pool_wait(pool);
    pool_gather(pool);
    for (uint32_t i = 0; i < pool->link_count; i++) {
        struct pool_link *link = &pool->links[i];

        if (link->is_connected)
            pool_step(pool, link);
        else if (clock_ms() >= link->due_ms)
            pool_connect(pool, link);
    }
}

static void pool_main(void *context)
{
    struct pool *pool = context;

    do
        pool_round(pool);
    while (!pool_is_over(pool));
    for (uint32_t i = 0; i < pool->link_count; i++)
        pool_lost(pool, &pool->links[i]);
}

/* Everything a person wrote is judged here. */
static enum status pool_configure(struct pool *pool, const struct pool_options *options,
                                  struct error *err)
{
    pool->hurry = options->hurry ? options->hurry : 1;
    pool->links = memory_array(1, sizeof pool->links[0]);
    if (!pool->links)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool");
    pool->link_count = 1;
    for (uint32_t i = 0; i < pool->link_count; i++) {
        pool->links[i].pool = pool;
        pool->links[i].number = i;
        const enum status status = link_open(&pool->links[i], options, err);
        if (status)
            return status;
    }
    pool->courier_options = (struct courier_options){.proxy = pool->links[0].proxy,
                                                     .ca_file = pool->links[0].ca_file,
                                                     .wake_fd = pool->wake_fd};
    return STATUS_OK;
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
    uint32_t left = 0;
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
    for (uint32_t i = 0; i < pool->link_count; i++)
        left += sending_drop_all(&pool->links[i]);
    return left;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    (void)pool_stop(pool, 0);
    queue_watch(pool->ports.outbox, -1);
    courier_stop(pool->courier);
    for (uint32_t i = 0; i < pool->link_count; i++)
        link_close(&pool->links[i]);
    memory_free(pool->links);
    board_close(&pool->board);
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
