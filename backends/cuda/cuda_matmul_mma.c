/*
 * cuda_matmul_mma.c - the rows whose kernels multiply by warps: cuda_mma.cu,
 * and cuda_turing.cu for older cards.
 *
 * Lane and quad fold tickets of the one pattern that their lanes hold, in
 * registers; any takes every legal pattern and rank.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_plans.h"

static uint64_t panels(uint64_t lines)
{
    return (lines + TILE_LINES - 1) / TILE_LINES;
}

static bool suits_lane(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = cuda_plan_lane();

    (void)traits;
    return panels(ask->m) * panels(ask->n) <= UINT32_MAX &&
           cuda_plan_suits(ask, &plan, TILE_DEPTH);
}

static bool suits_quad(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = cuda_plan_quad();

    (void)traits;
    return panels(ask->m) * panels(ask->n) <= UINT32_MAX &&
           cuda_plan_suits(ask, &plan, TILE_DEPTH);
}

static uint64_t wide_parts(uint64_t m, uint64_t n)
{
    return panels(m) * ((n + WIDE_COLUMNS - 1) / WIDE_COLUMNS);
}

/* Cards of data centres multiply so fast that 128 x 128 outputs a block would ask more of
 * the second cache than it has; small products are better spread. */
static bool is_for_wide(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    return traits->shared_max >= WIDE_SHARED &&
           wide_parts(ask->m, ask->n) >= traits->processors;
}

static bool suits_wide_lane(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    return is_for_wide(traits, ask) && suits_lane(traits, ask);
}

static bool suits_wide_quad(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    return is_for_wide(traits, ask) && suits_quad(traits, ask);
}

static void wide_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                      const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    (void)mode;
    *out = (struct cuda_grid){
        .parts = wide_parts(product->m, product->n),
        .threads = WIDE_THREADS,
        .shared = WIDE_SHARED,
    };
}

static uint64_t any_parts(uint64_t tile_rows, uint32_t h, uint64_t tile_columns,
                          uint32_t w)
{
    const uint64_t high = TILE_LINES / h, wide = TILE_LINES / w;

    return ((tile_rows + high - 1) / high) * ((tile_columns + wide - 1) / wide);
}

static bool suits_any(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    if (ask->mode == CUDA_CLEAN)
        return panels(ask->m) * panels(ask->n) <= UINT32_MAX;
    return traits->shared_max >= 2 * TILE_STAGE + ANY_SHARED &&
           any_parts(pattern_starts(ask->rows, ask->m), ask->rows->count,
                     pattern_starts(ask->columns, ask->n), ask->columns->count) +
                   panels(ask->m) * panels(ask->n) <=
               UINT32_MAX;
}

static void grid_make(const struct cuda_product *product, uint32_t stages,
                      struct cuda_grid *out)
{
    *out = (struct cuda_grid){
        .parts = panels(product->m) * panels(product->n),
        .threads = TILE_THREADS,
        .shared = stages * TILE_STAGE,
    };
}

static void mma_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                     const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    (void)mode;
    grid_make(product, TILE_STAGES_ASYNC, out);
}

static void turing_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                        const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    (void)mode;
    grid_make(product, TILE_STAGES_WAITING, out);
}

/* Tickets first; where c is wanted, its blocks follow. */
static void any_grid(enum cuda_mode mode, const struct cuda_product *product,
                     uint32_t stages, struct cuda_grid *out)
{
    grid_make(product, stages, out);
    if (mode == CUDA_CLEAN)
        return;
    out->shared += ANY_SHARED;
    out->parts =
        (mode == CUDA_USEFUL ? out->parts : 0) +
        any_parts(product->tile_rows, product->h, product->tile_columns, product->w);
}

static void mma_any_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                         const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    any_grid(mode, product, TILE_STAGES_ASYNC, out);
}

static void turing_any_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                            const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    any_grid(mode, product, TILE_STAGES_WAITING, out);
}

/* Alike but for names and limits. */
#define ROW(family, fold, min, max, not_from, not_to, suits_it, grid_it)                 \
    const struct cuda_matmul cuda_matmul_##family##_##fold = {                           \
        .name = #family "_" #fold,                                                       \
        .capability_min = (min),                                                         \
        .capability_max = (max),                                                         \
        .capability_gap = {(not_from), (not_to)},                                        \
        .entries = {[CUDA_CLEAN] = #family "_clean",                                     \
                    [CUDA_MINED] = #family "_" #fold "_mined",                           \
                    [CUDA_USEFUL] = #family "_" #fold "_useful"},                        \
        .suits = suits_it,                                                               \
        .grid = grid_it,                                                                 \
        .scratch = cuda_correction_size,                                                 \
        .prepare = "correction_make",                                                    \
        .prepare_grid = cuda_correction_grid,                                            \
        .run = cuda_matmul_launch,                                                       \
        .plan = cuda_plan_make,                                                          \
    };
ROW(wide, lane, 80, 119, 81, 89, suits_wide_lane, wide_grid)
ROW(wide, quad, 80, 119, 81, 89, suits_wide_quad, wide_grid)
ROW(mma, lane, 80, 0, 0, 0, suits_lane, mma_grid)
ROW(mma, quad, 80, 0, 0, 0, suits_quad, mma_grid)
ROW(mma, any, 80, 0, 0, 0, suits_any, mma_any_grid)
ROW(turing, lane, 75, 79, 0, 0, suits_lane, turing_grid)
ROW(turing, quad, 75, 79, 0, 0, suits_quad, turing_grid)
ROW(turing, any, 75, 79, 0, 0, suits_any, turing_any_grid)
