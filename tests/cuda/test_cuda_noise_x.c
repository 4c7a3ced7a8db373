/*
 * test_cuda_noise_x.c - claim: the CUDA kernel that takes the place of noise_add and
 * lowrank_x leaves the bytes of both, one behind the other, in all orders of the
 * executor: ragged lines, one line, k in one piece and in several, every rank, noise that
 * wraps, positions without noise; and it is not taken where it would not.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_matmul.h"
#include "miner/base/memory.h"
#include "tests/executed.h"
#include "tests/executor/executor.h"

enum { CLEAN, DENSE, PAIRS, OUT, AGAIN, PAIRS_B, X, VIEWS };

enum values { ANY, ENDS, WRAPPING };

struct joint_case {
    uint32_t first, last, k, rank;
    uint32_t processors;
    uint32_t parts;  /* that are then made of it */
    uint32_t blocks; /* that take them; 0: as many */
    enum values values;
};

/* Both texts' views, in the executor's memory and as the texts left them. */
struct joint_views {
    size_t sizes[VIEWS];
    void *device[VIEWS];
    void *plain[VIEWS];
};

static uint64_t random_state = 1;

static uint32_t drawn(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(random_state >> 32);
}

static uint8_t value_of(enum values values, uint32_t view)
{
    const uint32_t x = drawn();

    if (values == ANY)
        return (uint8_t)x;
    if (view == CLEAN)
        return (uint8_t)(values == ENDS ? (x & 1 ? 64 : -64) : (x & 1 ? 127 : -128));
    return (uint8_t)(values == ENDS ? (x & 1 ? 31 : -32) : (x & 1 ? 127 : -128));
}

static void values_make(uint8_t *bytes, size_t size, enum values values, uint32_t view)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = value_of(values, view);
}

/* Of any two columns; some cancel, some are the first and the last. */
static void pairs_make(uint8_t *bytes, uint32_t k, uint32_t rank)
{
    uint16_t *pairs = (uint16_t *)(void *)bytes;

    for (uint32_t i = 0; i < k; i++) {
        const uint32_t kind = drawn() % 8;

        pairs[2 * i] = (uint16_t)(kind == 0 ? 0 : drawn() % rank);
        pairs[2 * i + 1] = (uint16_t)(kind == 0   ? rank - 1
                                      : kind == 1 ? pairs[2 * i]
                                                  : drawn() % rank);
    }
}

static void views_make(const struct joint_case *c, struct joint_views *views)
{
    const size_t m = c->last, k = c->k, rank = c->rank;

    *views = (struct joint_views){
        .sizes = {m * k, m * rank, 4 * k, m * k, 0, 4 * k, m * rank * sizeof(int32_t)}};
    for (uint32_t i = 0; i < VIEWS; i++) {
        if (i == AGAIN) {
            views->device[i] = views->device[CLEAN];
            views->plain[i] = views->plain[CLEAN];
            continue;
        }
        views->device[i] = executor_memory_new(views->sizes[i]);
        views->plain[i] = memory_array(views->sizes[i], 1);
        assert_non_null(views->plain[i]);
        if (i == PAIRS || i == PAIRS_B)
            pairs_make(views->device[i], c->k, c->rank);
        if (i <= DENSE)
            values_make(views->device[i], views->sizes[i], c->values, i);
        memcpy(views->plain[i], views->device[i], views->sizes[i]);
    }
}

static void views_free(struct joint_views *views)
{
    for (uint32_t i = 0; i < VIEWS; i++) {
        if (i == AGAIN)
            continue;
        executor_memory_free(views->device[i]);
        memory_free(views->plain[i]);
    }
}

/* The texts' launches, with the addresses as they are in the executor. */
struct joint_texts {
    struct launch noise, sums;
};

static void texts_make(const struct joint_case *c, const struct joint_views *views,
                       struct joint_texts *texts)
{
    *texts =
        (struct joint_texts){.noise = {.kernel = KERNEL_noise_add,
                                       .first = c->first,
                                       .last = c->last,
                                       .scalars = {{.u32 = c->k}, {.u32 = c->rank}}}};
    texts->sums = texts->noise;
    texts->sums.kernel = KERNEL_lowrank_x;
    for (uint32_t i = 0; i < VIEWS; i++)
        (i < AGAIN ? &texts->noise.views[i] : &texts->sums.views[i - AGAIN])->offset =
            (uintptr_t)views->device[i];
}

static void texts_run(const struct joint_texts *texts, const struct joint_views *views)
{
    kernel_table[KERNEL_noise_add].run(texts->noise.first, texts->noise.last,
                                       views->plain, texts->noise.scalars);
    kernel_table[KERNEL_lowrank_x].run(texts->sums.first, texts->sums.last,
                                       views->plain + AGAIN, texts->sums.scalars);
}

