/*
 * test_cpu_product.c - claim: every way to multiply that this processor can run gives the
 * same products, tickets and clean results as the plain composition of the shared text,
 * whatever the shape, the pattern, the values and the number of threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/device.h"
#include "miner/base/memory.h"
#include "tests/product_case.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static const char *const variants[] = {
#define CPU_MATMUL(row) #row,
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* The device's side of one shape. */
struct run {
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    uint32_t hits_max;
};

/* False where this processor lacks the variant, which must then say why. */
static bool run_open(struct run *run, const char *variant,
                     const struct product_case *shape)
{
    const struct device_options options = {.threads = shape->threads, .variant = variant};
    struct error err = {.status = STATUS_OK};
    enum status status;

    *run = (struct run){.hits_max = 0};
    status = device_open(backend_find("cpu"), 0, &options, &run->device, &err);
    if (status == STATUS_ABSENT) {
        assert_non_null(strstr(err.text, variant));
        assert_true(strlen(err.text) > strlen(variant) + 10);
        return false;
    }
    assert_int_equal(status, STATUS_OK);
    return true;
}

static void run_load(struct run *run, const struct product_case *shape,
                     const struct product_plain *p)
{
    const size_t a = (size_t)shape->m * shape->k, b = (size_t)shape->n * shape->k;
    const size_t c = (size_t)shape->m * shape->n * 4;
    struct noise noise = {.rank = shape->rank};

    run->hits_max = (uint32_t)p->wins + 3;
    product_seed(noise.seed, SEED_B);
    assert_int_equal(device_buffer_new(run->device, a, &run->a), STATUS_OK);
    assert_int_equal(device_buffer_new(run->device, b, &run->b), STATUS_OK);
    assert_int_equal(device_buffer_new(run->device, c, &run->c), STATUS_OK);
    assert_int_equal(device_buffer_new(
                         run->device, 8 + run->hits_max * sizeof(struct hit), &run->hits),
                     STATUS_OK);
    assert_int_equal(device_write(run->device, run->a, 0, p->a, a), STATUS_OK);
    assert_int_equal(device_write(run->device, run->b, 0, p->b, b), STATUS_OK);
    assert_int_equal(device_packed_new(run->device, shape->n, shape->k, &run->packed),
                     STATUS_OK);
    assert_int_equal(device_pack(run->device, run->packed, (struct view){run->b, 0},
                                 shape->rank ? &noise : NULL),
                     STATUS_OK);
    assert_int_equal(
        device_reserve(run->device, shape->m, shape->n, shape->k, shape->rank),
        STATUS_OK);
}

static void run_close(struct run *run)
{
    device_packed_free(run->device, run->packed);
    device_buffer_free(run->device, run->a);
    device_buffer_free(run->device, run->b);
    device_buffer_free(run->device, run->c);
    device_buffer_free(run->device, run->hits);
    device_close(run->device);
}

static void hits_check(const struct run *run, const struct product_case *shape,
                       const struct product_plain *p)
{
    const size_t size = 8 + run->hits_max * sizeof(struct hit);
    struct hits *hits = room(1, size);
    uint32_t at = 0;

    assert_int_equal(device_read(run->device, run->hits, 0, hits, size), STATUS_OK);
    assert_int_equal(hits->count, p->wins);
    for (uint64_t t = 0; t < p->tile_rows * p->tile_columns; t++) {
        if (p->tiles[t].ticket[31] > shape->bound_top)
            continue;
        assert_int_equal(hits->hit[at].row, p->tiles[t].row);
        assert_int_equal(hits->hit[at].column, p->tiles[t].column);
        assert_memory_equal(hits->hit[at].ticket, p->tiles[t].ticket, 32);
        at++;
    }
    memory_free(hits);
}

static void product_equals(const struct run *run, const struct product_case *shape,
                           const struct product_plain *p)
{
    const size_t count = (size_t)shape->m * shape->n;
    int32_t *c = room(count, sizeof *c);

    assert_int_equal(device_read(run->device, run->c, 0, c, count * 4), STATUS_OK);
    for (size_t i = 0; i < count; i++)
        if (c[i] != p->c[i])
            fail_msg("c[%zu][%zu] is %d, expected %d", i / shape->n, i % shape->n, c[i],
                     p->c[i]);
    memory_free(c);
}

