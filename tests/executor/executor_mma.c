/*
 * executor_mma.c - matrix fragments and their products in a warp, lane by lane as the
 * layouts of ptx_mma.h say.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

struct ldmatrix {
    u32 *to;
    u32 at, count, trans;
};

/* What lane `lane` gets of matrix `m`: word `t` of row `g`, or two halfwords of column g.
 */
static u32 ldmatrix_word(struct warp *w, u32 lane, u32 m, const char *word)
{
    const struct thread *thread = &executor_block->thread[w->first + lane];
    const u32 g = lane / 4, t = lane % 4;
    const struct ldmatrix *one = w->operands[lane];
    u32 out = 0;

    if (!one->trans) {
        const u32 at = ((struct ldmatrix *)w->operands[8 * m + g])->at + 4 * t;

        executor_access_shared(thread, at, 4, ACCESS_READ, word);
        memcpy(&out, thread->member->shared + at, 4);
        return out;
    }
    for (u32 i = 0; i < 2; i++) {
        const u32 at = ((struct ldmatrix *)w->operands[8 * m + 2 * t + i])->at + 2 * g;

        executor_access_shared(thread, at, 2, ACCESS_READ, word);
        memcpy((u8 *)&out + 2 * i, thread->member->shared + at, 2);
    }
    return out;
}

static void ldmatrix_run(struct warp *w)
{
    const struct ldmatrix *first = w->operands[0];
    const u32 end = executor_block->launch->shared_bytes;

    for (u32 i = 0; i < 8 * first->count; i++) {
        const u32 at = ((struct ldmatrix *)w->operands[i])->at;

        if (at % 16)
            executor_fail(
                "misaligned: lane %u of warp %u names a row of 16 bytes at shared "
                "offset %u in %s",
                i, w->first / LANES, at, w->word);
        if (at > end || end - at < 16)
            executor_fail(
                "out of bounds: lane %u of warp %u names a row at shared offset %d "
                "of %u in %s",
                i, w->first / LANES, (int)at, end, w->word);
    }
    for (u32 lane = 0; lane < w->lanes; lane++) {
        struct ldmatrix *one = w->operands[lane];

        for (u32 m = 0; m < first->count; m++)
            one->to[m] = ldmatrix_word(w, lane, m, w->word);
    }
}

static void warp_whole(const struct warp *w)
{
    if (w->lanes != LANES)
        executor_fail("%s in a warp of %u lanes", w->word, w->lanes);
}

static void ldmatrix_whole(struct warp *w)
{
    warp_whole(w);
    ldmatrix_run(w);
}

#define LDMATRIX(name, count, trans)                                                     \
    void name(u32 *to, u32 at)                                                           \
    {                                                                                    \
        struct ldmatrix one = {to, at, count, trans};                                    \
                                                                                         \
        executor_meet(#name, ldmatrix_whole, &one);                                      \
    }
LDMATRIX(ldmatrix_x1, 1, 0)
LDMATRIX(ldmatrix_x2, 2, 0)
LDMATRIX(ldmatrix_x4, 4, 0)
LDMATRIX(ldmatrix_x1_trans, 1, 1)
LDMATRIX(ldmatrix_x2_trans, 2, 1)
LDMATRIX(ldmatrix_x4_trans, 4, 1)

struct mma {
    i32 *d;
    const u32 *a, *b;
};

static i32 dot(const i8 *a, const i8 *b, u32 k, i32 sum)
{
    i32 products = 0; /* at most 32 * 2^14 */

    for (u32 i = 0; i < k; i++)
        products += (i32)a[i] * (i32)b[i];
    return (i32)((u32)sum + (u32)products);
}

static void mma_m16n8k32_run(struct warp *w)
{
    i8 a[16][32], b[8][32];

    warp_whole(w);
    for (u32 lane = 0; lane < LANES; lane++) {
        const struct mma *one = w->operands[lane];
        const u32 g = lane / 4, t = lane % 4;

        for (u32 i = 0; i < 4; i++)
            memcpy(&a[g + i % 2 * 8][4 * t + i / 2 * 16], &one->a[i], 4);
        for (u32 i = 0; i < 2; i++)
            memcpy(&b[g][4 * t + i * 16], &one->b[i], 4);
    }
    for (u32 lane = 0; lane < LANES; lane++) {
        const struct mma *one = w->operands[lane];
        const u32 g = lane / 4, t = lane % 4;

        for (u32 i = 0; i < 4; i++)
            one->d[i] = dot(a[g + i / 2 * 8], b[2 * t + i % 2], 32, one->d[i]);
    }
}

static void mma_m8n8k16_run(struct warp *w)
{
    i8 a[8][16], b[8][16];

    warp_whole(w);
    for (u32 lane = 0; lane < LANES; lane++) {
        const struct mma *one = w->operands[lane];

        memcpy(&a[lane / 4][4 * (lane % 4)], one->a, 4);
        memcpy(&b[lane / 4][4 * (lane % 4)], one->b, 4);
    }
    for (u32 lane = 0; lane < LANES; lane++) {
        const struct mma *one = w->operands[lane];

        for (u32 i = 0; i < 2; i++)
            one->d[i] = dot(a[lane / 4], b[2 * (lane % 4) + i], 16, one->d[i]);
    }
}

void mma_m16n8k32(i32 *d, const u32 *a, const u32 *b)
{
    struct mma one = {d, a, b};

    executor_meet("mma_m16n8k32", mma_m16n8k32_run, &one);
}

void mma_m8n8k16(i32 *d, u32 a, u32 b)
{
    struct mma one = {d, &a, &b};

    executor_meet("mma_m8n8k16", mma_m8n8k16_run, &one);
}
