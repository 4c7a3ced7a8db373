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

#include "backends/device.h"
#include "miner/base/memory.h"

enum { VIEWS = 9, KEYS = 700, WIDTH = 1024, BIASES = 1 << 16, VARIANTS = 3 };

static const char *const variants[VARIANTS] = {"avx512", "avx2", "portable"};
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

struct fixture {
    struct device *devices[VARIANTS];
    struct buffer *buffers[VARIANTS][VIEWS];
    void *host[VIEWS];
    uint8_t *found;
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

static void fill(const struct fixture *f, const struct shape *shape, uint64_t seed)
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
static void make_vanish(const struct fixture *f, const struct shape *shape)
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

/* Views as the text takes them; the last one is overwritten where it may be. */
static void check(const struct fixture *f, struct launch launch)
{
    memset(f->host[8], 0xa5, sizes[8]);
    for (size_t v = 0; v < VARIANTS; v++) {
        for (uint32_t i = 0; f->devices[v] && i < VIEWS; i++)
            assert_int_equal(
                device_write(f->devices[v], f->buffers[v][i], 0, f->host[i], sizes[i]),
                STATUS_OK);
    }
    kernel_table[KERNEL_attention].run(launch.first, launch.last, f->host,
                                       launch.scalars);
    for (size_t v = 0; v < VARIANTS; v++) {
        if (!f->devices[v])
            continue;
        for (uint32_t i = 0; i < VIEWS; i++)
            launch.views[i] = (struct view){f->buffers[v][i], 0};
        assert_int_equal(device_launch(f->devices[v], &launch), STATUS_OK);
        assert_int_equal(
            device_read(f->devices[v], f->buffers[v][8], 0, f->found, sizes[8]),
            STATUS_OK);
        if (memcmp(f->found, f->host[8], sizes[8]) != 0)
            fail_msg("%s: heads %u of %u, causal %u, over [%u, %u)", variants[v],
                     launch.scalars[0].u32, launch.scalars[2].u32, launch.scalars[4].u32,
                     (unsigned)launch.first, (unsigned)launch.last);
    }
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
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct launch launch = launch_of(&shapes[i]);
        const uint64_t units = launch.last;

        fill(f, &shapes[i], 1 + i);
        if (shapes[i].values == VANISHING)
            make_vanish(f, &shapes[i]);
        check(f, launch);
        launch.first = units / 3;
        launch.last = units / 3 + 1;
        check(f, launch);
        launch.first = units / 4 + 1;
        launch.last = units - units / 5;
        check(f, launch);
    }
}

/* All outputs of such rows are zero, so that the case above is known to be met. */
static void test_vanishing(void **state)
{
    const struct shape shape = {2, 2, 16, 0, 0, 20, 40, VANISHING};
    const struct fixture *f = *state;
    const float *out = f->host[8];
    uint32_t zeros = 0;

    fill(f, &shape, 77);
    make_vanish(f, &shape);
    check(f, launch_of(&shape));
    for (uint32_t i = 0; i < shape.rows * shape.heads * shape.dim; i++)
        zeros += out[i] == 0.0f;
    assert_int_equal(zeros, shape.rows * shape.heads * shape.dim);
}

static int open_all(void **state)
{
    struct fixture *f = memory_new(struct fixture);

    if (!f)
        return -1;
    for (size_t i = 0; i < VIEWS; i++) {
        f->host[i] = memory_array(sizes[i], 1);
        assert_non_null(f->host[i]);
    }
    f->found = memory_array(sizes[8], 1);
    assert_non_null(f->found);
    for (size_t v = 0; v < VARIANTS; v++) {
        const struct device_options options = {.threads = 2, .variant = variants[v]};
        const enum status status =
            device_open(backend_find("cpu"), 0, &options, &f->devices[v], NULL);

        if (status == STATUS_ABSENT)
            continue;
        assert_int_equal(status, STATUS_OK);
        for (size_t i = 0; i < VIEWS; i++)
            assert_int_equal(
                device_buffer_new(f->devices[v], sizes[i], &f->buffers[v][i]), STATUS_OK);
    }
    *state = f;
    return 0;
}

static int close_all(void **state)
{
    struct fixture *f = *state;

    for (size_t v = 0; v < VARIANTS; v++) {
        for (size_t i = 0; f->devices[v] && i < VIEWS; i++)
            device_buffer_free(f->devices[v], f->buffers[v][i]);
        device_close(f->devices[v]);
    }
    for (size_t i = 0; i < VIEWS; i++)
        memory_free(f->host[i]);
    memory_free(f->found);
    memory_free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_vanishing)};

    return cmocka_run_group_tests(tests, open_all, close_all);
}