static void run_multiply(struct run *run, const struct product_case *shape,
                         const struct product_plain *p, bool is_useful)
{
    struct mining mining = {
        .a.rank = shape->rank,
        .b.rank = shape->rank,
        .rows = &shape->rows,
        .columns = &shape->columns,
        .hits = {run->hits, 0},
        .hits_max = run->hits_max,
    };
    const struct multiply multiply = {
        .m = shape->m,
        .a = {run->a, 0},
        .b = run->packed,
        .c = {is_useful ? run->c : NULL, 0},
        .mining = shape->rank ? &mining : NULL,
    };
    int32_t *junk = room((size_t)shape->m * shape->n, sizeof *junk);

    memset(mining.bound, 0xff, sizeof mining.bound);
    mining.bound[31] = shape->bound_top;
    product_seed(mining.a.seed, SEED_A);
    product_seed(mining.b.seed, SEED_B);
    memset(junk, 0x5a, (size_t)shape->m * shape->n * sizeof *junk);
    assert_int_equal(
        device_write(run->device, run->c, 0, junk, (size_t)shape->m * shape->n * 4),
        STATUS_OK);
    memory_free(junk);
    assert_int_equal(device_multiply(run->device, &multiply), STATUS_OK);
    assert_int_equal(device_finish(run->device), STATUS_OK);
    if (is_useful)
        product_equals(run, shape, p);
    if (shape->rank)
        hits_check(run, shape, p);
}

static void shape_check(const struct product_case *shape)
{
    struct product_plain p;
    struct run run;

    product_plain_make(shape, &p);
    for (size_t i = 0; i < VARIANTS; i++) {
        if (!run_open(&run, variants[i], shape))
            continue;
        run_load(&run, shape, &p);
        run_multiply(&run, shape, &p, true);
        if (shape->rank)
            run_multiply(&run, shape, &p, false);
        run_close(&run);
    }
    product_plain_free(&p);
}

/* From {length, stride} pairs, smallest stride first. */
static struct pattern pattern_of(uint32_t l1, uint32_t s1, uint32_t l2, uint32_t s2,
                                 uint32_t l3, uint32_t s3)
{
    uint32_t offsets[PATTERN_COUNT_MAX], count = 0;
    struct pattern pattern;

    for (uint32_t c = 0; c < l3; c++)
        for (uint32_t b = 0; b < l2; b++)
            for (uint32_t a = 0; a < l1; a++)
                offsets[count++] = a * s1 + b * s2 + c * s3;
    assert_true(pattern_from_offsets(offsets, count, &pattern));
    return pattern;
}

