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
#include "backends/cuda/cuda_matmul.h"

#include <assert.h>
#include <string.h>

/* Of a pattern with these pairs (length, stride), smallest stride first. */
static struct pattern pattern_of(uint32_t l1, uint32_t s1, uint32_t l2, uint32_t s2)
{
    uint32_t offsets[PATTERN_COUNT_MAX], count = 0;
    struct pattern pattern;

    for (uint32_t b = 0; b < l2; b++)
        for (uint32_t a = 0; a < l1; a++)
            offsets[count++] = a * s1 + b * s2;
    const bool is_pattern = pattern_from_offsets(offsets, count, &pattern);
    assert(is_pattern);
    (void)is_pattern;
    return pattern;
}

static bool pattern_is(const struct pattern *pattern, const struct pattern *other)
{
    return pattern->count == other->count &&
           memcmp(pattern->offsets, other->offsets,
                  pattern->count * sizeof *pattern->offsets) == 0;
}

/* rows l / 4 + {0, 8, ..., 56}, columns 2 (l % 4) + {0, 1, 8, 9, ..., 56, 57}
 */
static struct matmul_plan plan_lane(void)
{
    return (struct matmul_plan){pattern_of(8, 8, 1, 1), pattern_of(2, 1, 8, 8)};
}

static struct matmul_plan plan_quad(void)
{
    return (struct matmul_plan){pattern_of(2, 32, 1, 1), pattern_of(64, 1, 1, 1)};
}

static uint64_t panels(uint64_t lines)
{
    return (lines + TILE_LINES - 1) / TILE_LINES;
}

/* What one fold in registers is made for. */
static bool suits_plan(const struct cuda_ask *ask, const struct matmul_plan *plan)
{
    if (panels(ask->m) * panels(ask->n) > UINT32_MAX)
        return false;
    return ask->mode == CUDA_CLEAN ||
           (ask->rank >= TILE_DEPTH && pattern_is(ask->rows, &plan->rows) &&
            pattern_is(ask->columns, &plan->columns));
}

static bool suits_lane(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = plan_lane();

    (void)traits;
    return suits_plan(ask, &plan);
}

static bool suits_quad(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    const struct matmul_plan plan = plan_quad();

    (void)traits;
    return suits_plan(ask, &plan);
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

static uint64_t correction_size(uint32_t m, uint32_t n, uint32_t k, uint32_t rank)
{
    const uint64_t right = ((uint64_t)n + CUDA_LINES_UNIT - 1) / CUDA_LINES_UNIT;

    (void)k;
    if (!rank)
        return 0;
    return CORRECTION_SLOTS * sizeof(uint32_t) +
           (m + right * CUDA_LINES_UNIT) * 2 * CORRECTION_LIMBS * rank;
}

static void correction_grid(const struct cuda_traits *traits,
                            const struct cuda_product *product, struct cuda_grid *out)
{
    const uint32_t warps = CORRECTION_THREADS / 32;

    (void)traits;
    *out = (struct cuda_grid){
        .parts = ((uint64_t)product->m + product->n + warps - 1) / warps,
        .blocks_max = CORRECTION_SLOTS,
        .threads = CORRECTION_THREADS,
        .shared = warps * sizeof(uint32_t),
    };
}

/* The lanes' own ticket, or the largest of any row's that fits. */
static bool plan_make(uint32_t m, uint32_t n, uint32_t k, uint32_t work_max,
                      struct matmul_plan *out)
{
    static const uint32_t sizes[][2] = {{8, 16}, {4, 16}, {16, 2}, {2, 16}};

    (void)k;
    *out = plan_lane();
    for (size_t i = 0; i <= sizeof sizes / sizeof sizes[0]; i++) {
        if (out->rows.count * out->columns.count <= work_max &&
            pattern_starts(&out->rows, m) > 0 && pattern_starts(&out->columns, n) > 0)
            return true;
        if (i < sizeof sizes / sizeof sizes[0])
            *out = (struct matmul_plan){pattern_range(sizes[i][0]),
                                        pattern_range(sizes[i][1])};
    }
    return false;
}

/* mma and turing, lane, quad and any: alike but for names and limits. */
#define ROW(family, fold, min, max, suits_it, grid_it)                                   \
    const struct cuda_matmul cuda_matmul_##family##_##fold = {                           \
        .name = #family "_" #fold,                                                       \
        .capability_min = (min),                                                         \
        .capability_max = (max),                                                         \
        .entries = {[CUDA_CLEAN] = #family "_clean",                                     \
                    [CUDA_MINED] = #family "_" #fold "_mined",                           \
                    [CUDA_USEFUL] = #family "_" #fold "_useful"},                        \
        .suits = suits_it,                                                               \
        .grid = grid_it,                                                                 \
        .scratch = correction_size,                                                      \
        .prepare = "correction_make",                                                    \
        .prepare_grid = correction_grid,                                                 \
        .run = cuda_matmul_launch,                                                       \
        .plan = plan_make,                                                               \
    };
ROW(mma, lane, 80, 0, suits_lane, mma_grid)
ROW(mma, quad, 80, 0, suits_quad, mma_grid)
ROW(mma, any, 80, 0, suits_any, mma_any_grid)
ROW(turing, lane, 75, 79, suits_lane, turing_grid)
ROW(turing, quad, 75, 79, suits_quad, turing_grid)
ROW(turing, any, 75, 79, suits_any, turing_any_grid)
