/*
 * test_cuda_ablation.c - claim: the kernels that a benchmark times step by step do what
 * is left of a mined product: the loop gives the right sums, the fold the ticket's words,
 * the correction the clean sums and the right tickets; and without room for them they
 * write nothing.  They run in the executor (tests/executor): no GPU was asked.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executed.h"

static const struct cuda_matmul *const rows[] = {
    &cuda_matmul_mma_lane, &cuda_matmul_wide_lane, &cuda_matmul_wgmma_lane,
    &cuda_matmul_wgmma_pair_lane};

enum { ROWS = sizeof rows / sizeof rows[0], UNWRITTEN = 0x5a };

static void step_run(struct executed *run, const struct cuda_matmul *row,
                     enum cuda_mode mode, const char *step)
{
    struct cuda_product *product = &run->product;
    char entry[64];

    snprintf(entry, sizeof entry, "%s_%s", row->name, step);
    memset(run->c, UNWRITTEN, (size_t)product->m * product->n * sizeof *run->c);
    memset(product->ring, 0, 8 + product->hits_max * sizeof(struct cuda_hit));
    executed_multiply(run, row, mode, entry);
    run->mode++;
}

/* Where the tile starts. */
static const int32_t *place_of(const struct executed *run, size_t tile)
{
    const struct hit *hit = &run->plain->tiles[tile];

    return run->c + (size_t)hit->row * run->product.n + hit->column;
}

static size_t tiles_of(const struct executed *run)
{
    return (size_t)(run->plain->tile_rows * run->plain->tile_columns);
}

/* Of a over the first `columns` of k. */
static uint32_t sums_joined(const struct executed *run, const int8_t *a, const int8_t *b,
                            size_t tile, uint32_t columns)
{
    const struct product_case *shape = run->shape;
    const struct hit *hit = &run->plain->tiles[tile];
    uint32_t joined = 0;

    for (uint32_t i = 0; i < shape->rows.count; i++)
        for (uint32_t j = 0; j < shape->columns.count; j++) {
            const int8_t *x = a + (size_t)(hit->row + shape->rows.offsets[i]) * shape->k;
            const int8_t *y =
                b + (size_t)(hit->column + shape->columns.offsets[j]) * shape->k;
            int32_t sum = 0;

            for (uint32_t l = 0; l < columns; l++)
                sum += (int32_t)x[l] * y[l];
            joined ^= (uint32_t)sum;
        }
    return joined;
}

static void loop_check(struct executed *run, const struct cuda_matmul *row)
{
    const struct product_plain *plain = run->plain;

    step_run(run, row, CUDA_MINED, "loop");
    for (size_t tile = 0; tile < tiles_of(run); tile++)
        assert_int_equal((uint32_t)*place_of(run, tile),
                         sums_joined(run, plain->a_noised, plain->b_noised, tile,
                                     run->product.slices * run->product.rank));
}

static void fold_check(struct executed *run, const struct cuda_matmul *row)
{
    step_run(run, row, CUDA_MINED, "fold");
    for (size_t tile = 0; tile < tiles_of(run); tile++)
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(
                (uint32_t)place_of(run, tile)[i / 2 * 8 * run->product.n + i % 2],
                run->plain->words[16 * tile + i]);
    assert_int_equal(run->product.ring->count, 0);
}

static void correct_check(struct executed *run, const struct cuda_matmul *row)
{
    const struct product_case *shape = run->shape;
    const struct product_plain *plain = run->plain;

    run->product.scratch =
        executed_memory(run, row->scratch(shape->m, shape->n, shape->k, shape->rank));
    executed_prepare(run, row);
    step_run(run, row, CUDA_USEFUL, "correct");
    executed_check_hits(run);
    for (size_t tile = 0; tile < tiles_of(run); tile++)
        assert_int_equal((uint32_t)*place_of(run, tile),
                         sums_joined(run, plain->a, plain->b, tile, shape->k));
}

/* In the clock nothing is written, but hits. */
static void silence_check(struct executed *run, const struct cuda_matmul *row)
{
    static const char *const steps[] = {"loop", "fold", "correct"};

    run->product.c = NULL;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        step_run(run, row, i < 2 ? CUDA_MINED : CUDA_USEFUL, steps[i]);
        assert_int_equal(run->product.ring->count, i < 2 ? 0 : run->plain->wins);
    }
    for (size_t i = 0; i < (size_t)run->product.m * run->product.n; i++)
        assert_int_equal(run->c[i], UNWRITTEN * 0x01010101);
}

static void shape_check(const struct product_case *shape, bool is_silent)
{
    struct product_plain plain;
    struct executed run;

    product_plain_make(shape, &plain);
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct cuda_ask ask = {CUDA_USEFUL, shape->m,     shape->n,       shape->k,
                                     shape->rank, &shape->rows, &shape->columns};

        if (!rows[i]->suits(executed_traits(rows[i]), &ask))
            continue;
        executed_open(&run, shape, &plain);
        run.product.c = run.c;
        run.mode = i;
        loop_check(&run, rows[i]);
        fold_check(&run, rows[i]);
        correct_check(&run, rows[i]);
        if (is_silent)
            silence_check(&run, rows[i]);
        executed_close(&run);
    }
    product_plain_free(&plain);
}

static void test_steps(void **state)
{
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case cases[] = {
        {200, 320, 1152, 128, rows_lane, columns_lane, VALUES_ANY, 1, 255},
        {64, 64, 1088, 64, rows_lane, columns_lane, VALUES_EDGES, 1, 128},
        {256, 64, 1152, 128, rows_lane, columns_lane, VALUES_HIGHEST, 1, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        shape_check(&cases[i], i == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
