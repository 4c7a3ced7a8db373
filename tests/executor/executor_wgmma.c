/*
 * executor_wgmma.c - products of a warp group out of swizzled shared memory, under way
 * between wgmma_k32 and wgmma_wait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

#define PRODUCTS_MAX 64u
#define ROWS         64u
#define DEPTH        32u
#define COLUMNS_MAX  256u

struct product {
    i32 *d[GROUP];
    u32 columns, group, add;
    u64 a, b;
};

struct products {
    struct product list[PRODUCTS_MAX]; /* under way, oldest first */
    u32 count, group;
    bool fenced; /* since the last wait */
};

static struct products all[THREADS_MAX / GROUP];

void wgmma_begin(void)
{
    for (u32 i = 0; i < THREADS_MAX / GROUP; i++) {
        all[i].count = 0;
        all[i].group = 1;
        all[i].fenced = false;
    }
}

bool wgmma_owns(const struct thread *thread, const void *at)
{
    const struct products *p = &all[thread->index / GROUP];

    for (u32 i = 0; i < p->count; i++) {
        const i32 *d = p->list[i].d[thread->index % GROUP];

        if ((const i32 *)at >= d && (const i32 *)at < d + p->list[i].columns / 2)
            return true;
    }
    return false;
}

u64 wgmma_operand(u32 at)
{
    return 1ull << 62 | 64ull << 32 | 1ull << 16 | at >> 4;
}

/* Where byte k of a row lies. */
static u32 operand_place(u64 operand, u32 row, u32 k)
{
    const u32 start = (u32)(operand & 0x3fff) << 4, group = (u32)(operand >> 32 & 0x3fff)
                                                            << 4;
    const u32 at = start + row / 8 * group + row % 8 * 128 + k;

    return at ^ (at >> 7 & 7) << 4;
}

/* Every warp reads its 16 rows of a and all of b; its first lane stands for it. */
static void product_reads(const struct product *p, u32 first, bool begins)
{
    for (u32 row = 0; row < ROWS + p->columns * 4; row++) {
        const bool is_a = row < ROWS;
        const u32 warp = is_a ? row / 16 : (row - ROWS) / p->columns;
        const struct thread *t = &executor_block->thread[first + warp * LANES];

        for (u32 k = 0; k < DEPTH; k += 16) {
            const u32 at = is_a ? operand_place(p->a, row, k)
                                : operand_place(p->b, (row - ROWS) % p->columns, k);

            if (begins)
                executor_read_async(t, at, 16, "wgmma_k32");
            else
                executor_read_done(t, at, 16);
        }
    }
}

static i32 dot(const i8 *a, const i8 *b)
{
    i32 sum = 0;

    for (u32 k = 0; k < DEPTH; k++)
        sum += (i32)a[k] * (i32)b[k];
    return sum;
}

static void product_operand(const u8 *shared, u64 operand, u32 rows, i8 (*to)[DEPTH])
{
    for (u32 row = 0; row < rows; row++) {
        for (u32 k = 0; k < DEPTH; k += 16)
            memcpy(&to[row][k], shared + operand_place(operand, row, k), 16);
    }
}

static void product_compute(const struct product *p, u32 first)
{
    const u8 *shared = executor_block->thread[first].member->shared;
    i8 a[ROWS][DEPTH], b[COLUMNS_MAX][DEPTH];

    product_operand(shared, p->a, ROWS, a);
    product_operand(shared, p->b, p->columns, b);
    for (u32 thread = 0; thread < GROUP; thread++) {
        const u32 row = thread / LANES * 16 + thread % LANES / 4;
        i32 *d = p->d[thread];

        for (u32 i = 0; i < p->columns / 2; i++) {
            const i32 sum =
                dot(a[row + i / 2 % 2 * 8], b[i / 4 * 8 + thread % 4 * 2 + i % 2]);

            d[i] = (i32)((p->add ? (u32)d[i] : 0) + (u32)sum);
        }
    }
}

static void fence_run(struct warp *group)
{
    all[group->first / GROUP].fenced = true;
}

void wgmma_fence(void)
{
    executor_meet_group("wgmma_fence", fence_run, NULL);
}

static void product_check(const struct product *p)
{
    const u64 kind = 3ull << 62 | 7ull << 49;

    if ((p->a & kind) != 1ull << 62 || (p->b & kind) != 1ull << 62)
        executor_fail("wgmma_k32: an operand that wgmma_operand did not make");
    if ((p->a & 7) > 6 || (p->b & 7) > 6)
        executor_fail("wgmma_k32: 32 bytes that leave their slice of 128");
}

static void product_run(struct warp *group)
{
    struct products *products = &all[group->first / GROUP];
    struct product *p = &products->list[products->count];
    const struct product *one = group->operands[0];

    if (!products->fenced)
        executor_fail(
            "wgmma_k32 of group %u without wgmma_fence since the last wgmma_wait",
            group->first / GROUP);
    if (products->count == PRODUCTS_MAX)
        executor_fail("more than %u wgmma under way", PRODUCTS_MAX);
    *p = *one;
    p->group = products->group;
    for (u32 i = 0; i < GROUP; i++) {
        const struct product *other = group->operands[i];

        if (other->a != one->a || other->b != one->b || other->add != one->add ||
            other->columns != one->columns)
            executor_fail("wgmma_k32: thread %u names other operands than thread %u",
                          group->first + i, group->first);
        p->d[i] = other->d[0];
    }
    product_check(p);
    product_reads(p, group->first, true);
    products->count++;
    if (!executor_block->mode->lands_late)
        product_compute(p, group->first);
}

void executor_wgmma(i32 *d, u32 columns, u64 a, u64 b, u32 add)
{
    struct product one = {.d = {d}, .columns = columns, .add = add != 0, .a = a, .b = b};

    executor_meet_group("wgmma_k32", product_run, &one);
}

static void commit_run(struct warp *group)
{
    all[group->first / GROUP].group++;
}

void wgmma_commit(void)
{
    executor_meet_group("wgmma_commit", commit_run, NULL);
}

static void wait_run(struct warp *group)
{
    struct products *products = &all[group->first / GROUP];
    const u32 pending = *(const u32 *)group->operands[0];
    u32 done = 0;

    while (done < products->count &&
           products->list[done].group + pending < products->group) {
        const struct product *p = &products->list[done++];

        if (executor_block->mode->lands_late)
            product_compute(p, group->first);
        product_reads(p, group->first, false);
    }
    products->count -= done;
    memmove(products->list, products->list + done,
            sizeof *products->list * products->count);
    products->fenced = false;
}

void executor_wgmma_wait(u32 pending)
{
    executor_meet_group("wgmma_wait", wait_run, &pending);
}

static void registers_run(struct warp *group)
{
    const u32 count = *(const u32 *)group->operands[0];

    if (count % 8 || count < 24 || count > 256)
        executor_fail("%u registers a thread, expected a multiple of 8, 24 to 256",
                      count);
}

void executor_registers(u32 count, u32 take)
{
    (void)take;
    executor_meet_group("registers", registers_run, &count);
}
