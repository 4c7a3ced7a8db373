/*
 * cuda_group_roles.h - what each warp of a block does, from its first tile to its last.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_ROLES_H
#define MINERVA_BACKENDS_CUDA_GROUP_ROLES_H

#include "backends/cuda/cuda_group_multiply.h"
#include "backends/cuda/cuda_ticket.h"

/* Operands, and the correction's columns behind them; a box is 128 rows. */
struct group_maps {
    const struct tensor_map *a, *b, *left, *right;
};

/* One stage.  Of two blocks each sends half of the columns' lines to both. */
template <u32 BLOCKS>
DEVICE_FN void group_send(const struct tensor_map *a, const struct tensor_map *b, i32 k,
                          const u32 place[2], u32 stage)
{
    const u32 at = stage * GROUP_STAGE, full = group_full(stage);

    mbarrier_expect(full, GROUP_STAGE);
    tma_load(at, a, k, (i32)place[0], full);
    if (BLOCKS == 1) {
        tma_load(at + GROUP_HALF_A, b, k, (i32)place[1], full);
    } else {
        const u32 lines = cluster_rank() * (GROUP_COLUMNS / BLOCKS);

        tma_load_many(at + GROUP_HALF_A + lines * GROUP_DEPTH, b, k,
                      (i32)(place[1] + lines), full, (1u << BLOCKS) - 1);
    }
}

/* One thread: every stage of every tile, when all consumers have left its place. */
template <u32 BLOCKS>
DEVICE_FN void group_bring(const struct cuda_product *product,
                           const struct group_plan *plan, const struct group_maps *maps)
{
    struct group_ring ring = {0, 0};

    EACH_PART(part, product, BLOCKS)
    {
        u32 place[2];

        group_place<BLOCKS>(product, part, &place[0], &place[1]);
        for (u32 stage = 0; stage < plan->all; stage++) {
            const bool is_extra = stage >= plan->whole;
            const i32 k = (i32)((is_extra ? stage - plan->whole : stage) * GROUP_DEPTH);
            const struct tensor_map *a = is_extra ? maps->left : maps->a;
            const struct tensor_map *b = is_extra ? maps->right : maps->b;

            if (ring.round)
                mbarrier_wait(group_free(ring.stage), (ring.round - 1) % 2);
            group_send<BLOCKS>(a, b, k, place, ring.stage);
            group_ring_move(&ring);
        }
    }
}

/* Three warps: the tickets of a tile while the next one is multiplied. */
template <enum fold_shape SHAPE, u32 BLOCKS>
DEVICE_FN void group_hash(const struct cuda_product *product)
{
    const u32 below = fold_words<SHAPE>::BELOW, right = fold_words<SHAPE>::RIGHT;
    const u32 hashers = GROUP_THREADS - 32;
    u32 tiles = 0;

    EACH_PART(part, product, BLOCKS)
    {
        u32 row, column;

        group_place<BLOCKS>(product, part, &row, &column);
        mbarrier_wait(GROUP_WORDS_FULL, tiles++ % 2);
        for (u32 keeper = thread_index() % GROUP_THREADS - 32; keeper < 2 * GROUP_THREADS;
             keeper += hashers) {
            u32 words[16], first = row, start = column;

            group_start<SHAPE>(keeper, &first, &start);
            UNROLL
            for (u32 i = 0; i < 16; i++)
                words[i] =
                    *SHARED(u32, GROUP_WORDS + 4 * (i * 2 * GROUP_THREADS + keeper));
            if (first + below < product->m && start + right < product->n)
                ticket_draw(product, words, first, start);
        }
        warp_sync();
        if (lane_index() == 0)
            mbarrier_arrive(GROUP_WORDS_FREE);
    }
}

template <enum fold_shape SHAPE, bool MINES, bool WRITES, u32 BLOCKS>
DEVICE_FN void group_run(const struct cuda_product *product,
                         const struct group_maps *maps)
{
    struct group_plan plan;

    group_plan_make<MINES, WRITES>(product, &plan);
    group_begin<BLOCKS>();
    if (thread_index() < 2 * GROUP_THREADS) {
        registers_take<GROUP_REGISTERS_MULTIPLY>();
        group_multiply<SHAPE, MINES, WRITES, BLOCKS>(product, &plan);
    } else {
        registers_give<GROUP_REGISTERS_BRING>();
        if (thread_index() == 2 * GROUP_THREADS)
            group_bring<BLOCKS>(product, &plan, maps);
        else if (MINES && warp_index() > 8)
            group_hash<SHAPE, BLOCKS>(product);
    }
    if (BLOCKS > 1)
        cluster_sync(); /* the other block may still arrive here */
}

#endif
