/*
 * product_case.c - the plain composition of the shared text, as a definition for tests.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/product_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int8_t value_make(enum product_values values)
{
    const uint64_t x = random_next() >> 16;

    switch (values) {
    case VALUES_EDGES:
        return x & 1 ? 64 : -64;
    case VALUES_HIGHEST:
        return 64;
    case VALUES_WIDE: /* only where no noise comes on top */
        return x % 3 ? (x & 4 ? 127 : -127) : (int8_t)(x >> 8);
    case VALUES_ZERO:
        return 0;
    default:
        return (int8_t)((int)(x % 129) - 64);
    }
}

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static int8_t *matrix_make(const struct product_case *shape, uint32_t lines)
{
    int8_t *data = room(lines, shape->k);

    if (shape->values == VALUES_FULL) { /* sums as large as they get, of either sign */
        for (size_t i = 0; i < (size_t)lines * shape->k; i++)
            data[i] = i / shape->k & 1 ? -127 : 127;
        return data;
    }
    for (size_t i = 0; i < (size_t)lines * shape->k; i++)
        data[i] = value_make(shape->values);
    return data;
}

static void kernel(enum kernel which, uint64_t count, void *const *views,
                   const union scalar *scalars)
{
    kernel_table[which].run(0, count, views, scalars);
}

#define VIEWS(...)   ((void *const[]){__VA_ARGS__})
#define SCALARS(...) ((const union scalar[]){__VA_ARGS__})

void product_seed(uint8_t seed[32], uint8_t number)
{
    for (uint8_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)(number * 31 + i);
}

static void noised_make(const struct product_case *shape, uint32_t side,
                        struct product_plain *p)
{
    const uint32_t k = shape->k, rank = shape->rank, lines = side ? shape->n : shape->m;
    int8_t *dense = room(lines, rank), *noised = room(lines, k);
    uint16_t *pairs = room(k, 2 * sizeof *pairs);
    uint8_t seed[32];

    product_seed(seed, side ? SEED_B : SEED_A);
    kernel(KERNEL_noise_dense, (uint64_t)lines * rank / 32, VIEWS(seed, dense),
           SCALARS({.u32 = side}, {.u64 = 0}));
    kernel(KERNEL_noise_pairs, k / 8, VIEWS(seed, pairs),
           SCALARS({.u32 = side}, {.u32 = rank}, {.u32 = k}));
    kernel(KERNEL_noise_add, lines, VIEWS(side ? p->b : p->a, dense, pairs, noised),
           SCALARS({.u32 = k}, {.u32 = rank}));
    *(side ? &p->dense_b : &p->dense_a) = dense;
    *(side ? &p->b_noised : &p->a_noised) = noised;
    *(side ? &p->pairs_b : &p->pairs_a) = pairs;
}

static uint32_t *indices_make(const struct pattern *pattern, uint64_t tiles)
{
    uint32_t *indices = room(tiles + 1, pattern->count * sizeof *indices);

    for (uint64_t t = 0; t < tiles; t++)
        for (uint32_t i = 0; i < pattern->count; i++)
            indices[t * pattern->count + i] =
                (uint32_t)pattern_start(pattern, t) + pattern->offsets[i];
    return indices;
}

