/*
 * test_cpu_attention.c - claim: attention gives the bits of the text on every variant,
 * launched on any range, for heads of any size, one key or more than one block of them,
 * values that reach the ends of their range, and rows whose weights vanish.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cpu_variants.h"

enum { VIEWS = 9, KEYS = 700, WIDTH = 1024, BIASES = 1 << 16 };

static const size_t sizes[VIEWS] = {2 * KEYS * WIDTH, 4 * KEYS *WIDTH, 2 * KEYS *WIDTH,
                                    4 * KEYS *WIDTH,  2 * KEYS *WIDTH, 4 * KEYS *WIDTH,
                                    16 * KEYS,        4 * BIASES,      4 * KEYS *WIDTH};

/* How hard the values are. */
enum values { EASY, EXTREME, VANISHING };

struct shape {
    uint32_t heads, kv_heads, dim;
    uint32_t causal, has_bias;
    uint32_t span, rows; /* sequences of span keys, but the last one */
    enum values values;
};

static uint32_t drawn(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 32);
}

static int16_t drawn_value(enum values values, uint64_t *seed)
{
    const uint32_t bits = drawn(seed);

    if (values == EXTREME && bits % 4)
        return bits & 64 ? 2047 : -2047;
    return (int16_t)((int32_t)(bits % 4095) - 2047);
}

static int32_t drawn_exponent(enum values values, uint64_t *seed)
{
    const uint32_t bits = drawn(seed) >> 8;

    return (int32_t)(bits % (values == EASY ? 5 : 40)) - (values == EASY ? 13 : 30);
}

static void fill(const struct cpu_variants *f, const struct shape *shape, uint64_t seed)
{
    uint32_t *spans = f->host[6];
    float *bias = f->host[7];

    for (uint32_t view = 0; view < 6; view += 2) {
        int16_t *values = f->host[view];
        int32_t *exponents = f->host[view + 1];

        for (uint32_t i = 0; i < shape->rows * shape->heads * shape->dim; i++)
            values[i] = drawn_value(shape->values, &seed);
        for (uint32_t i = 0; i < shape->rows * shape->heads; i++)
            exponents[i] = drawn_exponent(shape->values, &seed);
    }
    for (uint32_t i = 0; i < BIASES; i++)
        bias[i] = (float)(drawn(&seed) % 64) / 16;
    for (uint32_t row = 0; row < shape->rows; row++) {
        const uint32_t start = row / shape->span * shape->span;
        const uint32_t end = start + shape->span;

        spans[4 * row] = start;
        spans[4 * row + 1] = end < shape->rows ? end : shape->rows;
        spans[4 * row + 2] = row - start;
        spans[4 * row + 3] = 0;
    }
}

/* Scores far apart, and the largest values where the scores are smallest: a row that
 * sees both kinds of keys has no weight left. */
static void make_vanish(const struct cpu_variants *f, const struct shape *shape)
{
    int16_t *q = f->host[0], *k = f->host[2];
    int32_t *qe = f->host[1], *ke = f->host[3], *ve = f->host[5];

    for (uint32_t i = 0; i < shape->rows * shape->heads * shape->dim; i++)
        q[i] = 2000;
    for (uint32_t i = 0; i < shape->rows * shape->heads; i++)
        qe[i] = 0;
    for (uint32_t row = 0; row < shape->rows; row++)
        for (uint32_t i = 0; i < shape->kv_heads; i++) {
            const uint32_t at = row * shape->kv_heads + i;
            const int is_first = row % shape->span == 0;

            ke[at] = 0;
            ve[at] = is_first ? 20 : -20 - (int32_t)(row % 3);
            for (uint32_t d = 0; d < shape->dim; d++)
                k[at * shape->dim + d] = is_first ? -2000 : 2000;
        }
}

static struct launch launch_of(const struct shape *shape)
{
    return (struct launch){
        .kernel = KERNEL_attention,
        .last = (uint64_t)shape->rows * shape->heads,
        .scalars = {{.u32 = shape->heads},
                    {.u32 = shape->kv_heads},
                    {.u32 = shape->dim},
                    {.f32 = 0x1p-3f},
                    {.u32 = shape->causal},
                    {.u32 = shape->has_bias ? shape->span : 0}},
    };
}

static void test_shapes(void **state)
{
    static const struct shape shapes[] = {
        {3, 3, 32, 0, 0, 75, 160, EASY},      {12, 12, 32, 0, 0, 9, 40, EASY},
        {2, 2, 8, 0, 0, 1, 5, EASY},          {2, 1, 8, 0, 0, 17, 50, EXTREME},
        {4, 2, 64, 1, 0, 40, 90, EASY},       {3, 1, 33, 1, 0, 65, 70, EXTREME},
        {2, 2, 1, 0, 0, 16, 33, EXTREME},     {1, 1, 256, 0, 0, 128, 131, EXTREME},
        {1, 1, 256, 0, 0, 129, 130, EXTREME}, {2, 2, 48, 0, 0, 512, 520, EASY},
        {2, 2, 31, 1, 0, 513, 515, EASY},     {2, 2, 16, 0, 0, 200, 203, VANISHING},
        {2, 2, 32, 1, 0, 37, 74, VANISHING},  {2, 2, 32, 0, 1, 70, 140, EASY},
        {4, 4, 128, 1, 0, 130, 260, EXTREME}, {1, 1, 32, 0, 0, 3, 3, EXTREME},
    };
    const struct cpu_variants *f = *state;

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct launch launch = launch_of(&shapes[i]);
        const uint64_t units = launch.last;

        fill(f, &shapes[i], 1 + i);
        if (shapes[i].values == VANISHING)
            make_vanish(f, &shapes[i]);
        cpu_variants_check(f, launch);
        launch.first = units / 3;
        launch.last = units / 3 + 1;
        cpu_variants_check(f, launch);
        launch.first = units / 4 + 1;
        launch.last = units - units / 5;
        cpu_variants_check(f, launch);
    }
}

/* All outputs of such rows are zero, so that the case above is known to be met. */
static void test_vanishing(void **state)
{
    const struct shape shape = {2, 2, 16, 0, 0, 20, 40, VANISHING};
    const struct cpu_variants *f = *state;
    const float *out = f->host[8];
    uint32_t zeros = 0;

    fill(f, &shape, 77);
    make_vanish(f, &shape);
    cpu_variants_check(f, launch_of(&shape));
    for (uint32_t i = 0; i < shape.rows * shape.heads * shape.dim; i++)
        zeros += out[i] == 0.0f;
    assert_int_equal(zeros, shape.rows * shape.heads * shape.dim);
}

static struct cpu_variants variants;

static int open_all(void **state)
{
    cpu_variants_open(&variants, sizes, VIEWS);
    *state = &variants;
    return 0;
}

static int close_all(void **state)
{
    cpu_variants_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_vanishing)};

    return cmocka_run_group_tests(tests, open_all, close_all);
}
