/*
 * test_cuda_products.c - claim: the CUDA kernels that multiply by warps give the
 * products, tickets and clean results of the shared text, whatever the shape, the
 * pattern, the rank and the values, in whatever order threads run and copies land.
 * They run in the executor (tests/executor): no GPU was asked.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executed.h"

static const struct cuda_matmul *const rows[] = {
    &cuda_matmul_mma_lane,        &cuda_matmul_mma_quad,    &cuda_matmul_mma_any,
    &cuda_matmul_turing_lane,     &cuda_matmul_turing_quad, &cuda_matmul_turing_any,
    &cuda_matmul_wgmma_lane,      &cuda_matmul_wgmma_quad,  &cuda_matmul_wgmma_pair_lane,
    &cuda_matmul_wgmma_pair_quad, &cuda_matmul_wide_lane,   &cuda_matmul_wide_quad,
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* clean is one kernel of a family; families take turns; long products take few rows. */
static bool is_worth_it(const struct product_case *shape, uint32_t row,
                        enum cuda_mode mode, uint32_t turn)
{
    const bool is_turing = rows[row]->capability_min == 75;

    if (mode == CUDA_CLEAN && row &&
        !strcmp(rows[row - 1]->entries[mode], rows[row]->entries[mode]))
        return false;
    if (shape->k > 8192)
        return row < 8 && !is_turing && mode == (row == 2 ? CUDA_MINED : CUDA_USEFUL);
    return is_turing || row > 9 ? turn % 2 == 0 : row < 3 || mode || turn % 2;
}

/* The rows that suit, each in another order than the one before. */
static uint32_t shape_check(const struct product_case *shape, uint32_t turn)
{
    struct product_plain plain;
    struct executed run;
    uint32_t suited = 0;

    product_plain_make(shape, &plain);
    executed_open(&run, shape, &plain);
    run.mode = turn;
    for (uint32_t i = 0; i < ROWS; i++)
        for (enum cuda_mode mode = CUDA_CLEAN; mode < CUDA_MODES; mode++) {
            const struct cuda_ask ask = {mode,           shape->m,    shape->n,
                                         shape->k,       shape->rank, &shape->rows,
                                         &shape->columns};

            if ((mode == CUDA_CLEAN) != (shape->rank == 0) ||
                !rows[i]->suits(executed_traits(rows[i]), &ask))
                continue;
            suited |= 1u << i;
            if (is_worth_it(shape, i, mode, turn)) {
                executed_row(&run, rows[i], mode);
                run.mode++;
            }
        }
    executed_close(&run);
    product_plain_free(&plain);
    return suited;
}

