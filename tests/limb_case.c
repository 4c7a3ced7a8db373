/*
 * limb_case.c - operands that make one sum of the correction as large as wanted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/limb_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "tests/made_device.h"

enum { LINE_X = 9, LINE_Y = 21, RANK_MAX = 1024, VALUE_MAX = 64 };

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

#define VIEWS(...)   ((void *const[]){__VA_ARGS__})
#define SCALARS(...) ((const union scalar[]){__VA_ARGS__})

static void text(enum kernel kernel, uint64_t count, void *const *views,
                 const union scalar *scalars)
{
    kernel_table[kernel].run(0, count, views, scalars);
}

/* A side's noise, and everything the text needs of it. */
struct side {
    uint16_t *pairs; /* [k][2] */
    int8_t *dense;   /* [lines][rank] */
};

static uint16_t *pairs_make(const struct limb_case *given, uint32_t side)
{
    uint16_t *pairs = room(given->k, 2 * sizeof *pairs);

    text(KERNEL_noise_pairs, (given->k + 7) / 8,
         VIEWS((void *)(uintptr_t)given->seeds[side], pairs),
         SCALARS({.u32 = side}, {.u32 = given->rank}, {.u32 = given->k}));
    if (given->pairs_change)
        given->pairs_change(pairs, given->k);
    return pairs;
}

static struct side side_make(const struct limb_case *given, uint32_t side)
{
    const uint32_t lines = side ? LIMB_N : LIMB_M;
    struct side out = {.pairs = pairs_make(given, side),
                       .dense = room(lines, given->rank)};

    text(KERNEL_noise_dense, (uint64_t)lines * given->rank / 32,
         VIEWS((void *)(uintptr_t)given->seeds[side], out.dense),
         SCALARS({.u32 = side}, {.u64 = 0}));
    return out;
}

/* The factor with the most positions, and how many it has. */
static uint32_t factor_find(const uint16_t *pairs, uint32_t k, uint32_t *most)
{
    uint32_t counts[RANK_MAX] = {0}, factor = 0;

    for (uint32_t i = 0; i < 2 * k; i++)
        counts[pairs[i]]++;
    for (uint32_t j = 1; j < RANK_MAX; j++)
        factor = counts[j] > counts[factor] ? j : factor;
    *most = counts[factor];
    return factor;
}

/* Values of a line, each with its noise on top, whose sum over the factor's positions
 * comes to `sum`, or as near as they get.  Positions of other factors give zero. */
static int32_t line_fill(int8_t *line, const int8_t *noise, const uint16_t *pairs,
                         uint32_t k, int32_t sum)
{
    uint32_t most;
    const uint32_t factor = factor_find(pairs, k, &most);
    int32_t left = abs(sum);

    for (uint32_t l = 0; l < k; l++) {
        const bool adds = pairs[2 * l] == factor, takes = pairs[2 * l + 1] == factor;
        const int32_t way = (adds - takes) * (sum < 0 ? -1 : 1);
        const int32_t reach = VALUE_MAX + way * noise[l];
        const int32_t step = !way ? 0 : left < reach ? left : reach;

        left -= step;
        line[l] = (int8_t)(way * step - noise[l]);
    }
    return sum < 0 ? left - abs(sum) : abs(sum) - left;
}

/* Small values: the other sums stay small. */
static int8_t *matrix_make(const struct limb_case *given, uint32_t lines)
{
    int8_t *data = room(lines, given->k);
    const union scalar seed[] = {{.u64 = lines}};

    text(KERNEL_test_matrix, (uint64_t)lines * given->k, VIEWS(data), seed);
    for (size_t i = 0; i < (size_t)lines * given->k; i++)
        data[i] /= 16;
    return data;
}

/* dense[plus] - dense[minus] at every position of the line. */
static int8_t *noise_make(const struct limb_case *given, const struct side *side,
                          uint32_t line)
{
    int8_t *noise = room(given->k, 1), *zeros = room(given->k, 1);

    text(KERNEL_noise_add, 1,
         VIEWS(zeros, side->dense + (size_t)line * given->rank, side->pairs, noise),
         SCALARS({.u32 = given->k}, {.u32 = given->rank}));
    memory_free(zeros);
    return noise;
}

/* The largest magnitude, and how often it is there. */
static int32_t largest(const int32_t *sums, size_t count, uint32_t *often)
{
    int32_t most = 0;

    for (size_t i = 0; i < count; i++) {
        if (abs(sums[i]) > most)
            *often = 0;
        most = abs(sums[i]) > most ? abs(sums[i]) : most;
        *often += abs(sums[i]) == most;
    }
    return most;
}