static void joint_run(struct joint_texts *texts, struct joint_views *views,
                      const struct cuda_grid *grid)
{
    void *arguments[2 * (2 + KERNEL_VIEWS_MAX + KERNEL_SCALARS_MAX)];
    const struct executor_launch launch = {.kernel = "noise_x",
                                           .grid = {(uint32_t)grid->parts, 1, 1},
                                           .threads = grid->threads,
                                           .shared_bytes = grid->shared,
                                           .arguments = arguments};
    const char *fault;

    executed_arguments(&texts->sums, views->device + AGAIN,
                       arguments +
                           executed_arguments(&texts->noise, views->device, arguments));
    memset((uint8_t *)views->device[X] + grid->cleared_at, 0, grid->cleared_bytes);
    fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s", fault);
}

static void check(const struct joint_case *c)
{
    const struct cuda_traits traits = {90, c->processors, 227 << 10};
    struct joint_views views;
    struct joint_texts texts;
    struct cuda_grid grid;

    views_make(c, &views);
    texts_make(c, &views, &texts);
    assert_true(noise_x_grid(&traits, &texts.noise, &texts.sums, &grid));
    assert_true(grid.shared <= traits.shared_max);
    assert_int_equal(grid.parts, c->parts);
    if (c->blocks)
        grid.parts = c->blocks;
    texts_run(&texts, &views);
    joint_run(&texts, &views, &grid);
    for (uint32_t i = 0; i < VIEWS; i++)
        if (memcmp(views.device[i], views.plain[i], views.sizes[i]) != 0)
            fail_msg("noise_x over [%u, %u), k %u, rank %u: view %u differs", c->first,
                     c->last, c->k, c->rank, i);
    views_free(&views);
}

static void test_bytes(void **state)
{
    static const struct joint_case cases[] = {
        {0, 1, 64, 32, 1, 1, 0, ANY},
        {0, 130, 576, 64, 1, 2, 0, ENDS},
        {3, 131, 192, 128, 1, 1, 0, WRAPPING},
        {126, 259, 128, 32, 4, 2, 1, ANY}, /* a tile after the other */
        {0, 37, 2048, 128, 2, 4, 0, ENDS}, /* k in four pieces */
        {2, 9, 1088, 32, 8, 2, 0, WRAPPING},
        {0, 20, 1088, 256, 9, 4, 3, ANY}, /* in one after all */
        {0, 300, 1024, 64, 132, 6, 4, WRAPPING},
        {0, 5, 1600, 96, 132, 3, 0, ANY}, /* of 9, 9 and 7 stages */
        {0, 5, 128, 512, 132, 4, 0, ANY},
        {0, 3, 1024, 1024, 132, 16, 0, WRAPPING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
}

static void test_refusals(void **state)
{
    const struct joint_case c = {0, 3, 128, 128, 132, 1, 0, ANY};
    const uint32_t needed = LOWRANK_SHARED + 128 * NOISE_X_PITCH;
    struct cuda_traits traits = {80, 132, needed};
    struct joint_views views;
    struct joint_texts good, texts;
    struct cuda_grid grid;

    (void)state;
    views_make(&c, &views);
    texts_make(&c, &views, &good);
#define TAKEN(change)                                                                    \
    (texts = good, change, noise_x_grid(&traits, &texts.noise, &texts.sums, &grid))
    assert_true(TAKEN((void)0));
    assert_true(TAKEN(texts.noise.views[DENSE].offset += 4));
    assert_false(TAKEN(texts.noise.views[DENSE].offset += 2));
    assert_false(TAKEN(texts.noise.views[PAIRS].offset += 4));
    assert_false(TAKEN(texts.noise.views[OUT].offset += 8));
    assert_false(TAKEN(texts.noise.views[OUT] = texts.noise.views[CLEAN]));
    assert_false(TAKEN(texts.sums.views[0].offset += 16));
    assert_false(
        TAKEN((texts.sums.views[0].offset += 8, texts.noise.views[CLEAN].offset += 8)));
    assert_false(TAKEN(texts.sums.views[PAIRS_B - AGAIN].offset += 2));
    assert_false(TAKEN(texts.sums.views[X - AGAIN].offset += 1));
    assert_false(TAKEN(texts.sums.first = 1));
    assert_false(TAKEN(texts.sums.last = 2));
    assert_false(TAKEN(texts.noise.last = texts.sums.last = 0));
    assert_false(TAKEN(texts.sums.scalars[0].u32 = 64));
    assert_false(TAKEN(texts.sums.scalars[1].u32 = 64));
    assert_false(TAKEN(texts.noise.scalars[0].u32 = texts.sums.scalars[0].u32 = 96));
    assert_false(TAKEN(texts.noise.scalars[1].u32 = texts.sums.scalars[1].u32 = 16));
    traits.shared_max--;
    assert_false(TAKEN((void)0));
    assert_true(TAKEN(texts.noise.scalars[1].u32 = texts.sums.scalars[1].u32 = 64));
#undef TAKEN
    views_free(&views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
