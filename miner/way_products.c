/*
 * way_products.c - which products show that a way is right: small ones of ragged sizes,
 * and large ones, in which every block takes several parts and its ring goes round.
 *
 * The whole c and all hits, in order, must be the same.  Small products are compared with
 * the card's own texts, large ones with the established way, for texts are slow.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/way_products.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

static const struct shape { /* waves 0: m and n as they are; otherwise left over */
    uint32_t waves, m, n;
    uint32_t ranks, k; /* k is so many ranks and the rest; ranks 0: clean */
    uint32_t rank;     /* times the way's smallest */
    bool has_edges;    /* values -64 and 64 alone */
} shapes[] = {
    {0, 1, 1, 0, 1, 1, false},      {0, 129, 257, 0, 65, 1, false},
    {0, 3, 100, 0, 384, 1, true},   {0, 200, 70, 0, 1000, 1, false},
    {0, 128, 256, 16, 0, 1, false}, {0, 100, 301, 16, 64, 1, true},
    {0, 140, 65, 16, 0, 1, false},  {0, 70, 65, 16, 64, 2, false},
    {3, 0, 0, 0, 1000, 1, false},   {3, 5, 3, 16, 64, 1, true},
    {1, 20, 131, 32, 64, 1, false},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

struct result {
    int32_t *c;
    struct hits *mined, *useful; /* without c, and with it */
};

struct product {
    uint32_t m, n, k, rank;
    struct pattern rows, columns;
    uint8_t bound_top;
    uint32_t hits_max;
    size_t hits_size;
    int8_t *a, *b;
    struct result given, expected;
};

struct loaded { /* on a device */
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
};

struct pattern way_pattern(const struct way_pattern *pairs)
{
    struct pattern pattern;
    const bool is_pattern = pattern_from_pairs(pairs->length, pairs->stride, &pattern);

    assert(is_pattern);
    (void)is_pattern;
    return pattern;
}

uint32_t way_tile_columns(uint64_t tiles)
{
    uint32_t columns = 1;

    while (2 * (columns + 1) * (columns + 1) <= tiles)
        columns++;
    return columns;
}

/* --- operands --- */

static void values_fill(int8_t *values, size_t count, uint64_t seed, bool has_edges)
{
    uint64_t random = seed * 2 + 1;

    for (size_t i = 0; i < count; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        values[i] =
            has_edges ? (random >> 63 ? 64 : -64) : (int8_t)((int)(random >> 57) - 64);
    }
}

static void sizes_set(struct product *product, const struct shape *shape,
                      uint32_t processors)
{
    const uint32_t tiles = shape->waves * processors;
    const uint32_t columns = way_tile_columns(tiles);

    product->m = shape->m;
    product->n = shape->n;
    if (!shape->waves)
        return;
    product->m = (tiles + columns - 1) / columns * WAY_TILE_ROWS - shape->m;
    product->n = columns * WAY_TILE_COLUMNS - shape->n;
}

static bool result_new(const struct product *product, struct result *out)
{
    out->c = memory_array((size_t)product->m * product->n, sizeof *out->c);
    out->mined = memory_array(product->hits_size, 1);
    out->useful = memory_array(product->hits_size, 1);
    return out->c && out->mined && out->useful;
}

static void result_free(struct result *result)
{
    memory_free(result->c);
    memory_free(result->mined);
    memory_free(result->useful);
}

static void product_free(struct product *product)
{
    memory_free(product->a);
    memory_free(product->b);
    result_free(&product->given);
    result_free(&product->expected);
}

static bool product_new(const struct way_sides *sides, const struct shape *shape,
                        struct product *out)
{
    const uint32_t processors = device_info(sides->trial)->threads;
    const uint64_t number = (uint64_t)(shape - shapes);

    *out = (struct product){.rank = shape->ranks ? shape->rank * sides->way->rank : 0,
                            .rows = way_pattern(&sides->way->rows),
                            .columns = way_pattern(&sides->way->columns),
                            .bound_top = number % 2 ? 99 : 255};
    sizes_set(out, shape, processors ? processors : 1);
    out->k = shape->ranks * out->rank + shape->k;
    if (out->rank)
        out->hits_max = (uint32_t)(pattern_starts(&out->rows, out->m) *
                                   pattern_starts(&out->columns, out->n));
    out->hits_size = sizeof(struct hits) + out->hits_max * sizeof(struct hit);
    out->a = memory_array(out->m, out->k);
    out->b = memory_array(out->n, out->k);
    if (!result_new(out, &out->given) || !result_new(out, &out->expected) || !out->a ||
        !out->b)
        return false;
    values_fill(out->a, (size_t)out->m * out->k, 2 * number, shape->has_edges);
    values_fill(out->b, (size_t)out->n * out->k, 2 * number + 1, shape->has_edges);
    return true;
}

/* --- on a device --- */

static void loaded_free(struct loaded *loaded)
{
    device_packed_free(loaded->device, loaded->packed);
    device_buffer_free(loaded->device, loaded->a);
    device_buffer_free(loaded->device, loaded->b);
    device_buffer_free(loaded->device, loaded->c);
    device_buffer_free(loaded->device, loaded->hits);
}

static enum status buffer_fill(struct device *device, const void *data, size_t size,
                               struct buffer **out)
{
    enum status status = device_buffer_new(device, size, out);

    return status || !data ? status : device_write(device, *out, 0, data, size);
}

static enum status load(const struct product *product, const struct noise *noise,
                        struct loaded *out)
{
    const size_t m = product->m, n = product->n, k = product->k;
    struct device *device = out->device;
    enum status status = buffer_fill(device, product->a, m * k, &out->a);

    if (!status)
        status = buffer_fill(device, product->b, n * k, &out->b);
    if (!status)
        status = buffer_fill(device, NULL, m * n * sizeof(int32_t), &out->c);
    if (!status)
        status = buffer_fill(device, NULL, product->hits_size, &out->hits);
    if (!status)
        status = device_packed_new(device, product->n, product->k, &out->packed);
    if (!status)
        status =
            device_reserve(device, product->m, product->n, product->k, product->rank);
    if (!status)
        status = device_pack(device, out->packed, (struct view){out->b, 0},
                             product->rank ? noise : NULL);
    return status;
}

static enum status multiply(const struct product *product, const struct loaded *on,
                            const struct mining *mining, bool is_useful,
                            struct result *out)
{
    const struct multiply ask = {.m = product->m,
                                 .a = {on->a, 0},
                                 .b = on->packed,
                                 .c = {is_useful ? on->c : NULL, 0},
                                 .mining = product->rank ? mining : NULL};
    enum status status = device_multiply(on->device, &ask);

    if (!status && product->rank)
        status = device_read(on->device, on->hits, 0,
                             is_useful ? out->useful : out->mined, product->hits_size);
    if (!status && is_useful)
        status = device_read(on->device, on->c, 0, out->c,
                             (size_t)product->m * product->n * sizeof(int32_t));
    return status;
}

static enum status multiply_on(struct device *device, const struct product *product,
                               struct result *out)
{
    struct loaded on = {.device = device};
    struct mining mining = {.a = {.seed = {1}, .rank = product->rank},
                            .b = {.seed = {2}, .rank = product->rank},
                            .rows = &product->rows,
                            .columns = &product->columns,
                            .hits_max = product->hits_max};

    memset(mining.bound, 0xff, sizeof mining.bound);
    mining.bound[sizeof mining.bound - 1] = product->bound_top;
    enum status status = load(product, &mining.b, &on);
    mining.hits = (struct view){on.hits, 0};
    if (!status && product->rank)
        status = multiply(product, &on, &mining, false, out);
    if (!status)
        status = multiply(product, &on, &mining, true, out);
    loaded_free(&on);
    return status;
}

/* --- the same? --- */

static enum status hits_compare(const struct product *product, const struct hits *given,
                                const struct hits *expected, struct error *err)
{
    if (given->count != expected->count || given->count > product->hits_max)
        return error_set(err, STATUS_MISMATCH, "%u hits, expected %u", given->count,
                         expected->count);
    for (uint32_t i = 0; i < given->count; i++)
        if (memcmp(&given->hit[i], &expected->hit[i], sizeof given->hit[i]) != 0)
            return error_set(err, STATUS_MISMATCH, "the hit at row %u, column %u differs",
                             expected->hit[i].row, expected->hit[i].column);
    return STATUS_OK;
}

static enum status results_compare(const struct product *product, struct error *err)
{
    const int32_t *given = product->given.c, *expected = product->expected.c;
    enum status status =
        hits_compare(product, product->given.mined, product->expected.mined, err);

    if (!status)
        status =
            hits_compare(product, product->given.useful, product->expected.useful, err);
    for (size_t i = 0; !status && i < (size_t)product->m * product->n; i++)
        if (given[i] != expected[i])
            status = error_set(err, STATUS_MISMATCH, "c[%zu][%zu] is %d, expected %d",
                               i / product->n, i % product->n, given[i], expected[i]);
    return status;
}

static enum status shape_check(const struct way_sides *sides, const struct shape *shape,
                               uint32_t *count, struct error *err)
{
    struct product product;
    enum status status =
        product_new(sides, shape, &product) ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status)
        status = multiply_on(sides->trial, &product, &product.given);
    if (!status)
        status = multiply_on(shape->waves ? sides->rival : sides->text, &product,
                             &product.expected);
    if (status)
        error_set(err, status, "%s", status_text(status));
    else
        status = results_compare(&product, err);
    if (status)
        error_prefix(err, "%u x %u x %u of rank %u", product.m, product.n, product.k,
                     product.rank);
    else
        *count += product.rank ? 2 : 1;
    product_free(&product);
    return status;
}

enum status way_products_check(const struct way_sides *sides, uint32_t *count,
                               struct error *err)
{
    enum status status = STATUS_OK;

    *count = 0;
    for (size_t i = 0; !status && i < SHAPES; i++)
        status = shape_check(sides, &shapes[i], count, err);
    return status;
}
