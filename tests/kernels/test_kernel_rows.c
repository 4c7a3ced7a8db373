/*
 * test_kernel_rows.c - claim: a row with a value of 2^40 or more, an infinity or a NaN
 * is reported as the smallest faulty row of its slot and comes out as zeros, and nothing
 * below 2^40 is; rows at the edges of the range keep their promises.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/kernels/vector_cases.h"

enum { ROWS = 5, COLUMNS = 48, SLOT = 2, SLOTS = 4 };

static const float faulty[] = {0x1p40f, -0x1p40f, 0x1.8p127f, INFINITY, -INFINITY, NAN};

struct rows {
    float x[ROWS * COLUMNS], y[ROWS * COLUMNS], ones[COLUMNS], scale[ROWS];
    int8_t q[2 * ROWS * COLUMNS];
    int16_t blocks[ROWS * COLUMNS];
    int32_t exponents[ROWS];
    uint32_t fault[SLOTS];
};

static const enum kernel kernels[] = {KERNEL_quantise7, KERNEL_quantise14,
                                      KERNEL_layer_norm, KERNEL_rms_norm, KERNEL_bfp12};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

static void fill(struct rows *rows, float value)
{
    memset(rows, 0x77, sizeof *rows);
    memset(rows->fault, 0xff, sizeof rows->fault);
    for (size_t i = 0; i < COLUMNS; i++)
        rows->ones[i] = 1.0f;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        rows->x[i] = i % 2 ? value : 0.5f * value;
}

static void run(enum kernel kernel, struct rows *rows, uint32_t threads)
{
    const union scalar columns = {.u32 = COLUMNS}, slot = {.u32 = SLOT};
    const union scalar inverse = {.f32 = 1.0f / COLUMNS}, eps = {.f32 = 0x1p-20f};

    if (kernel == KERNEL_quantise7)
        kernel_split(kernel, ROWS, threads,
                     VIEWS(rows->x, rows->q, rows->scale, rows->fault),
                     SCALARS(columns, columns, slot));
    else if (kernel == KERNEL_quantise14)
        kernel_split(kernel, ROWS, threads,
                     VIEWS(rows->x, rows->q, rows->scale, rows->fault),
                     SCALARS(columns, columns, {.u32 = ROWS}, slot));
    else if (kernel == KERNEL_layer_norm)
        kernel_split(kernel, ROWS, threads,
                     VIEWS(rows->x, rows->ones, rows->ones, rows->y, rows->fault),
                     SCALARS(columns, inverse, eps, slot));
    else if (kernel == KERNEL_rms_norm)
        kernel_split(kernel, ROWS, threads,
                     VIEWS(rows->x, rows->ones, rows->y, rows->fault),
                     SCALARS(columns, inverse, eps, slot));
    else
        kernel_split(kernel, ROWS, threads,
                     VIEWS(rows->x, rows->blocks, rows->exponents, rows->fault),
                     SCALARS({.u32 = 1}, columns, columns, {.u32 = 0}, slot));
}

/* Where a kernel writes a row, and its bytes. */
static size_t output(enum kernel kernel, const struct rows *rows, size_t row,
                     const void **out)
{
    switch (kernel) {
    case KERNEL_quantise7:
    case KERNEL_quantise14:
        *out = rows->q + row * COLUMNS;
        return COLUMNS;
    case KERNEL_bfp12:
        *out = rows->blocks + row * COLUMNS;
        return COLUMNS * sizeof rows->blocks[0];
    default:
        *out = rows->y + row * COLUMNS;
        return COLUMNS * sizeof rows->y[0];
    }
}

static bool is_zero(enum kernel kernel, const struct rows *rows, size_t row)
{
    static const uint8_t zeros[COLUMNS * sizeof(float)];
    const void *out;
    const size_t size = output(kernel, rows, row, &out);

    return memcmp(out, zeros, size) == 0;
}

static void smallest_faulty_row_is_kept(void **state)
{
    struct rows *rows = room(1, sizeof *rows);

    (void)state;
    for (size_t i = 0; i < KERNELS; i++) {
        for (size_t j = 0; j < sizeof faulty / sizeof faulty[0]; j++) {
            fill(rows, 1.0f);
            rows->x[1 * COLUMNS + COLUMNS - 1] = faulty[j];
            rows->x[3 * COLUMNS] = faulty[j];
            run(kernels[i], rows, thread_counts[j % THREAD_COUNTS]);
            assert_int_equal(rows->fault[SLOT], 1);
            assert_int_equal(rows->fault[SLOT - 1], UINT32_MAX);
            assert_int_equal(rows->fault[SLOT + 1], UINT32_MAX);
            for (size_t row = 0; row < ROWS; row++)
                assert_int_equal(is_zero(kernels[i], rows, row), row == 1 || row == 3);
        }
    }
}

static void an_earlier_fault_stays(void **state)
{
    struct rows *rows = room(1, sizeof *rows);

    (void)state;
    for (size_t i = 0; i < KERNELS; i++) {
        fill(rows, 1.0f);
        rows->fault[SLOT] = 0;
        rows->x[4 * COLUMNS] = NAN;
        run(kernels[i], rows, 2);
        assert_int_equal(rows->fault[SLOT], 0);
    }
}

