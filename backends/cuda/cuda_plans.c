/*
 * cuda_plans.c - patterns that lanes hold, and the scratch of the correction.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_plans.h"

#include <assert.h>
#include <string.h>

#include "backends/cuda/cuda_geometry.h"

/* Of a pattern with these pairs (length, stride), smallest stride first. */
static struct pattern pattern_of(uint32_t l1, uint32_t s1, uint32_t l2, uint32_t s2)
{
    struct pattern pattern;
    const bool is_pattern = pattern_from_pairs((const uint32_t[]){l1, l2, 1},
                                               (const uint32_t[]){s1, s2, 1}, &pattern);

    assert(is_pattern);
    (void)is_pattern;
    return pattern;
}

struct matmul_plan cuda_plan_lane(void)
{
    return (struct matmul_plan){pattern_of(8, 8, 1, 1), pattern_of(2, 1, 8, 8)};
}

struct matmul_plan cuda_plan_quad(void)
{
    return (struct matmul_plan){pattern_of(2, 32, 1, 1), pattern_of(64, 1, 1, 1)};
}

bool cuda_plan_suits(const struct cuda_ask *ask, const struct matmul_plan *plan,
                     uint32_t rank_min)
{
    return ask->mode == CUDA_CLEAN ||
           (ask->rank >= rank_min && pattern_is_same(ask->rows, &plan->rows) &&
            pattern_is_same(ask->columns, &plan->columns));
}

bool cuda_plan_make(uint32_t m, uint32_t n, uint32_t k, uint32_t work_max,
                    struct matmul_plan *out)
{
    static const uint32_t sizes[][2] = {{8, 16}, {4, 16}, {16, 2}, {2, 16}};

    (void)k;
    *out = cuda_plan_lane();
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

uint64_t cuda_correction_size(uint32_t m, uint32_t n, uint32_t k, uint32_t rank)
{
    const uint64_t right = ((uint64_t)n + CUDA_LINES_UNIT - 1) / CUDA_LINES_UNIT;

    (void)k;
    if (!rank)
        return 0;
    return CORRECTION_SLOTS * sizeof(uint32_t) +
           (m + right * CUDA_LINES_UNIT) * 2 * CORRECTION_LIMBS * rank;
}

void cuda_correction_grid(const struct cuda_traits *traits,
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
