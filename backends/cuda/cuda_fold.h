/*
 * cuda_fold.h - the words of tickets out of the accumulators of a warp, lane by lane.
 *
 * A word is rotl(word, 13) ^ x slice after slice, and both are linear: each lane may keep
 * words of its own part of a ticket, and parts meet by exclusive-or at any time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_FOLD_H
#define MINERVA_BACKENDS_CUDA_FOLD_H

#include "backends/cuda/cuda_product.h"
#include "backends/cuda/cuda_tile.h"

/* Which tickets the lanes of a warp hold. */
enum fold_shape {
    FOLD_LANE, /* rows (8 apart, 8), columns (1, 2)(8, 8): each lane one */
    FOLD_QUAD, /* rows (32 apart, 2), columns (1, 64): each four lanes four */
};

/* A product without tickets. */
struct fold_none {
    DEVICE_FN void begin(struct fold_none *fold, const struct cuda_product *product)
    {
        (void)fold, (void)product;
    }

    DEVICE_FN void after(struct fold_none *fold, u32 stage, u32 step, const tile_sums acc)
    {
        (void)fold, (void)stage, (void)step, (void)acc;
    }
};

/* part[i]: rows i and i + 4 of the eight that a lane holds. */
DEVICE_FN void fold_rows(const tile_sums acc, u32 part[4])
{
    UNROLL
    for (u32 i = 0; i < 4; i++) {
        part[i] = 0;
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            const i32 *near = acc[i / 2][j] + i % 2 * 2;
            const i32 *far = acc[i / 2 + 2][j] + i % 2 * 2;

            part[i] = xor3(part[i], (u32)near[0], (u32)far[0]);
            part[i] = xor3(part[i], (u32)near[1], (u32)far[1]);
        }
    }
}

/* Of four lanes that hold parts of four tickets, each gets one ticket's whole. */
DEVICE_FN u32 fold_scatter(const u32 part[4])
{
    const u32 lane = lane_index(), is_high = lane >> 1 & 1, is_odd = lane & 1;
    const u32 even =
        (is_high ? part[2] : part[0]) ^ shuffle_xor(is_high ? part[0] : part[2], 2);
    const u32 odd =
        (is_high ? part[3] : part[1]) ^ shuffle_xor(is_high ? part[1] : part[3], 2);

    return (is_odd ? odd : even) ^ shuffle_xor(is_odd ? even : odd, 1);
}

/* A ticket in a lane, its words in registers: the oldest first, so that no index depends
 * on the slice. Ranks of whole stages. */
template <enum fold_shape SHAPE> struct fold_words {
    enum {
        BELOW = SHAPE == FOLD_LANE ? 56 : 32, /* from a ticket's first row to its last */
        RIGHT = SHAPE == FOLD_LANE ? 57 : 63,
    };
    u32 word[16];
    u32 next, every; /* the stage behind which comes the next fold, 0: none; stages a
                        slice */
    u32 slices;      /* folded so far */
    u32 stages;      /* that are folded at all */

    DEVICE_FN void begin(struct fold_words *fold, const struct cuda_product *product)
    {
        UNROLL
        for (u32 i = 0; i < 16; i++)
            fold->word[i] = 0;
        fold->every = product->rank / TILE_DEPTH;
        fold->next = fold->every;
        fold->slices = 0;
        fold->stages = product->slices * fold->every;
    }

    DEVICE_FN void turn(struct fold_words *fold, u32 last)
    {
        UNROLL
        for (u32 i = 0; i < 15; i++)
            fold->word[i] = fold->word[i + 1];
        fold->word[15] = last;
    }

    DEVICE_FN void after(struct fold_words *fold, u32 stage, u32 step,
                         const tile_sums acc)
    {
        const u32 word = fold->word[0];
        u32 part[4], x;

        if (step + 1 < TILE_STEPS || stage != fold->next)
            return;
        fold_rows(acc, part);
        x = SHAPE == FOLD_QUAD ? fold_scatter(part)
                               : xor3(part[0], part[1], part[2]) ^ part[3];
        turn(fold, rotate_left(word, 13) ^ x);
        fold->slices++;
        fold->next = stage < fold->stages ? stage + fold->every : 0;
    }

    /* Word i is the ticket's word i. */
    DEVICE_FN void end(struct fold_words *fold)
    {
        for (u32 i = fold->slices; i % 16 != 0; i++)
            turn(fold, fold->word[0]);
    }

    /* Where the ticket begins, from the first row and column that the lane holds. */
    DEVICE_FN void start(u32 *row, u32 *column)
    {
        if (SHAPE == FOLD_LANE)
            return;
        *row += 8 * (lane_index() % 4);
        *column -= 2 * (lane_index() % 4);
    }
};

#endif
