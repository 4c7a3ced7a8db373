/*
 * product_run.c - one product on a device, held against the plain composition.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/product_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "tests/made_device.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static size_t hits_size(uint32_t hits_max)
{
    return sizeof(struct hits) + hits_max * sizeof(struct hit);
}

void product_run_load(struct product_run *run, struct device *device,
                      const struct product_case *shape, const struct product_plain *p,
                      uint32_t hits_max)
{
    struct noise noise = {.rank = shape->rank};

    *run = (struct product_run){.device = device,
                                .hits_max = hits_max ? hits_max : (uint32_t)p->wins + 3,
                                .c_at = (shape->m + shape->n / 2) % 2 * 4};
    product_seed(noise.seed, SEED_B);
    run->a = made_buffer(device, p->a, (size_t)shape->m * shape->k);
    run->b = made_buffer(device, p->b, (size_t)shape->n * shape->k);
    run->c = made_buffer(device, NULL, run->c_at + (size_t)shape->m * shape->n * 4);
    run->hits = made_buffer(device, NULL, hits_size(run->hits_max));
    run->others = made_buffer(device, NULL, hits_size(run->hits_max));
    assert_int_equal(device_packed_new(device, shape->n, shape->k, &run->packed),
                     STATUS_OK);
    assert_int_equal(device_pack(device, run->packed, (struct view){run->b, 0},
                                 shape->rank ? &noise : NULL),
                     STATUS_OK);
    assert_int_equal(device_reserve(device, shape->m, shape->n, shape->k, shape->rank),
                     STATUS_OK);
}

void product_run_free(struct product_run *run)
{
    device_packed_free(run->device, run->packed);
    device_buffer_free(run->device, run->a);
    device_buffer_free(run->device, run->b);
    device_buffer_free(run->device, run->c);
    device_buffer_free(run->device, run->hits);
    device_buffer_free(run->device, run->others);
}

static int hit_order(const void *left, const void *right)
{
    const struct hit *a = left, *b = right;

    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* A device may find them in any order. */
static void hits_check(const struct product_run *run, const struct buffer *from,
                       const struct product_case *shape, const struct product_plain *p)
{
    const size_t size = hits_size(run->hits_max);
    struct hits *hits = room(1, size);
    uint32_t at = 0;

    assert_int_equal(device_read(run->device, from, 0, hits, size), STATUS_OK);
    assert_int_equal(hits->count, p->wins);
    qsort(hits->hit, hits->count, sizeof hits->hit[0], hit_order);
    for (uint64_t t = 0; t < p->tile_rows * p->tile_columns; t++) {
        if (p->tiles[t].ticket[31] > shape->bound_top)
            continue;
        if (hit_order(&hits->hit[at], &p->tiles[t]))
            fail_msg("%u x %u x %u rank %u: a hit at %u, %u instead of %u, %u", shape->m,
                     shape->n, shape->k, shape->rank, hits->hit[at].row,
                     hits->hit[at].column, p->tiles[t].row, p->tiles[t].column);
        assert_memory_equal(hits->hit[at].ticket, p->tiles[t].ticket, 32);
        at++;
    }
    memory_free(hits);
}

static void product_equals(const struct product_run *run,
                           const struct product_case *shape,
                           const struct product_plain *p)
{
    const size_t count = (size_t)shape->m * shape->n;
    int32_t *c = room(count, sizeof *c);

    assert_int_equal(device_read(run->device, run->c, run->c_at, c, count * 4),
                     STATUS_OK);
    for (size_t i = 0; i < count; i++)
        if (c[i] != p->c[i])
            fail_msg("%u x %u x %u rank %u: c[%zu][%zu] is %d, expected %d", shape->m,
                     shape->n, shape->k, shape->rank, i / shape->n, i % shape->n, c[i],
                     p->c[i]);
    memory_free(c);
}

static void junk_write(const struct product_run *run, const struct product_case *shape)
{
    const size_t size = (size_t)shape->m * shape->n * 4;
    uint8_t *junk = room(size, 1);

    memset(junk, 0x5a, size);
    assert_int_equal(device_write(run->device, run->c, run->c_at, junk, size), STATUS_OK);
    memory_free(junk);
}

static struct mining mining_of(const struct product_run *run,
                               const struct product_case *shape)
{
    struct mining mining = {
        .a.rank = shape->rank,
        .b.rank = shape->rank,
        .rows = &shape->rows,
        .columns = &shape->columns,
        .hits = {run->hits, 0},
        .hits_max = run->hits_max,
    };

    memset(mining.bound, 0xff, sizeof mining.bound);
    mining.bound[31] = shape->bound_top;
    product_seed(mining.a.seed, SEED_A);
    product_seed(mining.b.seed, SEED_B);
    return mining;
}

