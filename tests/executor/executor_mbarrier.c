/*
 * executor_mbarrier.c - mbarriers, and the tensor copies (TMA) that report to them.
 *
 * What a copy wrote belongs to its mbarrier's own place of the clocks: a thread knows of
 * it once it has waited for that phase.  Late copies land when nobody else can go on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

#define TENSOR_COPIES_MAX 64u
#define TENSOR_MAGIC      0x74656e736f726d61ull

struct tensor {
    u64 magic, base, size[2], stride;
    u32 box[2], swizzled;
};
_Static_assert(sizeof(struct tensor) <= 128, "fits a tensor map");

struct mbarrier {
    const struct member *member;
    u32 at, maker, made; /* by whom and when */
    bool fenced;
    u32 arrivals, missing, phase;
    i64 bytes; /* still to come */
    u32 landed;
    u32 times[THREADS_MAX + AGENTS_MAX];  /* of those who arrived in this phase */
    u32 before[THREADS_MAX + AGENTS_MAX]; /* the same of the last phase */
};

struct tensor_copy {
    struct tensor tensor;
    struct mbarrier *barrier;
    u32 to;
    i32 x, y;
};

static struct mbarrier mbarriers[AGENTS_MAX];
static u32 mbarrier_count;
static struct tensor_copy copies[TENSOR_COPIES_MAX]; /* under way, oldest first */
static u32 copy_count;

void mbarriers_begin(void)
{
    mbarrier_count = 0;
    copy_count = 0;
}

/* The one at that offset in a block of the cluster. */
static struct mbarrier *mbarrier_of(u32 rank, u32 at, const char *word)
{
    const struct block *b = executor_block;
    const struct thread *t = b->current;

    if (rank >= b->threads / b->width || b->member[rank].left == 0)
        executor_fail("thread %u: block %u of the cluster is not there any more in %s",
                      t->index, rank, word);

    for (u32 i = 0; i < mbarrier_count; i++) {
        struct mbarrier *m = &mbarriers[i];

        if (m->at != at || m->member->rank != rank)
            continue;
        if (!executor_is_known(t, m->maker, m->made))
            executor_fail(
                "race: thread %u uses the mbarrier at %u in %s; thread %u made it and "
                "nothing orders the two",
                t->index, at, word, m->maker);
        return m;
    }
    executor_fail("thread %u: no mbarrier was made at shared offset %u", t->index, at);
}

static struct mbarrier *mbarrier_find(u32 at, const char *word)
{
    return mbarrier_of(executor_block->current->member->rank, at, word);
}

void mbarrier_init(u32 at, u32 arrivals)
{
    struct thread *t = executor_block->current;
    struct mbarrier *m = &mbarriers[mbarrier_count];

    if (mbarrier_count == AGENTS_MAX)
        executor_fail("more than %u mbarriers", AGENTS_MAX);
    if (arrivals == 0 || arrivals >= 1u << 20)
        executor_fail("an mbarrier of %u arrivals", arrivals);
    executor_access_shared(t, at, 8, ACCESS_WRITE, "mbarrier_init");
    executor_claim_shared(t, t->member, at, 8, "mbarrier_init");
    memset(m, 0, sizeof *m);
    m->member = t->member;
    m->at = at;
    m->maker = t->index;
    m->made = t->times[t->index];
    m->arrivals = arrivals;
    m->missing = arrivals;
    mbarrier_count++;
}

void mbarrier_fence(void)
{
    for (u32 i = 0; i < mbarrier_count; i++) {
        if (mbarriers[i].maker == executor_block->current->index)
            mbarriers[i].fenced = true;
    }
}

static void mbarrier_wake(const struct mbarrier *m)
{
    const struct block *b = executor_block;

    for (u32 i = 0; i < b->threads; i++) {
        const char *word = b->thread[i].word;

        if (word && !strcmp(word, "mbarrier_wait") && b->thread[i].waits_at == m->at &&
            b->thread[i].member == m->member)
            executor_wake(i, 1);
    }
}

