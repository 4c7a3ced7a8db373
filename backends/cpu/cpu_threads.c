/*
 * cpu_threads.c - a fixed pool of threads that share half-open ranges.
 *
 * One word says all: which run it is, whether it may still be joined, how many are in it.
 * A thread that wakes up late finds the run closed and is not waited for, so that small
 * runs cost little. Threads spin for some microseconds between runs and sleep after that.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_threads.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "backends/cpu/cpu_features.h"
#include "miner/base/memory.h"
#include "miner/base/queue.h"
#include "miner/base/thread.h"

enum {
    THREADS_MAX = 1024,
    PARTS_PER_THREAD = 2, /* that what is left would make */
    SPINS_MAX =
        2000, /* about 30 microseconds: longer than the gap between two launches */
};

#define STATE_OPEN                                                                       \
    0x10000u /* below it: how many are in the run; above it: the run's number */
#define STATE_INSIDE 0xffffu
#define STATE_RUN    17

struct worker {
    struct cpu_threads *pool;
    struct thread *thread;
    struct queue *wake;
    uint32_t number;
    atomic_bool is_asleep;
};

struct cpu_threads {
    uint32_t count;
    bool is_pinned;         /* each worker to a processor: all of them are ours */
    struct worker *workers; /* [count]; the first is the caller and has no thread */
    /* the run: written by the caller while nobody is inside */
    cpu_work *work;
    void *context;
    uint64_t last, grain;
    bool is_stopping;
    _Alignas(64) atomic_uint_fast64_t state;
    _Alignas(64) atomic_uint_fast64_t next;
};

/* The next part: large ones first, because neighbours share what they read, and small
 * ones last, so that all threads end together.  False: none is left. */
static bool part_take(struct cpu_threads *pool, uint64_t *first, uint64_t *last)
{
    *first = atomic_load(&pool->next);
    do {
        if (*first >= pool->last)
            return false;
        const uint64_t left = pool->last - *first;
        const uint64_t share = left / (PARTS_PER_THREAD * pool->count);
        const uint64_t wanted =
            share > pool->grain ? share / pool->grain * pool->grain : pool->grain;

        *last = *first + (left < wanted ? left : wanted);
    } while (!atomic_compare_exchange_weak(&pool->next, first, *last));
    return true;
}

static void work_parts(struct cpu_threads *pool, uint32_t thread)
{
    uint64_t first, last;

    while (part_take(pool, &first, &last))
        pool->work(pool->context, thread, first, last);
}

/* Into the run that is open, if there is one that was not seen yet. */
static bool run_join(struct cpu_threads *pool, uint64_t *seen)
{
    uint64_t state = atomic_load(&pool->state);

    while (state & STATE_OPEN && state >> STATE_RUN != *seen)
        if (atomic_compare_exchange_weak(&pool->state, &state, state + 1)) {
            *seen = state >> STATE_RUN;
            return true;
        }
    *seen = state >> STATE_RUN;
    return false;
}

static bool run_is_new(struct cpu_threads *pool, uint64_t seen)
{
    return atomic_load(&pool->state) >> STATE_RUN != seen;
}

static void run_wait(struct worker *worker, uint64_t seen)
{
    void *token = NULL;

    for (int spins = 0; spins < SPINS_MAX; spins++) {
        if (run_is_new(worker->pool, seen))
            return;
        cpu_pause();
    }
    atomic_store(&worker->is_asleep, true);
    /* Whoever takes the flag back decides: if it was the caller, a token is on its way.
     */
    if (run_is_new(worker->pool, seen) && atomic_exchange(&worker->is_asleep, false))
        return;
    const enum status status = queue_take(worker->wake, QUEUE_FOREVER, &token);
    assert(!status); /* nobody closes this queue */
    (void)status;
}

static void worker_main(void *context)
{
    struct worker *worker = context;
    struct cpu_threads *pool = worker->pool;
    uint64_t seen = 0;

    cpu_float_exact();
    for (bool is_stopping = false; !is_stopping;) {
        run_wait(worker, seen);
        if (!run_join(pool, &seen))
            continue;
        is_stopping = pool->is_stopping;
        work_parts(pool, worker->number);
        atomic_fetch_sub(&pool->state, 1);
    }
}

