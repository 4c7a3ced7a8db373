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

/* One thread: every stage of every tile, when both consumers have left its place. */
DEVICE_FN void group_bring(const struct cuda_product *product,
                           const struct group_plan *plan, const struct group_maps *maps)
{
    struct group_ring ring = {0, 0};

    EACH_PART(part, product)
    {
        u32 row, column;

        group_place(product, part, &row, &column);
        for (u32 stage = 0; stage < plan->all; stage++) {
            const bool is_extra = stage >= plan->whole;
            const i32 k = (i32)((is_extra ? stage - plan->whole : stage) * GROUP_DEPTH);
            const struct tensor_map *a = is_extra ? maps->left : maps->a;
            const struct tensor_map *b = is_extra ? maps->right : maps->b;
            const u32 at = ring.stage * GROUP_STAGE, full = group_full(ring.stage);

            if (ring.round)
                mbarrier_wait(group_free(ring.stage), (ring.round - 1) % 2);
            mbarrier_expect(full, GROUP_STAGE);
            tma_load(at, a, k, (i32)row, full);
            tma_load(at + GROUP_HALF_A, b, k, (i32)column, full);
            group_ring_move(&ring);
        }
    }
}

/* Three warps: the tickets of a tile while the next one is multiplied. */
template <enum fold_shape SHAPE>
DEVICE_FN void group_hash(const struct cuda_product *product)
{
    const u32 below = fold_words<SHAPE>::BELOW, right = fold_words<SHAPE>::RIGHT;
    const u32 hashers = GROUP_THREADS - 32;
    u32 tiles = 0;

    EACH_PART(part, product)
    {
        u32 row, column;

        group_place(product, part, &row, &column);
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

template <enum fold_shape SHAPE, bool MINES, bool WRITES>
DEVICE_FN void group_run(const struct cuda_product *product,
                         const struct group_maps *maps)
{
    struct group_plan plan;

    group_plan_make<MINES, WRITES>(product, &plan);
    group_begin();
    if (thread_index() < 2 * GROUP_THREADS) {
        registers_take<GROUP_REGISTERS_MULTIPLY>();
        group_multiply<SHAPE, MINES, WRITES>(product, &plan);
        return;
    }
    registers_give<GROUP_REGISTERS_BRING>();
    if (thread_index() == 2 * GROUP_THREADS)
        group_bring(product, &plan, maps);
    else if (MINES && warp_index() > 8)
        group_hash<SHAPE>(product);
}

#endif
