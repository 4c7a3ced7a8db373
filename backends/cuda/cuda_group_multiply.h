/*
 * cuda_group_multiply.h - the groups that multiply, from a block's first tile to its
 * last.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_MULTIPLY_H
#define MINERVA_BACKENDS_CUDA_GROUP_MULTIPLY_H

#include "backends/cuda/cuda_group_fold.h"
#include "backends/cuda/cuda_group_write.h"

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

/* All stages of the group's part of a tile.  Whoever has issued gives the turn to the
 * other group, but for the very last time. */
template <enum fold_shape SHAPE, bool MINES, bool WRITES, u32 BLOCKS>
DEVICE_FN void group_tile(const struct cuda_product *product,
                          const struct group_plan *plan, bool is_last,
                          struct group_ring *ring, struct group_words *words,
                          i32 (&sums)[GROUP_SUMS])
{
    const u32 group = thread_index() / GROUP_THREADS, other = GROUP_TURN + 1 - group;

    group_words_begin(words);
    for (u32 stage = 0; stage < plan->all; stage++) {
        group_stage(ring, stage, sums);
        if (group == 0 || !is_last || stage + 1 < plan->all)
            barrier_arrive(other, 2 * GROUP_THREADS);
        group_settle<BLOCKS>(ring, sums);
        group_ring_move(ring);
        group_after<SHAPE, MINES, WRITES>(product, plan, stage + 1, words, sums);
    }
}

/* Group 0 begins. */
DEVICE_FN void group_turn_begin(void)
{
    if (thread_index() / GROUP_THREADS == 1)
        barrier_arrive(GROUP_TURN, 2 * GROUP_THREADS);
}

/* A consuming group. */
template <enum fold_shape SHAPE, bool MINES, bool WRITES, u32 BLOCKS>
DEVICE_FN void group_multiply(const struct cuda_product *product,
                              const struct group_plan *plan)
{
    struct group_ring ring = {0, 0};
    struct group_words words;
    i32 sums[GROUP_SUMS];
    u32 tiles = 0;

    group_turn_begin();
    EACH_PART(part, product, BLOCKS)
    {
        u32 row, column;

        group_tile<SHAPE, MINES, WRITES, BLOCKS>(
            product, plan, part + block_count() / BLOCKS >= product->part_last, &ring,
            &words, sums);
        if (MINES)
            group_words_give(&words, tiles++);
        group_place<BLOCKS>(product, part, &row, &column);
        if (WRITES)
            group_write(product, row + warp_index() * 16 + lane_index() / 4,
                        column + lane_index() % 4 * 2, sums);
    }
}

#endif
