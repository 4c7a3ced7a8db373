/*
 * cuda_group.h - a product by warp groups (sm_90a): who does what, and how they wait for
 * each other.
 *
 * Groups 0 and 1 multiply, each 64 rows by 256 columns of a block's 128 x 256 outputs.
 * Of group 2 one thread brings stages by TMA, and three warps hash the tickets of the
 * tile before.  The two consumers take turns: a group issues a stage's products, lets the
 * other one issue, and folds while those run, so that the tensor cores never wait for a
 * fold.  A block takes tile after tile.
 *
 * BLOCKS: 1, or 2 in a cluster, one below the other: each brings half of the columns'
 * lines to both, which then come from the second cache once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_H
#define MINERVA_BACKENDS_CUDA_GROUP_H

#include "backends/cuda/cuda_correction.h"
#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_product.h"
#include "backends/cuda/ptx.h"

/* What a lane holds: sums[4 j + 2 a + b] is row 8 a, column 8 j + b of it. */
enum { GROUP_SUMS = 128, GROUP_FRAGMENTS = 32 };

/* Named barriers: 1 and 2 say whose turn it is, 3 and 4 are a group's own. */
enum { GROUP_TURN = 1, GROUP_OWN = 3 };

/* mbarriers */
DEVICE_FN u32 group_full(u32 stage)
{
    return GROUP_BARRIERS + 8 * stage;
}

DEVICE_FN u32 group_free(u32 stage)
{
    return GROUP_BARRIERS + 8 * (GROUP_STAGES + stage);
}

enum {
    GROUP_WORDS_FULL = GROUP_BARRIERS + 16 * GROUP_STAGES,
    GROUP_WORDS_FREE = GROUP_WORDS_FULL + 8,
};

/* Stages go round: where one is, and how often the ring was closed. */
struct group_ring {
    u32 stage, round;
};

DEVICE_FN void group_ring_move(struct group_ring *ring)
{
    if (++ring->stage < GROUP_STAGES)
        return;
    ring->stage = 0;
    ring->round++;
}

/* What all roles agree on. */
struct group_plan {
    u32 whole, all; /* stages of k, and with the correction */
    u32 limb;       /* stages of one limb of the correction; 0: none */
    u32 last;       /* the factor behind all limbs */
};

template <bool MINES, bool WRITES>
DEVICE_FN void group_plan_make(const struct cuda_product *product,
                               struct group_plan *plan)
{
    const u32 k = WRITES ? product->k : product->slices * product->rank;

    plan->whole = (k + GROUP_DEPTH - 1) / GROUP_DEPTH;
    plan->all = plan->whole;
    plan->limb = 0;
    if (!MINES || !WRITES)
        return;
    const u32 limbs = correction_limbs(product);

    plan->limb = 2 * product->rank / GROUP_DEPTH;
    plan->all = plan->whole + limbs * plan->limb;
    plan->last = limbs == 3 ? CORRECTION_BASE * CORRECTION_BASE : CORRECTION_BASE;
}

/* Of a part: the block's first row and column.  Eight panels of rows walk along the
 * columns together. */
template <u32 BLOCKS>
DEVICE_FN void group_place(const struct cuda_product *product, u64 part, u32 *row,
                           u32 *column)
{
    const u32 panel = GROUP_ROWS * BLOCKS, group = 8 / BLOCKS;
    const u32 rows = (product->m + panel - 1) / panel;
    const u32 columns = (product->n + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    const u32 first = (u32)(part / (group * columns)) * group;
    const u32 high = rows - first < group ? rows - first : group;
    const u32 within = (u32)(part % (group * columns));

    *row = (first + within % high) * panel;
    *column = within / high * GROUP_COLUMNS;
    if (BLOCKS > 1)
        *row += cluster_rank() * GROUP_ROWS;
}

/* Of a cluster's share: its blocks take the same parts. */
#define EACH_PART(part, product, blocks)                                                 \
    for (u64 part = (product)->part_first + block_index() / (blocks);                    \
         part < (product)->part_last; part += block_count() / (blocks))

template <u32 BLOCKS> DEVICE_FN void group_meet(void)
{
    if (BLOCKS > 1)
        cluster_sync();
    else
        block_sync();
}

template <u32 BLOCKS> DEVICE_FN void group_begin(void)
{
    if (thread_index() == 0) {
        for (u32 stage = 0; stage < GROUP_STAGES; stage++) {
            mbarrier_init(group_full(stage), 1);
            mbarrier_init(group_free(stage), 8 * BLOCKS); /* warps that multiply */
        }
        mbarrier_init(GROUP_WORDS_FULL, 8);
        mbarrier_init(GROUP_WORDS_FREE, 3); /* warps that hash */
        mbarrier_fence();
    }
    group_meet<BLOCKS>();
}

#endif