static void mbarrier_turn(struct mbarrier *m)
{
    const u32 place = executor_block->threads + (u32)(m - mbarriers);

    if (m->missing || m->bytes)
        return;
    m->phase++;
    m->times[place] = m->landed;
    memcpy(m->before, m->times, sizeof m->before);
    memset(m->times, 0, sizeof m->times);
    m->missing = m->arrivals;
    mbarrier_wake(m);
}

static void mbarrier_come(struct mbarrier *m, u32 bytes)
{
    struct thread *t = executor_block->current;

    if (m->missing == 0)
        executor_fail(
            "thread %u arrives at the mbarrier at %u, which expects nobody more",
            t->index, m->at);
    clock_join(m->times, t->times);
    clock_tick(t);
    m->bytes += bytes;
    m->missing--;
    mbarrier_turn(m);
}

void mbarrier_arrive(u32 at)
{
    mbarrier_come(mbarrier_find(at, "mbarrier_arrive"), 0);
}

void mbarrier_arrive_in(u32 at, u32 rank)
{
    mbarrier_come(mbarrier_of(rank, at, "mbarrier_arrive_in"), 0);
}

void mbarrier_expect(u32 at, u32 bytes)
{
    mbarrier_come(mbarrier_find(at, "mbarrier_expect"), bytes);
}

static bool mbarrier_over(const struct mbarrier *m, u32 parity)
{
    if ((m->phase & 1) == (parity & 1))
        return false;
    clock_join(executor_block->current->times, m->before);
    return true;
}

u32 mbarrier_try_wait(u32 at, u32 parity)
{
    const struct mbarrier *m = mbarrier_find(at, "mbarrier_try_wait");

    if (mbarrier_over(m, parity))
        return 1;
    executor_yield("mbarrier_try_wait");
    return mbarrier_over(m, parity);
}

void mbarrier_wait(u32 at, u32 parity)
{
    const struct mbarrier *m = mbarrier_find(at, "mbarrier_wait");

    while (!mbarrier_over(m, parity)) {
        executor_block->current->waits_at = at;
        executor_sleep("mbarrier_wait");
    }
}

void async_fence(void)
{
    struct thread *t = executor_block->current;

    t->fenced = t->times[t->index];
    clock_tick(t);
}

void executor_tensor_map(void *map, const void *base, const uint64_t size[2],
                         uint64_t stride, const uint32_t box[2], bool swizzled)
{
    const struct tensor tensor = {TENSOR_MAGIC, (uintptr_t)base,  {size[0], size[1]},
                                  stride,       {box[0], box[1]}, swizzled ? 1 : 0};

    memset(map, 0, 128);
    memcpy(map, &tensor, sizeof tensor);
}

/* Where byte x of row y of the box goes. */
static u32 tensor_place(const struct tensor *tensor, u32 to, u32 x, u32 y)
{
    const u32 at = to + y * tensor->box[0] + x;

    return tensor->swizzled ? at ^ (at >> 7 & 7) << 4 : at;
}

static bool tensor_has(const struct tensor *tensor, i64 x, i64 y)
{
    return x >= 0 && y >= 0 && (u64)x < tensor->size[0] && (u64)y < tensor->size[1];
}

static void tensor_land(const struct tensor_copy *copy)
{
    const struct tensor *tensor = &copy->tensor;
    const u32 width = tensor->box[0], height = tensor->box[1];
    struct mbarrier *m = copy->barrier;
    const u8 *base = (const u8 *)(uintptr_t)tensor->base;

    for (u32 y = 0; y < height; y++) {
        for (u32 x = 0; x < width; x++) {
            const i64 from_x = (i64)copy->x + x, from_y = (i64)copy->y + y;

            m->member->shared[tensor_place(tensor, copy->to, x, y)] =
                tensor_has(tensor, from_x, from_y)
                    ? base[(u64)from_y * tensor->stride + (u64)from_x]
                    : 0;
        }
    }
    m->landed = m->phase + 1;
    if (m->member->left == 0)
        executor_fail("a tensor copy comes to a block that has ended");
    executor_land_shared(
        m->member,
        executor_seal(executor_block->threads + (u32)(m - mbarriers), m->landed),
        copy->to, width * height);
    m->bytes -= width * height;
    mbarrier_turn(m);
}