static struct multiply multiply_of(const struct product_run *run,
                                   const struct product_case *shape,
                                   const struct mining *mining, bool is_useful)
{
    return (struct multiply){
        .m = shape->m,
        .a = {run->a, 0},
        .b = run->packed,
        .c = {is_useful ? run->c : NULL, is_useful ? run->c_at : 0},
        .mining = shape->rank ? mining : NULL,
    };
}

void product_run_check(struct product_run *run, const struct product_case *shape,
                       const struct product_plain *p, bool is_useful)
{
    const struct mining mining = mining_of(run, shape);
    const struct multiply multiply = multiply_of(run, shape, &mining, is_useful);

    junk_write(run, shape);
    assert_int_equal(device_multiply(run->device, &multiply), STATUS_OK);
    assert_int_equal(device_finish(run->device), STATUS_OK);
    if (is_useful)
        product_equals(run, shape, p);
    if (shape->rank && p->wins <= run->hits_max)
        hits_check(run, run->hits, shape, p);
}

void product_run_check_pair(struct product_run *run, const struct product_case *shape,
                            const struct product_plain *p)
{
    const struct mining useful = mining_of(run, shape);
    struct mining mined = useful;
    const struct multiply first = multiply_of(run, shape, &useful, true);
    const struct multiply second = multiply_of(run, shape, &mined, false);

    assert_true(shape->rank);
    mined.hits.buffer = run->others;
    junk_write(run, shape);
    assert_int_equal(device_multiply(run->device, &first), STATUS_OK);
    assert_int_equal(device_prepare(run->device, &second), STATUS_OK);
    assert_int_equal(device_multiply(run->device, &second), STATUS_OK);
    product_equals(run, shape, p);
    hits_check(run, run->hits, shape, p);
    hits_check(run, run->others, shape, p);
}

/* --- the steps --- */

struct steps {
    struct device *device;
    const struct product_case *shape;
};

static struct buffer *made(const struct steps *steps, enum kernel kernel, uint64_t last,
                           struct buffer *const inputs[KERNEL_VIEWS_MAX],
                           const union scalar *scalars, size_t size)
{
    const uint32_t views = kernel_table[kernel].views;
    struct launch launch = {.kernel = kernel, .last = last};
    struct buffer *out = made_buffer(steps->device, NULL, size);

    for (uint32_t i = 0; i + 1 < views; i++)
        launch.views[i] = (struct view){inputs[i], 0};
    launch.views[views - 1] = (struct view){out, 0};
    for (uint32_t i = 0; i < kernel_table[kernel].scalars; i++)
        launch.scalars[i] = scalars[i];
    assert_int_equal(device_launch(steps->device, &launch), STATUS_OK);
    return out;
}

static void equals(const struct steps *steps, const char *what, const struct buffer *got,
                   const void *want, size_t size)
{
    uint8_t *bytes = room(size, 1);
    const struct product_case *shape = steps->shape;

    assert_int_equal(device_read(steps->device, got, 0, bytes, size), STATUS_OK);
    if (memcmp(bytes, want, size))
        fail_msg("%s of %u x %u x %u rank %u differs from the text", what, shape->m,
                 shape->n, shape->k, shape->rank);
    memory_free(bytes);
}

#define FROM(...)    ((struct buffer *const[KERNEL_VIEWS_MAX]){__VA_ARGS__})
#define SCALARS(...) ((const union scalar[]){__VA_ARGS__})

struct side { /* of the noise, on the device */
    struct buffer *clean, *dense, *pairs, *noised;
};

static struct side side_make(const struct steps *steps, uint32_t side,
                             const struct product_plain *p)
{
    const struct product_case *shape = steps->shape;
    const uint32_t lines = side ? shape->n : shape->m, k = shape->k, rank = shape->rank;
    uint8_t bytes[32];
    struct side out;

    product_seed(bytes, side ? SEED_B : SEED_A);
    struct buffer *seed = made_buffer(steps->device, bytes, sizeof bytes);
    out.clean = made_buffer(steps->device, side ? p->b : p->a, (size_t)lines * k);
    out.dense = made(steps, KERNEL_noise_dense, (uint64_t)lines * rank / 32, FROM(seed),
                     SCALARS({.u32 = side}, {.u64 = 0}), (size_t)lines * rank);
    out.pairs = made(steps, KERNEL_noise_pairs, k / 8, FROM(seed),
                     SCALARS({.u32 = side}, {.u32 = rank}, {.u32 = k}), (size_t)k * 4);
    out.noised =
        made(steps, KERNEL_noise_add, lines, FROM(out.clean, out.dense, out.pairs),
             SCALARS({.u32 = k}, {.u32 = rank}), (size_t)lines * k);
    equals(steps, "dense noise", out.dense, side ? p->dense_b : p->dense_a,
           (size_t)lines * rank);
    equals(steps, "pairs", out.pairs, side ? p->pairs_b : p->pairs_a, (size_t)k * 4);
    equals(steps, "a noised operand", out.noised, side ? p->b_noised : p->a_noised,
           (size_t)lines * k);
    device_buffer_free(steps->device, seed);
    return out;
}