static void test_clean(void **state)
{
    static const uint32_t shapes[][3] = {
        {1, 1, 1},       {128, 128, 64}, {129, 257, 65}, {3, 100, 384},
        {200, 70, 1000}, {1, 384, 1536}, {127, 5, 129},  {260, 300, 384},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (enum product_values values = i % 2; values <= VALUES_WIDE; values += 2) {
            const struct product_case shape = {.m = shapes[i][0],
                                               .n = shapes[i][1],
                                               .k = shapes[i][2],
                                               .values = values};

            assert_int_equal(shape_check(&shape, i / 2 + values / 2), (1u << ROWS) - 1);
        }
}

enum {
    LANE = 1 | 1 << 3 | 1 << 10,
    QUAD = 2 | 2 << 3 | 2 << 10,
    ANY = 4 | 4 << 3,
    GROUP_LANE = 1 << 6 | 1 << 8, /* ranks of 128 and more */
    GROUP_QUAD = 2 << 6 | 2 << 8,
};

static void test_mined(void **state)
{
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct pattern rows_quad = product_pattern(2, 32, 1, 1, 1, 1);
    const struct pattern range16 = pattern_range(16), range64 = pattern_range(64);
    const struct {
        struct product_case shape;
        uint32_t suited;
    } cases[] = {
        {{128, 128, 2048, 128, rows_lane, columns_lane, VALUES_ANY, 1, 255},
         LANE | ANY | GROUP_LANE},
        {{150, 200, 1088, 64, rows_lane, columns_lane, VALUES_EDGES, 1, 99}, LANE | ANY},
        {{64, 64, 1024, 256, rows_lane, columns_lane, VALUES_HIGHEST, 1, 255},
         LANE | ANY | GROUP_LANE},
        {{57, 58, 1024, 32, rows_lane, columns_lane, VALUES_ANY, 1, 255}, ANY},
        {{130, 129, 1024, 64, rows_quad, range64, VALUES_ANY, 1, 200}, QUAD | ANY},
        {{64, 128, 2112, 128, rows_quad, range64, VALUES_HIGHEST, 1, 255},
         QUAD | ANY | GROUP_QUAD},
        {{200, 390, 1088, 128, rows_lane, columns_lane, VALUES_EDGES, 1, 128},
         LANE | ANY | GROUP_LANE},
        {{33, 64, 1024, 32, rows_quad, range64, VALUES_EDGES, 1, 255}, ANY},
        {{100, 90, 1024, 64, range16, range16, VALUES_ANY, 1, 255}, ANY},
        {{130, 20, 1024, 64, pattern_range(128), pattern_range(2), VALUES_ANY, 1, 255},
         ANY},
        {{20, 140, 1024, 64, pattern_range(2), pattern_range(128), VALUES_ANY, 1, 255},
         ANY},
        {{100, 90, 1024, 32, pattern_range(10), pattern_range(6), VALUES_EDGES, 1, 255},
         ANY},
        {{90, 100, 1024, 32, pattern_range(6), product_pattern(3, 5, 2, 15, 1, 1),
          VALUES_ANY, 1, 255},
         ANY},
        {{96, 96, 1024, 64, product_pattern(2, 1, 2, 8, 2, 16),
          product_pattern(4, 2, 2, 8, 2, 16), VALUES_ANY, 1, 255},
         ANY},
        {{16, 48, 1024, 32, pattern_range(4), pattern_range(8), VALUES_ANY, 1, 255}, ANY},
        {{64, 64, 16384, 1024, rows_lane, columns_lane, VALUES_EDGES, 1, 255},
         LANE | ANY | GROUP_LANE},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(shape_check(&cases[i].shape, i), cases[i].suited);
}

/* x and y as large as three digits of base 255 reach: larger than noise makes them. */
static void test_third_limb(void **state)
{
    const int32_t most = 127 + 127 * 255 + 127 * 255 * 255;
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case shape = {70,           65,         2048, 128, rows_lane,
                                       columns_lane, VALUES_ANY, 1,    255};
    struct product_plain plain;
    struct executed run;
    uint64_t random = 1;

    (void)state;
    product_plain_make(&shape, &plain);
    executed_open(&run, &shape, &plain);
    int32_t *sides[] = {(int32_t *)run.product.x, (int32_t *)run.product.y};
    const uint32_t counts[] = {shape.m * shape.rank, shape.n * shape.rank};
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < counts[side]; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            sides[side][i] = (int32_t)((random >> 33) % (2 * (uint32_t)most + 1)) - most;
        }
    sides[0][1] = most;
    sides[1][2] = -most;
    kernel_table[KERNEL_matmul_i8].run(
        0, shape.m, (void *const[]){plain.a_noised, plain.b_noised, plain.c},
        (const union scalar[]){{.u32 = shape.n}, {.u32 = shape.k}});
    kernel_table[KERNEL_denoise].run(
        0, shape.m,
        (void *const[]){plain.dense_a, plain.dense_b, sides[0], sides[1], plain.c},
        (const union scalar[]){{.u32 = shape.n}, {.u32 = shape.rank}});
    executed_row(&run, &cuda_matmul_mma_lane, CUDA_USEFUL);
    executed_row(&run, &cuda_matmul_turing_any, CUDA_USEFUL);
    executed_row(&run, &cuda_matmul_wgmma_lane, CUDA_USEFUL);
    executed_close(&run);
    product_plain_free(&plain);
}

/* More hits than there is room for are counted, and nothing is written past the end. */
static void test_hits_overflow(void **state)
{
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case shape = {128,          128,        1024, 64, rows_lane,
                                       columns_lane, VALUES_ANY, 1,    255};
    struct product_plain plain;
    struct executed run;

    (void)state;
    product_plain_make(&shape, &plain);
    executed_open(&run, &shape, &plain);
    struct cuda_ring *ring = run.product.ring;
    memset(ring, 0, 8 + run.product.hits_max * sizeof *ring->hit);
    run.product.hits_max = 5;
    executed_multiply(&run, &cuda_matmul_mma_lane, CUDA_MINED,
                      cuda_matmul_mma_lane.entries[CUDA_MINED]);
    assert_int_equal(ring->count, plain.wins);
    assert_int_equal(ring->hit[5].row | ring->hit[5].column | ring->hit[5].ticket[31], 0);
    executed_close(&run);
    product_plain_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_mined),
        cmocka_unit_test(test_third_limb),
        cmocka_unit_test(test_hits_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
