/*
 * cuda_matmul_wgmma.c - the rows whose kernels multiply by warp groups: cuda_wgmma.cu.
 *
 * On trial: wgmma and TMA were seen in the executor only.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_plans.h"

static bool group_suits(const struct cuda_traits *traits, const struct cuda_ask *ask,
                        const struct matmul_plan *plan)
{
    return traits->shared_max >= GROUP_SHARED && cuda_plan_suits(ask, plan, GROUP_DEPTH);
}

static bool suits_lane(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = cuda_plan_lane();

    return group_suits(traits, ask, &plan);
}

static bool suits_quad(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = cuda_plan_quad();

    return group_suits(traits, ask, &plan);
}

static void grid_of(const struct cuda_traits *traits, enum cuda_mode mode,
                    const struct cuda_product *product, uint32_t blocks,
                    struct cuda_grid *out)
{
    const uint32_t panel = GROUP_ROWS * blocks;
    const uint64_t rows = ((uint64_t)product->m + panel - 1) / panel;
    const uint64_t columns = ((uint64_t)product->n + GROUP_COLUMNS - 1) / GROUP_COLUMNS;

    *out = (struct cuda_grid){
        .parts = rows * columns,
        .blocks_max = (traits->processors + blocks - 1) / blocks,
        .threads = GROUP_BLOCK,
        .shared = GROUP_SHARED,
        .map_rows_a = GROUP_ROWS,
        .map_rows_b = GROUP_COLUMNS / blocks,
        .cluster = blocks > 1 ? blocks : 0,
        .map_bytes = GROUP_DEPTH,
    };
    if (mode != CUDA_USEFUL)
        return;
    out->extra_bytes = 2 * CORRECTION_LIMBS * product->rank;
    out->extra_at = CORRECTION_SLOTS * sizeof(uint32_t);
}

static void grid_single(const struct cuda_traits *traits, enum cuda_mode mode,
                        const struct cuda_product *product, struct cuda_grid *out)
{
    grid_of(traits, mode, product, 1, out);
}

static void grid_pair(const struct cuda_traits *traits, enum cuda_mode mode,
                      const struct cuda_product *product, struct cuda_grid *out)
{
    grid_of(traits, mode, product, 2, out);
}

#define ROW(word, fold, blocks)                                                          \
    const struct cuda_matmul cuda_matmul_##word##_##fold = {                             \
        .name = #word "_" #fold,                                                         \
        .capability_min = 90,                                                            \
        .capability_max = 90,                                                            \
        .entries = {[CUDA_CLEAN] = #word "_clean",                                       \
                    [CUDA_MINED] = #word "_" #fold "_mined",                             \
                    [CUDA_USEFUL] = #word "_" #fold "_useful"},                          \
        .is_trial = true,                                                                \
        .suits = suits_##fold,                                                           \
        .grid = grid_##blocks,                                                           \
        .prepare = "correction_make",                                                    \
        .prepare_grid = cuda_correction_grid,                                            \
        .scratch = cuda_correction_size,                                                 \
        .run = cuda_matmul_launch,                                                       \
        .plan = cuda_plan_make,                                                          \
    };
ROW(wgmma, lane, single)
ROW(wgmma, quad, single)
ROW(wgmma_pair, lane, pair)
ROW(wgmma_pair, quad, pair)
