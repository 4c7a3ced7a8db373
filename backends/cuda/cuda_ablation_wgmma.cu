/*
 * cuda_ablation_wgmma.cu - the mined products of cuda_wgmma.cu with steps left out: for
 * `minerva bench` alone.
 *
 * archs: 90a
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_ablation.h"
#include "backends/cuda/cuda_group_roles.h"

/* What the thread's ticket came to.  Each exchange has a turn's barrier behind it. */
template <enum ablation STEP>
DEVICE_FN void ablation_put(const struct cuda_product *product, u32 row, u32 column,
                            const struct group_words *words, const i32 *sums)
{
    group_start<FOLD_LANE>(thread_index(), &row, &column);
    if constexpr (STEP == ABLATION_FOLD) {
        ablation_keep<16>(product, row, column, words->word, words->slices);
    } else {
        const u32 sum = group_exchange<FOLD_LANE>(sums, words->slices);

        ablation_keep<1>(product, row, column, &sum, 0);
    }
}

/* group_multiply, but for what follows a tile. */
template <enum ablation STEP, u32 BLOCKS>
DEVICE_FN void ablation_multiply(const struct cuda_product *product,
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

        group_tile<FOLD_LANE, STEP != ABLATION_LOOP, STEP == ABLATION_CORRECT, BLOCKS>(
            product, plan, part + block_count() / BLOCKS >= product->part_last, &ring,
            &words, sums);
        if (STEP == ABLATION_CORRECT)
            group_words_give(&words, tiles++);
        group_place<BLOCKS>(product, part, &row, &column);
        ablation_put<STEP>(product, row, column, &words, sums);
    }
}

/* group_run; nobody hashes before the correction's step. */
template <enum ablation STEP, u32 BLOCKS>
DEVICE_FN void ablation_run(const struct cuda_product *product,
                            const struct group_maps *maps)
{
    struct group_plan plan;

    group_plan_make<true, STEP == ABLATION_CORRECT>(product, &plan);
    group_begin<BLOCKS>();
    if (thread_index() < 2 * GROUP_THREADS) {
        registers_take<GROUP_REGISTERS_MULTIPLY>();
        ablation_multiply<STEP, BLOCKS>(product, &plan);
    } else {
        registers_give<GROUP_REGISTERS_BRING>();
        if (thread_index() == 2 * GROUP_THREADS)
            group_bring<BLOCKS>(product, &plan, maps);
        else if (STEP == ABLATION_CORRECT && warp_index() > 8)
            group_hash<FOLD_LANE, BLOCKS>(product);
    }
    if (BLOCKS > 1)
        cluster_sync();
}

#define ABLATION(family, name, step, blocks)                                             \
    KERNEL(family##_lane_##name, GROUP_BLOCK, 1, const struct cuda_product product,      \
           TENSOR_MAP(a), TENSOR_MAP(b))                                                 \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, NULL, NULL};                             \
                                                                                         \
        ablation_run<step, blocks>(&product, &maps);                                     \
    }
#define ABLATION_CORRECTED(family, blocks)                                               \
    KERNEL(family##_lane_correct, GROUP_BLOCK, 1, const struct cuda_product product,     \
           TENSOR_MAP(a), TENSOR_MAP(b), TENSOR_MAP(left), TENSOR_MAP(right))            \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, &left, &right};                          \
                                                                                         \
        ablation_run<ABLATION_CORRECT, blocks>(&product, &maps);                         \
    }
ABLATION(wgmma, loop, ABLATION_LOOP, 1)
ABLATION(wgmma, fold, ABLATION_FOLD, 1)
ABLATION_CORRECTED(wgmma, 1)
ABLATION(wgmma_pair, loop, ABLATION_LOOP, 2)
ABLATION(wgmma_pair, fold, ABLATION_FOLD, 2)
ABLATION_CORRECTED(wgmma_pair, 2)