bool mbarriers_land(void)
{
    struct tensor_copy copy;
    u32 i = 0;

    if (copy_count == 0)
        return false;
    if (executor_block->mode->order == EXECUTOR_SEEDED)
        i = (u32)(executor_random() % copy_count);
    copy = copies[i];
    memmove(&copies[i], &copies[i + 1], sizeof copy * (--copy_count - i));
    tensor_land(&copy);
    return true;
}

static void tensor_check(const struct tensor *tensor, u32 to)
{
    const u32 align = tensor->swizzled ? 1024 : 128;
    const bool legal = tensor->magic == TENSOR_MAGIC && tensor->stride % 16 == 0 &&
                       tensor->base % 16 == 0 && tensor->box[0] % 16 == 0 &&
                       tensor->box[0] <= 256 && tensor->box[1] <= 256 &&
                       (!tensor->swizzled || tensor->box[0] == 128);

    if (!legal)
        executor_fail("tma_load: this is no tensor map that an encoder would have made");
    if (to % align)
        executor_fail(
            "misaligned: tma_load to shared offset %u, expected a multiple of %u", to,
            align);
}

/* What of the box lies in the tensor is read by the issuing thread. */
static void tensor_read(const struct thread *t, const struct tensor *tensor, i32 x, i32 y)
{
    const u8 *base = (const u8 *)(uintptr_t)tensor->base;

    for (u32 row = 0; row < tensor->box[1]; row++) {
        for (u32 column = 0; column < tensor->box[0];) {
            const i64 from_x = (i64)x + column, from_y = (i64)y + row;
            const bool is_wide =
                from_x % 16 == 0 && tensor_has(tensor, from_x + 15, from_y);

            if (tensor_has(tensor, from_x, from_y))
                executor_access_global(t, base + (u64)from_y * tensor->stride + from_x,
                                       is_wide ? 16 : 1, ACCESS_READ, "tma_load");
            column += is_wide ? 16 : 1;
        }
    }
}

void tma_prefetch(const struct tensor_map *map)
{
    (void)map;
}

/* To one block of the cluster. */
static void tensor_send(const struct tensor_copy *copy, u32 at)
{
    const struct block *b = executor_block;

    if (!copy->barrier->fenced)
        executor_fail(
            "no fence: tma_load reports to the mbarrier at %u, whose maker called no "
            "mbarrier_fence",
            at);
    for (u32 i = 0; i < copy->tensor.box[0] * copy->tensor.box[1]; i += 16)
        executor_claim_shared(b->current, copy->barrier->member, copy->to + i, 16,
                              "tma_load");
    if (copy_count == TENSOR_COPIES_MAX)
        executor_fail("more than %u tensor copies under way", TENSOR_COPIES_MAX);
    copies[copy_count++] = *copy;
    if (!b->mode->lands_late)
        mbarriers_land();
}

void tma_load_many(u32 to, const struct tensor_map *map, i32 x, i32 y, u32 barrier,
                   u32 blocks)
{
    struct tensor_copy copy = {.to = to, .x = x, .y = y};

    memcpy(&copy.tensor, map, sizeof copy.tensor);
    tensor_check(&copy.tensor, to);
    tensor_read(executor_block->current, &copy.tensor, x, y);
    for (u32 rank = 0; rank < 16; rank++) {
        if (!(blocks >> rank & 1))
            continue;
        copy.barrier = mbarrier_of(rank, barrier, "tma_load");
        tensor_send(&copy, barrier);
    }
}

void tma_load(u32 to, const struct tensor_map *map, i32 x, i32 y, u32 barrier)
{
    tma_load_many(to, map, x, y, barrier, 1u << cluster_rank());
}
