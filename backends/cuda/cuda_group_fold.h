/*
 * cuda_group_fold.h - tickets out of the sums of a warp group.
 *
 * No thread holds a whole ticket of a common pattern: after each slice every thread
 * writes its parts to shared memory, where the one thread that keeps the ticket's words
 * reads them.  The exchange has two sides, so that one barrier a slice is enough.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_FOLD_H
#define MINERVA_BACKENDS_CUDA_GROUP_FOLD_H

#include "backends/cuda/cuda_fold.h"
#include "backends/cuda/cuda_group.h"

/* Sums of rows 8 a of the lane, 64 columns from 64 c on. */
DEVICE_FN u32 group_part(const i32 *sums, u32 a, u32 c)
{
    u32 x = 0;

    UNROLL
    for (u32 j = 0; j < 8; j++)
        x = xor3(x, (u32)sums[4 * (8 * c + j) + 2 * a],
                 (u32)sums[4 * (8 * c + j) + 2 * a + 1]);
    return x;
}

/* The lane's pattern: a ticket is rows g + 8 i of all four warps.  Thread 32 c + lane
 * keeps columns 64 c + 2 t + {0, 1, 8, 9, ...}. */
DEVICE_FN void group_put_lane(const i32 *sums, u32 side)
{
    const u32 warp = warp_index() % 4;

    UNROLL
    for (u32 c = 0; c < 4; c++)
        *SHARED(u32, side + 4 * (warp * GROUP_PART + 32 * c + lane_index())) =
            group_part(sums, 0, c) ^ group_part(sums, 1, c);
}

/* Rows p and p + 32, columns 64 c to 64 c + 63: thread 32 c + p keeps it. */
DEVICE_FN void group_put_quad(const i32 *sums, u32 side)
{
    const u32 warp = warp_index() % 4, part = warp / 2 * 4 + lane_index() % 4;

    UNROLL
    for (u32 a = 0; a < 2; a++) {
        const u32 row = warp % 2 * 16 + 8 * a + lane_index() / 4;

        UNROLL
        for (u32 c = 0; c < 4; c++)
            *SHARED(u32, side + 4 * (part * GROUP_PART + 32 * c + row)) =
                group_part(sums, a, c);
    }
}

/* x of the thread's ticket. */
template <enum fold_shape SHAPE> DEVICE_FN u32 group_exchange(const i32 *sums, u32 slice)
{
    const u32 parts = SHAPE == FOLD_LANE ? 4 : 8, group = thread_index() / GROUP_THREADS;
    const u32 side =
        GROUP_EXCHANGE + (2 * group + slice % 2) * (GROUP_PARTS * GROUP_PART * 4);
    u32 x = 0;

    if (SHAPE == FOLD_LANE)
        group_put_lane(sums, side);
    else
        group_put_quad(sums, side);
    barrier_sync(GROUP_OWN + group, GROUP_THREADS);
    UNROLL
    for (u32 part = 0; part < parts; part++)
        x ^=
            *SHARED(u32, side + 4 * (part * GROUP_PART + thread_index() % GROUP_THREADS));
    return x;
}

/* A ticket's words, as in fold_words. */
struct group_words {
    u32 word[16];
    u32 slices;
};

DEVICE_FN void group_words_begin(struct group_words *words)
{
    UNROLL
    for (u32 i = 0; i < 16; i++)
        words->word[i] = 0;
    words->slices = 0;
}

DEVICE_FN void group_words_turn(struct group_words *words, u32 last)
{
    UNROLL
    for (u32 i = 0; i < 15; i++)
        words->word[i] = words->word[i + 1];
    words->word[15] = last;
}

template <enum fold_shape SHAPE>
DEVICE_FN void group_fold(struct group_words *words, const i32 *sums)
{
    const u32 x = group_exchange<SHAPE>(sums, words->slices);

    group_words_turn(words, rotate_left(words->word[0], 13) ^ x);
    words->slices++;
}

/* Hands the words to the warps that hash, when they have read the last tile's. */
DEVICE_FN void group_words_give(const struct group_words *words, u32 tiles)
{
    if (tiles)
        mbarrier_wait(GROUP_WORDS_FREE, (tiles - 1) % 2);
    UNROLL
    for (u32 i = 0; i < 16; i++)
        *SHARED(u32, GROUP_WORDS + 4 * ((words->slices + i) % 16 * 2 * GROUP_THREADS +
                                        thread_index())) = words->word[i];
    warp_sync();
    if (lane_index() == 0)
        mbarrier_arrive(GROUP_WORDS_FULL);
}

/* Start of the ticket that thread `keeper` of both groups keeps, within the block. */
template <enum fold_shape SHAPE>
DEVICE_FN void group_start(u32 keeper, u32 *row, u32 *column)
{
    const u32 lane = keeper % 32;

    *row += keeper / GROUP_THREADS * 64 + (SHAPE == FOLD_LANE ? lane / 4 : lane);
    *column += keeper % GROUP_THREADS / 32 * 64 + (SHAPE == FOLD_LANE ? lane % 4 * 2 : 0);
}

#endif