static void workers_wake(struct cpu_threads *pool, uint64_t wanted)
{
    for (uint32_t i = 1; i < pool->count && i <= wanted; i++) {
        struct worker *worker = &pool->workers[i];

        if (!atomic_exchange(&worker->is_asleep, false))
            continue;
        const enum status status = queue_put(worker->wake, worker, QUEUE_FOREVER);
        assert(!status); /* it holds one token and was empty */
        (void)status;
    }
}

static void run_open(struct cpu_threads *pool, uint64_t parts)
{
    uint64_t run = (atomic_load(&pool->state) >> STATE_RUN) + 1;

    atomic_store(&pool->next, 0);
    atomic_store(&pool->state, run << STATE_RUN | STATE_OPEN);
    workers_wake(pool, parts - 1);
}

static void run_close(struct cpu_threads *pool)
{
    uint32_t spins = 0;

    atomic_fetch_and(&pool->state, ~(uint64_t)STATE_OPEN);
    while (atomic_load(&pool->state) & STATE_INSIDE) {
        cpu_pause();
        if (++spins % SPINS_MAX == 0)
            sched_yield();
    }
}

void cpu_threads_run(struct cpu_threads *pool, cpu_work *work, void *context,
                     uint64_t last, uint64_t grain)
{
    assert(grain);
    cpu_float_exact();
    if (!last)
        return;
    if (pool->count == 1 || last <= grain) {
        work(context, 0, 0, last);
        return;
    }
    pool->work = work;
    pool->context = context;
    pool->last = last;
    pool->grain = grain;
    run_open(pool, (last - 1) / grain + 1);
    work_parts(pool, 0);
    run_close(pool);
}

uint32_t cpu_threads_count(const struct cpu_threads *pool)
{
    return pool->count;
}

static void token_release(void *token)
{
    (void)token; /* a token is the worker itself */
}

static enum status worker_start(struct cpu_threads *pool, uint32_t number)
{
    struct worker *worker = &pool->workers[number];
    char name[16];
    enum status status;

    worker->pool = pool;
    worker->number = number;
    status = queue_new(1, token_release, &worker->wake);
    if (status)
        return status;
    snprintf(name, sizeof name, "cpu-%u", number);
    status = thread_start(name, worker_main, worker, &worker->thread);
    if (!status && pool->is_pinned)
        thread_pin(worker->thread, number);
    return status;
}

enum status cpu_threads_new(uint32_t count, struct cpu_threads **out)
{
    struct cpu_threads *pool = memory_new(struct cpu_threads);
    enum status status = STATUS_OK;

    assert(count);
    if (!pool)
        return STATUS_NO_MEMORY;
    pool->count = count < THREADS_MAX ? count : THREADS_MAX;
    pool->is_pinned = pool->count == thread_processors();
    pool->workers = memory_array(pool->count, sizeof *pool->workers);
    if (!pool->workers)
        status = STATUS_NO_MEMORY;
    for (uint32_t i = 1; !status && i < pool->count; i++)
        status = worker_start(pool, i);
    if (status) {
        cpu_threads_free(pool);
        return status;
    }
    *out = pool;
    return STATUS_OK;
}

/* A run without parts that stays open until everybody has come. */
static void workers_stop(struct cpu_threads *pool)
{
    pool->is_stopping = true;
    pool->last = 0;
    pool->grain = 1;
    run_open(pool, pool->count);
    for (uint32_t i = 1; i < pool->count; i++)
        thread_join(pool->workers[i].thread);
}

void cpu_threads_free(struct cpu_threads *pool)
{
    if (!pool)
        return;
    if (pool->workers)
        workers_stop(pool);
    for (uint32_t i = 1; pool->workers && i < pool->count; i++)
        queue_free(pool->workers[i].wake);
    memory_free(pool->workers);
    memory_free(pool);
}
