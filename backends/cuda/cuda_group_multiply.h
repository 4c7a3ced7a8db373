/*
 * cuda_group_multiply.h - the groups that multiply, from a block's first tile to its
 * last.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_MULTIPLY_H
#define MINERVA_BACKENDS_CUDA_GROUP_MULTIPLY_H

#include "backends/cuda/cuda_group_fold.h"

/* Where not all of them exist, or c has no pairs. */
DEVICE_FN void group_write_part(const struct cuda_product *product, u32 row, u32 column,
                                const i32 *sums)
{
    const u32 n = product->n;

    UNROLL
    for (u32 i = 0; i < GROUP_SUMS; i++) {
        const u32 line = row + i / 2 % 2 * 8, at = column + i / 4 * 8 + i % 2;

        if (line < product->m && at < n)
            product->c[(u64)line * n + at] = sums[i];
    }
}

/* The sums of 64 rows and 256 columns from here on, as a lane holds them. */
DEVICE_FN void group_write(const struct cuda_product *product, u32 row, u32 column,
                           const i32 *sums)
{
    const u32 n = product->n;
    GLOBAL i32 *to = product->c + (u64)row * n + column;

    if (!correction_is_paired(product) || row + 8 >= product->m ||
        column + 8 * (GROUP_FRAGMENTS - 1) + 1 >= n) {
        group_write_part(product, row, column, sums);
        return;
    }
    UNROLL
    for (u32 i = 0; i < GROUP_SUMS; i += 2) {
        const u32 pair[2] = {(u32)sums[i], (u32)sums[i + 1]};

        store_stream_8(to + (u64)(i / 2 % 2 * 8) * n + i / 4 * 8, pair);
    }
}

/* One stage into the sums, when it is there and it is this group's turn. */
DEVICE_FN void group_stage(const struct group_ring *ring, u32 adds,
                           i32 (&sums)[GROUP_SUMS])
{
    const u32 group = thread_index() / GROUP_THREADS;
    const u32 a = ring->stage * GROUP_STAGE + group * (GROUP_HALF_A / 2);
    const u32 b = ring->stage * GROUP_STAGE + GROUP_HALF_A;

    mbarrier_wait(group_full(ring->stage), ring->round % 2);
    barrier_sync(GROUP_TURN + group, 2 * GROUP_THREADS);
    wgmma_fence();
    UNROLL
    for (u32 k = 0; k < GROUP_DEPTH; k += 32)
        wgmma_k32(sums, wgmma_operand(a + k), wgmma_operand(b + k), k || adds);
    wgmma_commit();
}

/* The stage's products are done: its place is free, in all blocks that it came to. */
template <u32 BLOCKS>
DEVICE_FN void group_settle(const struct group_ring *ring, i32 (&sums)[GROUP_SUMS])
{
    wgmma_wait<0>(sums);
    if (lane_index())
        return;
    if (BLOCKS == 1)
        mbarrier_arrive(group_free(ring->stage));
    for (u32 block = 0; BLOCKS > 1 && block < BLOCKS; block++)
        mbarrier_arrive_in(group_free(ring->stage), block);
}

DEVICE_FN void group_scale(i32 (&sums)[GROUP_SUMS], u32 factor)
{
    UNROLL
    for (u32 i = 0; i < GROUP_SUMS; i++)
        sums[i] = (i32)((u32)sums[i] * factor);
}

/* Behind stage number `done` of the tile, counted from 1. */
template <enum fold_shape SHAPE, bool MINES, bool WRITES>
DEVICE_FN void group_after(const struct cuda_product *product,
                           const struct group_plan *plan, u32 done,
                           struct group_words *words, i32 (&sums)[GROUP_SUMS])
{
    if (MINES && words->slices < product->slices &&
        done * GROUP_DEPTH == (words->slices + 1) * product->rank)
        group_fold<SHAPE>(words, sums);
    if (!MINES || !WRITES || done <= plan->whole)
        return;
    if (done == plan->all)
        group_scale(sums, plan->last);
    else if ((done - plan->whole) % plan->limb == 0)
        group_scale(sums, CORRECTION_INVERSE);
}

/* A consuming group.  Group 0 begins; whoever has issued gives the turn to the other one,
 * but for the very last time. */
template <enum fold_shape SHAPE, bool MINES, bool WRITES, u32 BLOCKS>
DEVICE_FN void group_multiply(const struct cuda_product *product,
                              const struct group_plan *plan)
{
    const u32 group = thread_index() / GROUP_THREADS, other = GROUP_TURN + 1 - group;
    struct group_ring ring = {0, 0};
    struct group_words words;
    i32 sums[GROUP_SUMS];
    u32 tiles = 0;

    if (group == 1)
        barrier_arrive(other, 2 * GROUP_THREADS);
    EACH_PART(part, product, BLOCKS)
    {
        const bool is_last = part + block_count() / BLOCKS >= product->part_last;
        u32 row, column;

        group_words_begin(&words);
        for (u32 stage = 0; stage < plan->all; stage++) {
            group_stage(&ring, stage, sums);
            if (group == 0 || !is_last || stage + 1 < plan->all)
                barrier_arrive(other, 2 * GROUP_THREADS);
            group_settle<BLOCKS>(&ring, sums);
            group_ring_move(&ring);
            group_after<SHAPE, MINES, WRITES>(product, plan, stage + 1, &words, sums);
        }
        if (MINES)
            group_words_give(&words, tiles++);
        group_place<BLOCKS>(product, part, &row, &column);
        if (WRITES)
            group_write(product, row + warp_index() * 16 + lane_index() / 4,
                        column + lane_index() % 4 * 2, sums);
    }
}

#endif