/* X and Y of the text are what they should be, and with them the product is c. */
static void text_check(const struct limb_case *given, const struct side sides[2],
                       const struct limb_operands *o)
{
    const uint32_t k = given->k, rank = given->rank;
    const union scalar *line = SCALARS({.u32 = k}, {.u32 = rank});
    int8_t *a = room(LIMB_M, k), *b = room(LIMB_N, k);
    int32_t *x = room(LIMB_M, rank * sizeof *x), *y = room(LIMB_N, rank * sizeof *y);
    int32_t *c = room(LIMB_M * LIMB_N, sizeof *c);
    uint32_t often = 0, others = 0;

    text(KERNEL_noise_add, LIMB_M, VIEWS(o->a, sides[0].dense, sides[0].pairs, a), line);
    text(KERNEL_noise_add, LIMB_N, VIEWS(o->b, sides[1].dense, sides[1].pairs, b), line);
    text(KERNEL_lowrank_x, LIMB_M, VIEWS(o->a, sides[1].pairs, x), line);
    text(KERNEL_lowrank_y, LIMB_N, VIEWS(b, sides[0].pairs, y), line);
    const int32_t most_x =
        largest(x, (size_t)LIMB_M * rank, given->is_y ? &others : &often);
    const int32_t most_y =
        largest(y, (size_t)LIMB_N * rank, given->is_y ? &often : &others);
    assert_int_equal(given->is_y ? most_y : most_x, abs(o->sum));
    assert_int_equal(often, 1);
    assert_true((given->is_y ? most_x : most_y) < abs(o->sum));
    text(KERNEL_matmul_i8, LIMB_M, VIEWS(a, b, c), SCALARS({.u32 = LIMB_N}, {.u32 = k}));
    text(KERNEL_denoise, LIMB_M, VIEWS(sides[0].dense, sides[1].dense, x, y, c),
         SCALARS({.u32 = LIMB_N}, {.u32 = rank}));
    assert_memory_equal(c, o->c, LIMB_M * LIMB_N * sizeof *c);
    memory_free(a);
    memory_free(b);
    memory_free(x);
    memory_free(y);
    memory_free(c);
}

void limb_case_make(const struct limb_case *given, struct limb_operands *out)
{
    struct side sides[2] = {side_make(given, 0), side_make(given, 1)};
    const uint32_t line = given->is_y ? LINE_Y : LINE_X;
    int8_t *noise;

    *out = (struct limb_operands){.a = matrix_make(given, LIMB_M),
                                  .b = matrix_make(given, LIMB_N),
                                  .pairs = {sides[0].pairs, sides[1].pairs},
                                  .c = room(LIMB_M * LIMB_N, sizeof *out->c)};
    /* X is of the clean a, Y of the noised b. */
    noise = given->is_y ? noise_make(given, &sides[1], line) : room(given->k, 1);
    out->sum = line_fill((given->is_y ? out->b : out->a) + (size_t)line * given->k, noise,
                         sides[given->is_y ? 0 : 1].pairs, given->k, given->sum);
    text(KERNEL_matmul_i8, LIMB_M, VIEWS(out->a, out->b, out->c),
         SCALARS({.u32 = LIMB_N}, {.u32 = given->k}));
    text_check(given, sides, out);
    memory_free(noise);
    memory_free(sides[0].dense);
    memory_free(sides[1].dense);
}

void limb_case_free(struct limb_operands *operands)
{
    memory_free(operands->a);
    memory_free(operands->b);
    memory_free(operands->c);
    memory_free(operands->pairs[0]);
    memory_free(operands->pairs[1]);
}

void limb_case_check(struct device *device, const struct limb_case *given,
                     const struct limb_operands *operands)
{
    const uint32_t k = given->k, rank = given->rank;
    const struct pattern rows = pattern_range(8), columns = pattern_range(16);
    struct mining mining = {.a.rank = rank,
                            .b.rank = rank,
                            .rows = &rows,
                            .columns = &columns,
                            .hits_max = 1};
    struct buffer *a = made_buffer(device, operands->a, (size_t)LIMB_M * k);
    struct buffer *b = made_buffer(device, operands->b, (size_t)LIMB_N * k);
    struct buffer *c = made_buffer(device, NULL, LIMB_M * LIMB_N * sizeof(int32_t));
    struct buffer *hits =
        made_buffer(device, NULL, sizeof(struct hits) + sizeof(struct hit));
    int32_t found[LIMB_M * LIMB_N];
    struct packed *packed;

    memcpy(mining.a.seed, given->seeds[0], 32);
    memcpy(mining.b.seed, given->seeds[1], 32);
    mining.hits.buffer = hits;
    assert_int_equal(device_packed_new(device, LIMB_N, k, &packed), STATUS_OK);
    assert_int_equal(device_pack(device, packed, (struct view){b, 0}, &mining.b),
                     STATUS_OK);
    assert_int_equal(device_reserve(device, LIMB_M, LIMB_N, k, rank), STATUS_OK);
    const struct multiply multiply = {
        .m = LIMB_M, .a = {a, 0}, .b = packed, .c = {c, 0}, .mining = &mining};
    assert_int_equal(device_multiply(device, &multiply), STATUS_OK);
    assert_int_equal(device_read(device, c, 0, found, sizeof found), STATUS_OK);
    if (memcmp(found, operands->c, sizeof found) != 0)
        fail_msg("k %u, rank %u, a sum of %d in %s: not the text's product", k, rank,
                 operands->sum, given->is_y ? "Y" : "X");
    device_packed_free(device, packed);
    device_buffer_free(device, a);
    device_buffer_free(device, b);
    device_buffer_free(device, c);
    device_buffer_free(device, hits);
}

void limb_case_seek(struct limb_case *given, uint32_t longest)
{
    uint32_t found = 0;

    for (uint32_t number = 1; found != longest; number++) {
        assert_true(number < 10000);
        found = 0;
        for (uint32_t side = 0; side < 2; side++) {
            uint32_t most;

            memset(given->seeds[side], 0, 32);
            memcpy(given->seeds[side], &number, sizeof number);
            uint16_t *pairs = pairs_make(given, side);
            factor_find(pairs, given->k, &most);
            memory_free(pairs);
            found = most > found ? most : found;
        }
    }
}
