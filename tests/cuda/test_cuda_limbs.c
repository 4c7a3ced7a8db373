/*
 * test_cuda_limbs.c - claim: a useful product on CUDA takes its noise out by two digits
 * of base 255 as long as every sum fits them, and by three from the first one that does
 * not: one sum at the edge, past it and far past it, on either side and of either sign;
 * and the clean product is the text's each time.
 *
 * Which of the two a kernel ran shows where the third digits are overwritten behind its
 * back: two do not read them.  It runs in the executor (tests/executor): no GPU was
 * asked.
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

#include "backends/cuda/cuda_geometry.h"
#include "tests/executed.h"
#include "tests/executor/executor.h"

enum {
    M = 40,
    N = 70,
    K = 512, /* less than a job may have: kernels do not mind */
    RANK = 128,
    LINE = 33, /* the only line with a large sum, and its factor */
    FACTOR = 101,
    EDGE = 127 + 127 * 255,
    MOST = EDGE + 127 * 255 * 255,
    STRIDE = 2 * CORRECTION_LIMBS * RANK,
    C_SIZE = M * N * 4
};

struct fixture {
    struct product_case shape;
    struct product_plain plain;
    struct executed run;
    int32_t *sums[2]; /* x and y, which the text takes as well */
};

static int setup(void **state)
{
    static struct fixture f;

    f.shape = (struct product_case){.m = M,
                                    .n = N,
                                    .k = K,
                                    .rank = RANK,
                                    .rows = pattern_range(8),
                                    .columns = pattern_range(16),
                                    .bound_top = 255};
    product_plain_make(&f.shape, &f.plain);
    executed_open(&f.run, &f.shape, &f.plain);
    f.sums[0] = (int32_t *)f.run.product.x;
    f.sums[1] = (int32_t *)f.run.product.y;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    executed_close(&f->run);
    product_plain_free(&f->plain);
    return 0;
}

/* The largest of the magnitudes that the kernel which lays out the digits left. */
static uint32_t largest_found(const struct fixture *f)
{
    const uint32_t *slots = f->run.product.scratch;
    uint32_t largest = 0;

    for (uint32_t i = 0; i < CORRECTION_SLOTS; i++)
        largest = slots[i] > largest ? slots[i] : largest;
    return largest;
}

static void third_overwrite(const struct fixture *f)
{
    uint8_t *lines = (uint8_t *)f->run.product.scratch + 4 * CORRECTION_SLOTS;

    for (size_t i = 0; i < M + N; i++)
        memset(lines + i * STRIDE + (size_t)4 * RANK, 0x55, (size_t)2 * RANK);
}

/* Whether the product is the text's. */
static bool is_right(struct fixture *f, const struct cuda_matmul *row, uint32_t largest,
                     bool has_third)
{
    struct executed *run = &f->run;

    memset(run->c, 0x5a, C_SIZE);
    memset(run->product.ring, 0, sizeof(struct cuda_ring));
    run->product.c = run->c;
    run->product.scratch = executed_memory(run, row->scratch(M, N, K, RANK));
    executed_prepare(run, row);
    assert_int_equal(largest_found(f), largest);
    if (!has_third)
        third_overwrite(f);
    executed_multiply(run, row, CUDA_USEFUL, row->entries[CUDA_USEFUL]);
    run->mode++;
    executor_memory_free(run->memories[--run->count]);
    return memcmp(run->c, f->plain.c, C_SIZE) == 0;
}

/* c of the text with these sums, whatever the operands are. */
static void text_make(struct fixture *f)
{
    struct product_plain *p = &f->plain;

    kernel_table[KERNEL_matmul_i8].run(0, M,
                                       (void *const[]){p->a_noised, p->b_noised, p->c},
                                       (const union scalar[]){{.u32 = N}, {.u32 = K}});
    kernel_table[KERNEL_denoise].run(
        0, M, (void *const[]){p->dense_a, p->dense_b, f->sums[0], f->sums[1], p->c},
        (const union scalar[]){{.u32 = N}, {.u32 = RANK}});
}

/* By a warp's products and by a group's; the others, which share their stages, in turn.
 */
static void check_rows(struct fixture *f, uint32_t size, uint32_t turn)
{
    static const struct cuda_matmul *const others[] = {
        &cuda_matmul_turing_any, &cuda_matmul_wide_lane, &cuda_matmul_wgmma_pair_lane};
    const struct cuda_matmul *const rows[] = {&cuda_matmul_mma_any,
                                              &cuda_matmul_wgmma_lane, others[turn % 3]};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(is_right(f, rows[i], size, true));
        assert_int_equal(is_right(f, rows[i], size, false), size <= EDGE);
    }
}

static void test_switch(void **state)
{
    static const int32_t values[] = {EDGE, -EDGE, EDGE + 1, -EDGE - 1, MOST, -MOST};
    struct fixture *f = *state;
    uint32_t turn = 0;

    for (uint32_t side = 0; side < 2; side++)
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            int32_t *sum = &f->sums[side][LINE * RANK + FACTOR];
            const int32_t before = *sum;

            *sum = values[i];
            text_make(f);
            check_rows(f, (uint32_t)abs(values[i]), turn++);
            *sum = before;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_switch)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
