/*
 * executor_run.c - launches: the list of kernels, blocks one after the other, fibers in
 * the order of the mode, and the sentence when something went wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_state.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define IDLE_MAX 100000u /* turns of nothing but polling: they wait for ever */

static struct block the_block;
struct block *const executor_block = &the_block;

u64 executor_random(void)
{
    u64 *x = &the_block.random;

    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void block_leave(void)
{
    struct fiber gone;

    fiber_switch(&gone, &the_block.main);
    abort();
}

void executor_fail(const char *format, ...)
{
    struct block *b = &the_block;
    const u32 *at = b->index;
    va_list arguments;
    Dl_info info;
    int length;

    length = snprintf(b->fault, sizeof b->fault, "%s, block %u,%u,%u: ", b->kernel->name,
                      at[0], at[1], at[2]);
    va_start(arguments, format);
    vsnprintf(b->fault + length, sizeof b->fault - (size_t)length, format, arguments);
    va_end(arguments);
    length = (int)strlen(b->fault);
    if (b->caller && dladdr(b->caller, &info) && info.dli_fname)
        snprintf(b->fault + length, sizeof b->fault - (size_t)length, " [%s+0x%zx]",
                 strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1
                                              : info.dli_fname,
                 (size_t)((const char *)b->caller - (const char *)info.dli_fbase));
    b->failed = true;
    block_leave();
    abort();
}

static bool waits_alike(const struct thread *a, const struct thread *b)
{
    if (!a->word || !b->word)
        return a->word == b->word;
    return strcmp(a->word, b->word) == 0;
}

/* How many wait where thread i does; 0 unless it is the first of them. */
static u32 waits_count(u32 i)
{
    const struct thread *thread = the_block.thread;
    u32 count = 0;

    for (u32 j = 0; j < the_block.threads; j++) {
        if (!waits_alike(&thread[i], &thread[j]))
            continue;
        if (j < i)
            return 0;
        count++;
    }
    return count;
}

/* Who waits where, when nobody can go on. */
static void block_stuck(void)
{
    char text[400] = "";
    size_t length = 0;

    for (u32 i = 0; i < the_block.threads && length + 80 < sizeof text; i++) {
        const char *word = the_block.thread[i].word;
        const u32 count = waits_count(i);

        if (count)
            length += (size_t)snprintf(text + length, sizeof text - length,
                                       "%s%u %s%s (first: thread %u)", length ? ", " : "",
                                       count, word ? "wait in " : "have left the kernel",
                                       word ? word : "", i);
    }
    executor_fail("nobody can go on: %s", text);
}

static void ready_put(u32 thread)
{
    struct block *b = &the_block;

    b->ready[(b->ready_begin + b->ready_count++) % THREADS_MAX] = thread;
}

static u32 ready_take(void)
{
    struct block *b = &the_block;
    u32 *first = &b->ready[b->ready_begin];

    if (b->mode->order == EXECUTOR_SEEDED) {
        u32 *any = &b->ready[(b->ready_begin + executor_random() % b->ready_count) %
                             THREADS_MAX];
        const u32 chosen = *any;

        *any = *first;
        *first = chosen;
    }
    b->ready_begin = (b->ready_begin + 1) % THREADS_MAX;
    b->ready_count--;
    return *first;
}

static void block_next(void)
{
    struct block *b = &the_block;
    struct thread *from = b->current;

    if (b->ended == b->threads)
        block_leave();
    while (b->ready_count == 0) {
        if (!mbarriers_land())
            block_stuck();
    }
    b->current = &b->thread[ready_take()];
    b->current->word = NULL;
    if (b->current != from)
        fiber_switch(&from->fiber, &b->current->fiber);
}

void executor_sleep(const char *word)
{
    the_block.current->word = word;
    the_block.idle = 0;
    block_next();
}

void executor_yield(const char *word)
{
    struct block *b = &the_block;

    b->current->word = word;
    ready_put(b->current->index);
    if (++b->idle > 4 * b->threads && mbarriers_land())
        b->idle = 0;
    if (b->idle > IDLE_MAX)
        block_stuck();
    block_next();
}

void executor_wake(u32 first, u32 count)
{
    const bool descending = the_block.mode->order == EXECUTOR_DESCENDING;

    the_block.idle = 0;
    for (u32 i = 0; i < count; i++) {
        const u32 thread = first + (descending ? count - 1 - i : i);

        if (the_block.thread[thread].word)
            ready_put(thread);
    }
}

static void warp_meet(struct warp *w, const char *word, void (*run)(struct warp *warp),
                      void *operands)
{
    const u32 index = the_block.current->index;

    if (w->arrived == 0) {
        w->word = word;
        w->run = run;
    } else if (w->word != word && strcmp(w->word, word) != 0) {
        executor_fail("lanes of warp %u part: thread %u is in %s, others in %s",
                      index / LANES, index, word, w->word);
    }
    w->operands[index - w->first] = operands;
    if (++w->arrived < w->lanes) {
        executor_sleep(word);
        return;
    }
    run(w);
    w->arrived = 0;
    executor_wake(w->first, w->lanes);
}

void executor_meet(const char *word, void (*run)(struct warp *warp), void *operands)
{
    warp_meet(&the_block.warp[the_block.current->index / LANES], word, run, operands);
}

void executor_meet_group(const char *word, void (*run)(struct warp *group),
                         void *operands)
{
    struct warp *group = &the_block.group[the_block.current->index / GROUP];

    if (group->lanes != GROUP)
        executor_fail("%s in a group of %u threads, expected 128", word, group->lanes);
    warp_meet(group, word, run, operands);
}

static void thread_main(void)
{
    struct block *b = &the_block;

    b->kernel->call(b->launch->arguments);
    b->current->ended = true;
    b->current->word = NULL;
    b->current->member->left--;
    b->ended++;
    b->idle = 0;
    block_next();
    abort();
}

static void thread_begin(struct thread *t, u32 index)
{
    struct block *b = &the_block;
    struct copy *copies = t->copies;

    memset(t, 0, sizeof *t);
    t->copies = copies;
    t->index = index;
    t->member = &b->member[index / b->width];
    t->group = 1;
    t->times = b->clocks + (size_t)index * b->places;
    t->times[index] = 1;
    fiber_new(&t->fiber, b->stacks + (size_t)index * STACK_SIZE, STACK_SIZE, thread_main);
}

static void warps_begin(struct warp *warps, u32 width)
{
    for (u32 first = 0; first < the_block.threads; first += width) {
        const u32 left = the_block.threads - first;
        struct warp *w = &warps[first / width];

        w->first = first;
        w->lanes = left < width ? left : width;
        w->arrived = 0;
    }
}

static void member_begin(struct member *member)
{
    const u32 bytes = the_block.launch->shared_bytes;

    memset(member->words, 0, sizeof *member->words * ((bytes + 3) / 4));
    memset(member->is_split, 0, sizeof *member->is_split * ((bytes + 3) / 4));
    memset(member->shared, 0xa5, bytes);
    member->left = the_block.width;
    for (u32 i = 0; i < BARRIERS; i++)
        member->barrier[i].arrived = 0;
}

static void block_begin(void)
{
    struct block *b = &the_block;

    b->serial++;
    b->ended = 0;
    b->idle = 0;
    b->together = 0;
    b->ready_begin = 0;
    b->ready_count = 0;
    memset(b->clocks, 0, sizeof(u32) * b->places * b->threads);
    for (u32 i = 0; i < b->threads / b->width; i++)
        member_begin(&b->member[i]);
    for (u32 i = 0; i < b->threads; i++)
        thread_begin(&b->thread[i], i);
    warps_begin(b->warp, LANES);
    warps_begin(b->group, GROUP);
    mbarriers_begin();
    wgmma_begin();
    for (u32 i = 0; i < b->threads; i++)
        ready_put(b->mode->order == EXECUTOR_DESCENDING ? b->threads - 1 - i : i);
}

bool executor_block_run(u64 number)
{
    struct block *b = &the_block;
    const uint32_t *grid = b->launch->grid;
    const u32 members = b->threads / b->width, row = grid[0] / members;

    b->index[0] = (u32)(number % row) * members;
    b->index[1] = (u32)(number / row % grid[1]);
    b->index[2] = (u32)(number / row / grid[1]);
    block_begin();
    b->current = &b->thread[ready_take()];
    fiber_switch(&b->main, &b->current->fiber);
    return !b->failed;
}

/* Shared memory, with room around it that is no memory of the kernel. */
static void member_make(struct member *member, u32 rank)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    u8 *room =
        mmap(NULL, SHARED_MAX + 2 * SHARED_MARGIN, PROT_READ | PROT_WRITE, flags, -1, 0);

    member->rank = rank;
    member->shared = room + SHARED_MARGIN;
    member->bytes = calloc(SHARED_MAX, sizeof *member->bytes);
    member->words = calloc(SHARED_MAX / 4, sizeof *member->words);
    member->is_split = calloc(SHARED_MAX / 4, sizeof *member->is_split);
    for (u32 i = 0; i < BARRIERS; i++)
        member->barrier[i].times = calloc(THREADS_MAX + AGENTS_MAX, sizeof(u32));
}

/* What is made once and serves all launches. */
void executor_block_make(void)
{
    struct block *b = &the_block;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    if (b->stacks)
        return;
    b->stacks = mmap(NULL, (size_t)THREADS_MAX * STACK_SIZE, PROT_READ | PROT_WRITE,
                     flags, -1, 0);
    for (u32 i = 0; i < MEMBERS_MAX; i++)
        member_make(&b->member[i], i);
    b->ready = calloc(THREADS_MAX, sizeof *b->ready);
    b->clocks = calloc((size_t)THREADS_MAX * (THREADS_MAX + AGENTS_MAX), sizeof(u32));
    for (u32 i = 0; i < THREADS_MAX; i++)
        b->thread[i].copies = calloc(COPIES_MAX, sizeof(struct copy));
}
