/*
 * cuda_side.c - makes products on a device and reads them back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/cuda_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

void cuda_side_make(struct cuda_side *side, struct device *device,
                    const struct product_case *shape, const struct product_plain *plain)
{
    const size_t k = shape->k;

    *side = (struct cuda_side){.shape = shape, .plain = plain, .device = device};
    side->hits_max = (uint32_t)plain->wins + 3;
    side->a = made_buffer(device, plain->a, shape->m * k);
    side->b = made_buffer(device, plain->b, shape->n * k);
    side->c = made_buffer(device, NULL, (size_t)shape->m * shape->n * 4);
    side->hits = made_buffer(device, NULL, 8 + side->hits_max * sizeof(struct hit));
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

struct multiply cuda_side_ask(const struct cuda_side *side, bool is_useful)
{
    return (struct multiply){
        .m = side->shape->m,
        .a = {side->a, 0},
        .b = side->packed,
        .c = {is_useful ? side->c : NULL, 0},
        .mining = side->shape->rank ? &side->mining : NULL,
    };
}

enum status cuda_side_multiply(const struct cuda_side *side, bool is_useful)
{
    const struct multiply ask = cuda_side_ask(side, is_useful);

    return device_multiply(side->device, &ask);
}

void cuda_side_check(const struct cuda_side *side, bool is_useful)
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

void cuda_side_free(struct cuda_side *side)
{
    device_packed_free(side->device, side->packed);
    device_buffer_free(side->device, side->a);
    device_buffer_free(side->device, side->b);
    device_buffer_free(side->device, side->c);
    device_buffer_free(side->device, side->hits);
}

void cuda_setting_make(struct cuda_setting *s, struct cuda_stand_in *stand_in,
                       uint64_t lag, uint32_t size)
{
    *s = (struct cuda_setting){
        .shape = {.m = size, .n = 2 * size, .k = 1024, .rank = 64, .bound_top = 255}};
    s->shape.rows = pattern_range(8);
    s->shape.columns = pattern_range(16);
    product_plain_make(&s->shape, &s->plain);
    stand_in->lag = lag;
    s->device = made_device("cuda", "plain");
    cuda_side_make(&s->side, s->device, &s->shape, &s->plain);
}

void cuda_setting_free(struct cuda_setting *s)
{
    cuda_side_free(&s->side);
    device_close(s->device);
    product_plain_free(&s->plain);
}
