/*
 * executor_warp.c - the words of a warp and of a block: exchange between lanes, barriers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

static void warp_sync_run(struct warp *w)
{
    struct thread *thread = &executor_block->thread[w->first];
    u32 *all = thread[0].times;

    for (u32 i = 1; i < w->lanes; i++)
        clock_join(all, thread[i].times);
    for (u32 i = 1; i < w->lanes; i++)
        memcpy(thread[i].times, all, sizeof(u32) * executor_block->places);
    for (u32 i = 0; i < w->lanes; i++)
        clock_tick(&thread[i]);
}

void warp_sync(void)
{
    executor_meet("warp_sync", warp_sync_run, NULL);
}

struct shuffle {
    u32 x, lane; /* the lane it asks */
    u32 out;
};

/* A lane that is not there, or not asked for in range, leaves one's own value. */
static void shuffle_run(struct warp *w)
{
    for (u32 i = 0; i < w->lanes; i++) {
        struct shuffle *s = w->operands[i];

        s->out = s->lane < w->lanes ? ((struct shuffle *)w->operands[s->lane])->x : s->x;
    }
}

static u32 shuffle_with(const char *word, u32 x, u32 lane)
{
    struct shuffle s = {x, lane, 0};

    executor_meet(word, shuffle_run, &s);
    return s.out;
}

u32 shuffle(u32 x, u32 lane)
{
    return shuffle_with("shuffle", x, lane % LANES);
}

u32 shuffle_xor(u32 x, u32 mask)
{
    return shuffle_with("shuffle_xor", x, thread_index() % LANES ^ mask);
}

u32 shuffle_up(u32 x, u32 by)
{
    return shuffle_with("shuffle_up", x, thread_index() % LANES - by);
}

u32 shuffle_down(u32 x, u32 by)
{
    return shuffle_with("shuffle_down", x, thread_index() % LANES + by);
}

static void ballot_run(struct warp *w)
{
    u32 all = 0;

    for (u32 i = 0; i < w->lanes; i++)
        all |= (u32)(*(u32 *)w->operands[i] != 0) << i;
    for (u32 i = 0; i < w->lanes; i++)
        *(u32 *)w->operands[i] = all;
}

u32 warp_ballot(u32 is)
{
    executor_meet("warp_ballot", ballot_run, &is);
    return is;
}

/* Warps come to a barrier whole. */
static void barrier_check(const struct barrier *barrier, u32 id)
{
    const struct block *b = executor_block;

    for (u32 i = 0; i < b->threads; i++) {
        const u32 first = i / LANES * LANES;

        if (barrier->kinds[i] != barrier->kinds[first])
            executor_fail(
                "lanes of warp %u part at barrier %u: thread %u and thread %u do "
                "not come alike",
                first / LANES, id, first, i);
    }
}

static void barrier_open(struct barrier *barrier, u32 id)
{
    struct block *b = executor_block;

    barrier_check(barrier, id);
    for (u32 i = 0; i < b->threads; i++) {
        if (barrier->kinds[i] != 2)
            continue;
        clock_join(b->thread[i].times, barrier->times);
        if (&b->thread[i] != b->current)
            executor_wake(i, 1);
    }
    barrier->expected = 0;
    barrier->arrived = 0;
}

static void barrier_come(u32 id, u32 threads, u8 kind, const char *word)
{
    struct block *b = executor_block;
    struct thread *t = b->current;
    struct barrier *barrier = &t->member->barrier[id % BARRIERS];

    if (id >= BARRIERS || threads == 0 || threads > b->width ||
        (threads % LANES && threads != b->width))
        executor_fail("thread %u: barrier %u of %u threads", t->index, id, threads);
    if (barrier->arrived == 0) {
        barrier->expected = threads;
        memset(barrier->times, 0, sizeof(u32) * b->places);
        memset(barrier->kinds, 0, sizeof barrier->kinds);
    }
    if (barrier->expected != threads)
        executor_fail("thread %u comes to barrier %u of %u threads, others to one of %u",
                      t->index, id, threads, barrier->expected);
    if (barrier->kinds[t->index])
        executor_fail("thread %u comes twice to barrier %u", t->index, id);
    barrier->kinds[t->index] = kind;
    clock_join(barrier->times, t->times);
    clock_tick(t);
    if (++barrier->arrived == threads)
        barrier_open(barrier, id);
    else if (kind == 2)
        executor_sleep(word);
}

static void cluster_run(u32 *all)
{
    struct block *b = executor_block;

    for (u32 i = 0; i < b->threads; i++)
        clock_join(all, b->thread[i].times);
    for (u32 i = 0; i < b->threads; i++) {
        memcpy(b->thread[i].times, all, sizeof(u32) * b->places);
        clock_tick(&b->thread[i]);
    }
    b->together = 0;
    executor_wake(0, b->threads);
}

void cluster_sync(void)
{
    struct block *b = executor_block;

    if (++b->together == b->threads)
        cluster_run(b->thread[0].times);
    else
        executor_sleep("cluster_sync");
}

void block_sync(void)
{
    barrier_come(0, executor_block->width, 2, "block_sync");
}

void barrier_sync(u32 id, u32 threads)
{
    barrier_come(id, threads, 2, "barrier_sync");
}

void barrier_arrive(u32 id, u32 threads)
{
    barrier_come(id, threads, 1, "barrier_arrive");
}