static void test_clean(void **state)
{
    static const uint32_t shapes[][3] = {
        {1, 1, 1},     {8, 32, 64},   {7, 31, 63},    {9, 33, 65},
        {16, 64, 128}, {3, 100, 384}, {64, 96, 100},  {33, 17, 1000},
        {5, 1, 129},   {70, 70, 192}, {1, 384, 1536}, {200, 40, 64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (enum product_values values = VALUES_ANY; values <= VALUES_WIDE; values++) {
            const struct product_case shape = {
                .m = shapes[i][0],
                .n = shapes[i][1],
                .k = shapes[i][2],
                .values = values,
                .threads = (uint32_t[]){1, 2, 3, 8}[(i + values) % 4]};
            shape_check(&shape);
        }
}

static void test_mined(void **state)
{
    const struct pattern range8 = pattern_range(8), range16 = pattern_range(16);
    const struct product_case shapes[] = {
        {64, 96, 1024, 64, range8, range16, VALUES_ANY, 1, 255},
        {64, 96, 1024, 32, range8, range16, VALUES_EDGES, 2, 31},
        {50, 77, 2112, 128, range8, range16, VALUES_HIGHEST, 3, 127},
        {8, 16, 1024, 32, range8, range16, VALUES_ANY, 8, 255},
        {7, 15, 1024, 32, range8, range16, VALUES_ANY, 2, 255}, /* no tile at all */
        {128, 128, 1024, 64, pattern_of(2, 32, 1, 1, 1, 1), pattern_range(64), VALUES_ANY,
         2, 60},
        {150, 300, 1088, 64, pattern_of(2, 8, 2, 64, 1, 1), pattern_of(2, 1, 8, 8, 1, 1),
         VALUES_ANY, 3, 200},
        {100, 90, 1024, 32, pattern_range(16), range16, VALUES_ANY, 2, 255},
        {100, 90, 1024, 32, pattern_range(10), pattern_range(6), VALUES_EDGES, 2, 255},
        {90, 100, 1024, 32, pattern_range(6), pattern_of(3, 5, 2, 15, 1, 1), VALUES_ANY,
         3, 255},
        {64, 300, 1024, 64, pattern_range(4), pattern_of(2, 1, 4, 128, 1, 1), VALUES_ANY,
         2, 255},
        {130, 64, 1024, 64, pattern_range(128), pattern_range(2), VALUES_ANY, 1, 255},
        {64, 140, 1024, 64, pattern_range(2), pattern_range(128), VALUES_ANY, 2, 255},
        {40, 64, 1024, 32, pattern_range(2), range16, VALUES_ANY, 2, 255},
        {40, 64, 1024, 32, pattern_of(2, 2, 2, 4, 1, 1), range16, VALUES_ANY, 8, 100},
        {96, 96, 1024, 64, pattern_of(2, 1, 2, 8, 2, 16), pattern_of(4, 2, 2, 8, 2, 16),
         VALUES_ANY, 3, 255},
        {24, 40, 4096, 256, range8, range16, VALUES_HIGHEST, 2, 255},
        {16, 32, 8192, 64, range8, range16, VALUES_EDGES, 2, 255}, /* two limbs */
        {16, 48, 16384, 64, pattern_range(4), pattern_range(8), VALUES_HIGHEST, 1, 255},
        {16, 32, 16384, 1024, range8, range16, VALUES_ANY, 2, 255},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        shape_check(&shapes[i]);
}

/* More hits than there is room for are counted, and nothing is written past the end. */
static void test_hits_overflow(void **state)
{
    const struct product_case shape = {
        64, 96, 1024, 64, pattern_range(8), pattern_range(16), VALUES_ANY, 2, 255};
    struct product_plain p;
    struct run run;
    uint8_t after[32];

    (void)state;
    product_plain_make(&shape, &p);
    assert_true(run_open(&run, NULL, &shape));
    run_load(&run, &shape, &p);
    struct mining mining = {.a.rank = 64,
                            .b.rank = 64,
                            .rows = &shape.rows,
                            .columns = &shape.columns,
                            .hits = {run.hits, 0},
                            .hits_max = 5};
    const struct multiply multiply = {
        .m = shape.m, .a = {run.a, 0}, .b = run.packed, .mining = &mining};
    memset(mining.bound, 0xff, 32);
    product_seed(mining.a.seed, SEED_A);
    product_seed(mining.b.seed, SEED_B);
    memset(after, 0x77, sizeof after);
    assert_int_equal(
        device_write(run.device, run.hits, 8 + 5 * sizeof(struct hit), after, 32),
        STATUS_OK);
    assert_int_equal(device_multiply(run.device, &multiply), STATUS_OK);

    uint32_t count;
    uint8_t found[32];
    assert_int_equal(device_read(run.device, run.hits, 0, &count, sizeof count),
                     STATUS_OK);
    assert_int_equal(count, p.wins);
    assert_int_equal(
        device_read(run.device, run.hits, 8 + 5 * sizeof(struct hit), found, 32),
        STATUS_OK);
    assert_memory_equal(found, after, 32);
    run_close(&run);
    product_plain_free(&p);
}

/* Products of any sizes after one reserve() for the largest. */
static void test_shapes_after_reserve(void **state)
{
    const struct product_case largest = {.m = 96, .n = 128, .k = 2048, .threads = 2};
    static const uint32_t shapes[][4] = {
        {96, 128, 2048, 128}, {40, 128, 1024, 32}, {96, 64, 1024, 64}};
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        struct run run;

        if (!run_open(&run, variants[v], &largest))
            continue;
        assert_int_equal(device_reserve(run.device, 96, 128, 2048, 128), STATUS_OK);
        for (size_t i = 0; i < 3; i++) {
            const struct product_case shape = {shapes[i][0],
                                               shapes[i][1],
                                               shapes[i][2],
                                               shapes[i][3],
                                               pattern_range(8),
                                               pattern_range(16),
                                               VALUES_ANY,
                                               2,
                                               255};
            struct product_plain p;

            product_plain_make(&shape, &p);
            run_load(&run, &shape, &p);
            run_multiply(&run, &shape, &p, true);
            device_packed_free(run.device, run.packed);
            device_buffer_free(run.device, run.a);
            device_buffer_free(run.device, run.b);
            device_buffer_free(run.device, run.c);
            device_buffer_free(run.device, run.hits);
            product_plain_free(&p);
        }
        device_close(run.device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_mined),
        cmocka_unit_test(test_hits_overflow),
        cmocka_unit_test(test_shapes_after_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