static void below_the_limit_is_no_fault(void **state)
{
    static const float fine[] = {0x1.fffffep39f, 1.0f, 0x1p-60f, 0x1p-126f, 0.0f};
    struct rows *rows = room(1, sizeof *rows);

    (void)state;
    for (size_t i = 0; i < KERNELS; i++) {
        for (size_t j = 0; j < sizeof fine / sizeof fine[0]; j++) {
            fill(rows, fine[j]);
            run(kernels[i], rows, 1);
            assert_int_equal(rows->fault[SLOT], UINT32_MAX);
        }
    }
}

/* Limbs of the largest value are (64, -1), of the smallest (-64, 1): int7 operands either
 * way. */
static void limbs_stay_in_range(void **state)
{
    struct rows *rows = room(1, sizeof *rows);

    (void)state;
    fill(rows, -0x1.fffffep39f);
    run(KERNEL_quantise14, rows, 1);
    for (size_t i = 0; i < 2 * ROWS * COLUMNS; i++)
        assert_in_range(rows->q[i] + 64, 0, 128);
    assert_int_equal(rows->q[1], -64);
    assert_int_equal(rows->q[ROWS * COLUMNS + 1], 1);
    run(KERNEL_bfp12, rows, 1);
    assert_int_equal(rows->blocks[1], -2047);
    assert_int_equal(rows->exponents[0], 29);
}

static void a_span_without_keys_is_zero(void **state)
{
    int16_t q[4] = {1, 2, 3, 4};
    int32_t exponent[1] = {0};
    uint32_t span[4] = {0, 0, 0, 0};
    float out[4] = {7.0f, 7.0f, 7.0f, 7.0f};

    (void)state;
    kernel_split(KERNEL_attention, 1, 1,
                 VIEWS(q, exponent, q, exponent, q, exponent, span, NULL, out),
                 SCALARS({.u32 = 1}, {.u32 = 1}, {.u32 = 4}, {.f32 = 0.5f}, {.u32 = 0},
                         {.u32 = 0}));
    for (size_t i = 0; i < 4; i++)
        assert_true(out[i] == 0.0f);
}

/* (word + type) + position, in that order, and nothing below 2^-60. */
static void embeds_in_order(void **state)
{
    float word[2 * 2] = {0.0f, 0.0f, 0x1p24f, 0x1p-61f}, type[2] = {1.0f, 0.0f};
    float position[2 * 2] = {9.0f, 9.0f, 1.0f, 0.0f}, out[2] = {7.0f, 7.0f};
    int32_t ids[1] = {1}, positions[1] = {1};

    (void)state;
    kernel_split(KERNEL_embed, 1, 1, VIEWS(ids, positions, word, position, type, out),
                 SCALARS({.u32 = 2}));
    assert_true(out[0] ==
                0x1p24f); /* 2^24 + 1 is 2^24, twice; 1 + 1 first would give 2^24 + 2 */
    assert_true(out[1] == 0.0f);
}

/* Two query heads share one head of keys and values. */
static void query_heads_share_keys(void **state)
{
    int16_t q[2 * 2] = {5, 1, -3, 2}, k[3 * 2] = {1, 2, 3, 4, 5, 6},
                  v[3 * 2] = {9, 8, 7, 6, 5, 4};
    int32_t q_exponents[2] = {-2, -1}, exponents[3] = {0, 1, -1};
    uint32_t span[4] = {0, 3, 0, 0};
    float both[4], one[2];

    (void)state;
    kernel_split(KERNEL_attention, 2, 1,
                 VIEWS(q, q_exponents, k, exponents, v, exponents, span, NULL, both),
                 SCALARS({.u32 = 2}, {.u32 = 1}, {.u32 = 2}, {.f32 = 0.5f}, {.u32 = 0},
                         {.u32 = 0}));
    for (size_t head = 0; head < 2; head++) {
        kernel_split(KERNEL_attention, 1, 1,
                     VIEWS(q + 2 * head, q_exponents + head, k, exponents, v, exponents,
                           span, NULL, one),
                     SCALARS({.u32 = 1}, {.u32 = 1}, {.u32 = 2}, {.f32 = 0.5f},
                             {.u32 = 0}, {.u32 = 0}));
        assert_memory_equal(one, both + 2 * head, sizeof one);
    }
}

/* Saturated operands at the largest k that int32 holds (numerics.md 1.4). */
static void products_are_exact_at_the_edges(void **state)
{
    enum { K = 133144 }; /* floor((2^31 - 1) / 127^2) */
    int8_t *a = room(2, K), *b = room(2, K);
    int32_t c[2];

    (void)state;
    memset(a, 127, K);
    memset(a + K, -127, K);
    memset(b, 127, K);
    kernel_split(KERNEL_matmul_i8, 2, 2, VIEWS(a, b, c), SCALARS({.u32 = 1}, {.u32 = K}));
    assert_int_equal(c[0], 127 * 127 * K);
    assert_int_equal(c[1], -127 * 127 * K);
}

static int clear(void **state)
{
    (void)state;
    room_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(smallest_faulty_row_is_kept, clear),
        cmocka_unit_test_teardown(an_earlier_fault_stays, clear),
        cmocka_unit_test_teardown(below_the_limit_is_no_fault, clear),
        cmocka_unit_test_teardown(limbs_stay_in_range, clear),
        cmocka_unit_test_teardown(a_span_without_keys_is_zero, clear),
        cmocka_unit_test_teardown(embeds_in_order, clear),
        cmocka_unit_test_teardown(query_heads_share_keys, clear),
        cmocka_unit_test_teardown(products_are_exact_at_the_edges, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
