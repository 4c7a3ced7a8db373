/*
 * test_cuda_device.c - claim: the host half of the CUDA backend gives the products,
 * tickets and clean results of the shared text in whatever order its streams run, takes
 * no memory while a task steps, and leaves a replaced job's product off.
 *
 * Against the stand-in for the driver (tests/stand_in); no card is asked.
 *
 * labels: plain
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/device.h"
#include "miner/base/memory.h"
#include "tests/product_case.h"
#include "tests/stand_in/stand_in_find.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static struct device *device_of(const char *variant)
{
    const struct device_options options = {.variant = variant};
    struct error err = {0};
    struct device *device;

    if (device_open(backend_find("cuda"), 0, &options, &device, &err))
        fail_msg("%s", error_text(&err));
    return device;
}

static struct buffer *buffer_of(struct device *device, const void *data, size_t size)
{
    struct buffer *buffer;

    assert_int_equal(device_buffer_new(device, size, &buffer), STATUS_OK);
    if (data)
        assert_int_equal(device_write(device, buffer, 0, data, size), STATUS_OK);
    return buffer;
}

/* One product of a shape on a device. */
struct side {
    const struct product_case *shape;
    const struct product_plain *plain;
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    uint32_t hits_max;
    struct mining mining;
};

static void side_make(struct side *side, struct device *device,
                      const struct product_case *shape, const struct product_plain *plain)
{
    const size_t k = shape->k;

    *side = (struct side){.shape = shape, .plain = plain, .device = device};
    side->hits_max = (uint32_t)plain->wins + 3;
    side->a = buffer_of(device, plain->a, shape->m * k);
    side->b = buffer_of(device, plain->b, shape->n * k);
    side->c = buffer_of(device, NULL, (size_t)shape->m * shape->n * 4);
    side->hits = buffer_of(device, NULL, 8 + side->hits_max * sizeof(struct hit));
    side->mining = (struct mining){.a.rank = shape->rank,
                                   .b.rank = shape->rank,
                                   .rows = &shape->rows,
                                   .columns = &shape->columns,
                                   .hits = {side->hits, 0},
                                   .hits_max = side->hits_max};
    memset(side->mining.bound, 0xff, sizeof side->mining.bound);
    side->mining.bound[31] = shape->bound_top;
    product_seed(side->mining.a.seed, SEED_A);
    product_seed(side->mining.b.seed, SEED_B);
    assert_int_equal(device_packed_new(device, shape->n, shape->k, &side->packed),
                     STATUS_OK);
    assert_int_equal(device_pack(device, side->packed, (struct view){side->b, 0},
                                 shape->rank ? &side->mining.b : NULL),
                     STATUS_OK);
    assert_int_equal(device_reserve(device, shape->m, shape->n, shape->k, shape->rank),
                     STATUS_OK);
}

static enum status side_multiply(const struct side *side, bool is_useful)
{
    const struct multiply multiply = {
        .m = side->shape->m,
        .a = {side->a, 0},
        .b = side->packed,
        .c = {is_useful ? side->c : NULL, 0},
        .mining = side->shape->rank ? &side->mining : NULL,
    };

    return device_multiply(side->device, &multiply);
}

static void side_check(const struct side *side, bool is_useful)
{
    const struct product_case *shape = side->shape;
    const struct product_plain *p = side->plain;
    const size_t size = (size_t)shape->m * shape->n * 4;
    const size_t hits_size = 8 + side->hits_max * sizeof(struct hit);
    struct hits *hits = room(1, hits_size);
    int32_t *c = room(1, size);
    uint32_t at = 0;

    assert_int_equal(device_read(side->device, side->hits, 0, hits, hits_size),
                     STATUS_OK);
    assert_int_equal(device_read(side->device, side->c, 0, c, size), STATUS_OK);
    if (is_useful)
        assert_memory_equal(c, p->c, size);
    if (shape->rank)
        assert_int_equal(hits->count, p->wins);
    for (uint64_t t = 0; shape->rank && t < p->tile_rows * p->tile_columns; t++)
        if (p->tiles[t].ticket[31] <= shape->bound_top)
            assert_memory_equal(&hits->hit[at++], &p->tiles[t], sizeof(struct hit));
    memory_free(hits);
    memory_free(c);
}

static void side_free(struct side *side)
{
    device_packed_free(side->device, side->packed);
    device_buffer_free(side->device, side->a);
    device_buffer_free(side->device, side->b);
    device_buffer_free(side->device, side->c);
    device_buffer_free(side->device, side->hits);
}

static const struct product_case shapes[] = {
    {.m = 33, .n = 17, .k = 100},
    {.m = 64, .n = 300, .k = 128, .values = VALUES_WIDE},
    {.m = 64, .n = 96, .k = 1024, .rank = 64, .bound_top = 255},
    {.m = 50, .n = 77, .k = 1088, .rank = 64, .bound_top = 31, .values = VALUES_EDGES},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Every shape by every way, useful and not, in every order of the streams. */
static void test_products(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (size_t i = 0; i < SHAPES; i++) {
        struct product_case shape = shapes[i];
        struct product_plain plain;

        shape.rows = pattern_range(8);
        shape.columns = pattern_range(16);
        product_plain_make(&shape, &plain);
        for (uint64_t turn = 0; turn < 6; turn++) {
            struct device *device = device_of(turn / 3 ? "plain" : NULL);
            struct side side;

            stand_in->lag = turn % 3;
            stand_in->mode = turn;
            side_make(&side, device, &shape, &plain);
            assert_int_equal(side_multiply(&side, true), STATUS_OK);
            side_check(&side, true);
            assert_int_equal(side_multiply(&side, false), STATUS_OK);
            assert_int_equal(device_finish(device), STATUS_OK);
            side_check(&side, !shape.rank);
            side_free(&side);
            device_close(device);
        }
        product_plain_free(&plain);
    }
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
    assert_int_equal(stand_in->pinned_held, 0);
}

int main(void)
{
    static struct cuda_stand_in *stand_in;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_products, NULL),
    };
    struct CMUnitTest with[sizeof tests / sizeof tests[0]];

    stand_in = stand_in_find();
    memcpy(with, tests, sizeof tests);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        with[i].initial_state = stand_in;
    return cmocka_run_group_tests(with, NULL, NULL);
}