static void tickets_make(const struct product_case *shape, struct product_plain *p)
{
    const uint32_t h = shape->rows.count, w = shape->columns.count;
    const uint64_t rows = p->tile_rows = pattern_starts(&shape->rows, shape->m);
    const uint64_t columns = p->tile_columns = pattern_starts(&shape->columns, shape->n);
    uint32_t *row_indices = p->row_indices = indices_make(&shape->rows, rows);
    uint32_t *column_indices = p->column_indices = indices_make(&shape->columns, columns);
    uint32_t *words = p->words = room(rows * columns + 1, 64);
    uint8_t *tickets = room(rows * columns + 1, 32), seed[32];

    product_seed(seed, SEED_A);
    p->tiles = room(rows * columns + 1, sizeof *p->tiles);
    kernel(KERNEL_ticket_fold, rows * columns,
           VIEWS(p->a_noised, p->b_noised, row_indices, column_indices, words),
           SCALARS({.u32 = h}, {.u32 = w}, {.u32 = shape->k}, {.u32 = shape->rank},
                   {.u32 = (uint32_t)columns}));
    kernel(KERNEL_ticket_hash, rows * columns, VIEWS(words, seed, tickets), NULL);
    for (uint64_t t = 0; t < rows * columns; t++) {
        p->tiles[t].row = row_indices[t / columns * h];
        p->tiles[t].column = column_indices[t % columns * w];
        memcpy(p->tiles[t].ticket, tickets + 32 * t, 32);
        p->wins += tickets[32 * t + 31] <= shape->bound_top;
    }
    memory_free(tickets);
}

/* The product's definition in 64 bits; the corrected noised product must be the same. */
static void product_check(const struct product_case *shape, const struct product_plain *p)
{
    const uint32_t m = shape->m, n = shape->n, k = shape->k, rank = shape->rank;
    int32_t *c = room((size_t)m * n, sizeof *c);
    int32_t *x = room(m, rank * sizeof *x), *y = room(n, rank * sizeof *y);

    for (uint32_t i = 0; i < m; i++)
        for (uint32_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (uint32_t l = 0; l < k; l++)
                sum += p->a[(size_t)i * k + l] * p->b[(size_t)j * k + l];
            assert_int_equal(sum, p->c[(size_t)i * n + j]);
        }
    if (rank) {
        kernel(KERNEL_matmul_i8, m, VIEWS(p->a_noised, p->b_noised, c),
               SCALARS({.u32 = n}, {.u32 = k}));
        kernel(KERNEL_lowrank_x, m, VIEWS(p->a, p->pairs_b, x),
               SCALARS({.u32 = k}, {.u32 = rank}));
        kernel(KERNEL_lowrank_y, n, VIEWS(p->b_noised, p->pairs_a, y),
               SCALARS({.u32 = k}, {.u32 = rank}));
        kernel(KERNEL_denoise, m, VIEWS(p->dense_a, p->dense_b, x, y, c),
               SCALARS({.u32 = n}, {.u32 = rank}));
        assert_memory_equal(c, p->c, (size_t)m * n * sizeof *c);
    }
    memory_free(c);
    memory_free(x);
    memory_free(y);
}

void product_plain_make(const struct product_case *shape, struct product_plain *p)
{
    *p = (struct product_plain){.wins = 0};
    random_state = 88172645463325252u + shape->m * 1009u + shape->n * 31u + shape->k;
    p->a = matrix_make(shape, shape->m);
    p->b = matrix_make(shape, shape->n);
    p->c = room((size_t)shape->m * shape->n, sizeof *p->c);
    kernel(KERNEL_matmul_i8, shape->m, VIEWS(p->a, p->b, p->c),
           SCALARS({.u32 = shape->n}, {.u32 = shape->k}));
    if (shape->rank) {
        noised_make(shape, 0, p);
        noised_make(shape, 1, p);
        tickets_make(shape, p);
    }
    product_check(shape, p);
}

void product_plain_free(struct product_plain *p)
{
    memory_free(p->a);
    memory_free(p->b);
    memory_free(p->c);
    memory_free(p->a_noised);
    memory_free(p->b_noised);
    memory_free(p->dense_a);
    memory_free(p->dense_b);
    memory_free(p->pairs_a);
    memory_free(p->pairs_b);
    memory_free(p->tiles);
    memory_free(p->row_indices);
    memory_free(p->column_indices);
    memory_free(p->words);
}

struct pattern product_pattern(uint32_t l1, uint32_t s1, uint32_t l2, uint32_t s2,
                               uint32_t l3, uint32_t s3)
{
    struct pattern pattern;

    assert_true(pattern_from_pairs((const uint32_t[]){l1, l2, l3},
                                   (const uint32_t[]){s1, s2, s3}, &pattern));
    return pattern;
}
