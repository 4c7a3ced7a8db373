/*
 * pool.c - the pool thread: waits for all its pools together, brings them what the
 * workers have to say, stops.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool.h"

#include <assert.h>
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
    const uint64_t wait_ms = failover_wait_ms(pool, TURN_MS / pool->strict);

    if (!stop_at || now + wait_ms <= stop_at)
        return wait_ms;
    return stop_at > now ? stop_at - now : 0;
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

/* Whose it is: the pool of the share's job, or of the answer's task. */
static struct pool_link *pool_find_link(struct pool *pool, const struct outgoing *what)
{
    for (uint32_t i = 0; i < pool->link_count; i++) {
        struct pool_link *link = &pool->links[i];

        if (what->kind == OUTGOING_SHARE
                ? what->as.share->job->pool == link->number
                : link_find_task(link, what->as.answer->task_id) != NULL)
            return link;
    }
    return pool->current ? pool->current : pool->links;
}

/* One thing of the workers. */
static void pool_route(struct pool *pool, struct outgoing *what)
{
    struct pool_link *link = pool_find_link(pool, what);

    if (what->kind == OUTGOING_ANSWER && what->as.answer->kind == ANSWER_DECLINE) {
        struct link_task *task = link_find_task(link, what->as.answer->task_id);

        if (task)
            task->is_open = false;
    }
    sending_put(link, what);
}

static struct pool_link *pool_numbered(struct pool *pool, uint32_t number)
{
    uint32_t i = 0;

    while (i < pool->link_count && pool->links[i].number != number)
        i++;
    assert(i < pool->link_count);
    return &pool->links[i];
}

/* Takes from the outbox and from the courier what is there, with or without a connection:
 * the workers never wait for the outbox. */
static void pool_gather(struct pool *pool)
{
    struct errand *errand = NULL;
    void *taken = NULL;
    enum status status = STATUS_OK;

    while ((errand = courier_take(pool->courier))) {
        struct pool_link *link = pool_numbered(pool, errand->link);

        if (errand->kind == ERRAND_FETCH)
            link_fetched(link, errand);
        else
            sending_carried(link, errand);
        errand_free(errand);
    }
    while (!status && pool_has_room(pool)) {
        status = queue_take(pool->ports.outbox, 0, &taken);
        if (!status)
            pool_route(pool, taken);
    }
    pool->is_outbox_closed = status == STATUS_CLOSED;
}

/* One round: wait, hear, speak. */
static void pool_round(struct pool *pool)
{
    pool_wait(pool);
    pool_gather(pool);
    failover_step(pool);
    failover_turn(pool);
}

static void pool_main(void *context)
{
    struct pool *pool = context;

    do
        pool_round(pool);
    while (!pool_is_over(pool));
    failover_end(pool);
}

/* Everything a person wrote is judged here. */
static enum status pool_configure(struct pool *pool, const struct pool_options *options,
                                  struct error *err)
{
    enum status status = STATUS_OK;

    pool->hurry = options->hurry ? options->hurry : 1;
    pool->strict = options->strict ? options->strict : 1;
    pool->links = memory_array(POOL_LINKS_MAX, sizeof pool->links[0]);
    if (!pool->links)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool");
    for (; !status && options; options = options->next) {
        if (pool->link_count == POOL_LINKS_MAX)
            return error_set(err, STATUS_BAD_CONFIG,
                             "there are more than %d pools in the list", POOL_LINKS_MAX);
        pool->links[pool->link_count].pool = pool;
        status = link_open(&pool->links[pool->link_count++], options, err);
    }
    pool->courier_options = (struct courier_options){.proxy = pool->links[0].proxy,
                                                     .ca_file = pool->links[0].ca_file,
                                                     .wake_fd = pool->wake_fd};
    return status;
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
    atomic_init(&pool->wants_next, false);
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

static void pool_wake(const struct pool *pool)
{
    const uint64_t one = 1;
    const ssize_t told = write(pool->wake_fd, &one, sizeof one);

    assert(told > 0); /* an eventfd takes a one */
    (void)told;
}

void pool_end(struct pool *pool, uint64_t wait_ms)
{
    if (!atomic_load(&pool->stop_at_ms))
        atomic_store(&pool->stop_at_ms, clock_ms() + wait_ms);
    pool_wake(pool);
}

void pool_next(struct pool *pool)
{
    atomic_store(&pool->wants_next, true);
    pool_wake(pool);
}

uint32_t pool_stop(struct pool *pool, uint64_t wait_ms)
{
    uint32_t left = 0;

    if (!pool->thread)
        return 0;
    pool_end(pool, wait_ms);
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