static void side_free(const struct steps *steps, struct side *side)
{
    device_buffer_free(steps->device, side->clean);
    device_buffer_free(steps->device, side->dense);
    device_buffer_free(steps->device, side->pairs);
    device_buffer_free(steps->device, side->noised);
}

static void tickets_check(const struct steps *steps, const struct product_plain *p,
                          const struct side *a, const struct side *b)
{
    const struct product_case *shape = steps->shape;
    const uint64_t tiles = p->tile_rows * p->tile_columns;
    const uint32_t h = shape->rows.count, w = shape->columns.count;
    uint8_t seed_a[32], *tickets = room(tiles + 1, 32);

    product_seed(seed_a, SEED_A);
    for (uint64_t t = 0; t < tiles; t++)
        memcpy(tickets + 32 * t, p->tiles[t].ticket, 32);
    struct buffer *seed = made_buffer(steps->device, seed_a, sizeof seed_a);
    struct buffer *rows =
        made_buffer(steps->device, p->row_indices, (p->tile_rows + 1) * h * 4);
    struct buffer *columns =
        made_buffer(steps->device, p->column_indices, (p->tile_columns + 1) * w * 4);
    struct buffer *words =
        made(steps, KERNEL_ticket_fold, tiles, FROM(a->noised, b->noised, rows, columns),
             SCALARS({.u32 = h}, {.u32 = w}, {.u32 = shape->k}, {.u32 = shape->rank},
                     {.u32 = (uint32_t)p->tile_columns}),
             (tiles + 1) * 64);
    struct buffer *hashes =
        made(steps, KERNEL_ticket_hash, tiles, FROM(words, seed), NULL, (tiles + 1) * 32);
    equals(steps, "the folded words", words, p->words, tiles * 64);
    equals(steps, "the tickets", hashes, tickets, tiles * 32);
    device_buffer_free(steps->device, seed);
    device_buffer_free(steps->device, rows);
    device_buffer_free(steps->device, columns);
    device_buffer_free(steps->device, words);
    device_buffer_free(steps->device, hashes);
    memory_free(tickets);
}

static void clean_check(const struct steps *steps, const struct product_plain *p,
                        const struct side *a, const struct side *b)
{
    const struct product_case *shape = steps->shape;
    const uint32_t m = shape->m, n = shape->n, k = shape->k, rank = shape->rank;
    struct buffer *x = made(steps, KERNEL_lowrank_x, m, FROM(a->clean, b->pairs),
                            SCALARS({.u32 = k}, {.u32 = rank}), (size_t)m * rank * 4);
    struct buffer *y = made(steps, KERNEL_lowrank_y, n, FROM(b->noised, a->pairs),
                            SCALARS({.u32 = k}, {.u32 = rank}), (size_t)n * rank * 4);
    struct buffer *c = made(steps, KERNEL_matmul_i8, m, FROM(a->noised, b->noised),
                            SCALARS({.u32 = n}, {.u32 = k}), (size_t)m * n * 4);
    const struct launch denoise = {
        .kernel = KERNEL_denoise,
        .last = m,
        .views = {{a->dense, 0}, {b->dense, 0}, {x, 0}, {y, 0}, {c, 0}},
        .scalars = {{.u32 = n}, {.u32 = rank}}};

    assert_int_equal(device_launch(steps->device, &denoise), STATUS_OK);
    equals(steps, "the corrected product", c, p->c, (size_t)m * n * 4);
    device_buffer_free(steps->device, x);
    device_buffer_free(steps->device, y);
    device_buffer_free(steps->device, c);
}

void product_run_steps(struct device *device, const struct product_case *shape,
                       const struct product_plain *p)
{
    const struct steps steps = {device, shape};

    assert_true(shape->rank);
    struct side a = side_make(&steps, 0, p), b = side_make(&steps, 1, p);
    tickets_check(&steps, p, &a, &b);
    clean_check(&steps, p, &a, &b);
    side_free(&steps, &a);
    side_free(&steps, &b);
}
