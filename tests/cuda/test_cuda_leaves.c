/*
 * test_cuda_leaves.c - claim: each CUDA kernel that hashes what it quantises leaves the
 * bytes of its two texts in every view, in all orders of the executor, whatever the rows
 * are and however many go to a block; and what it was not made for is not given to it.
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

#include "backends/cuda/cuda_matmul.h"
#include "tests/executed.h"
#include "tests/executor/executor.h"
#include "tests/leaves_case.h"

static const struct cuda_joint joints[] = {
#define CUDA_JOINT(first, second, entry, capability)                                     \
    {KERNEL_##first, KERNEL_##second, #entry, capability, entry##_grid},
#include "backends/cuda/cuda_joint.def"
#undef CUDA_JOINT
};

static const struct cuda_joint *joint_of(const struct leaves_case *c)
{
    for (size_t i = 0; i < sizeof joints / sizeof joints[0]; i++)
        if (joints[i].first == c->first.kernel && joints[i].second == c->second.kernel)
            return &joints[i];
    fail_msg("%s is in no pair", kernel_table[c->first.kernel].name);
    return NULL;
}

static bool case_grid(struct leaves_case *c, uint32_t processors, struct cuda_grid *grid)
{
    const struct cuda_traits traits = {75, processors, 64 << 10};

    for (size_t i = 0; i < LEAVES_VIEWS; i++) /* names: the executor has its own memory */
        c->buffers[i] = (struct buffer *)&c->sizes[i];
    leaves_case_views(c);
    return joint_of(c)->grid(&traits, &c->first, &c->second, grid);
}

static void case_run(struct leaves_case *c, const struct cuda_grid *grid)
{
    void *arguments[2 * (2 + KERNEL_VIEWS_MAX + KERNEL_SCALARS_MAX)];
    void *views[LEAVES_VIEWS], *hashed[3];

    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        views[i] = executor_memory_new(c->sizes[i]);
        memcpy(views[i], c->before[i], c->sizes[i]);
    }
    hashed[0] = views[LEAVES_Q];
    hashed[1] = views[LEAVES_KEY];
    hashed[2] = views[LEAVES_VALUES];
    executed_arguments(&c->second, hashed,
                       arguments + executed_arguments(&c->first, views, arguments));
    const struct executor_launch launch = {.kernel = joint_of(c)->entry,
                                           .grid = {(uint32_t)grid->parts, 1, 1},
                                           .threads = grid->threads,
                                           .shared_bytes = grid->shared,
                                           .arguments = arguments};
    const char *fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s", fault);
    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        if (memcmp(views[i], c->after[i], c->sizes[i]) != 0)
            fail_msg("%s of %u x %u: view %u differs", launch.kernel, c->shape.rows,
                     c->shape.k, (unsigned)i);
        executor_memory_free(views[i]);
    }
}

static void what_two_texts_make_one_kernel_makes(void **state)
{
    static const struct {
        struct leaves_shape shape;
        uint32_t processors, blocks;
    } cases[] = {
        {{1, 64, 64, 1}, 1, 1},      /* a part of a chunk, which is the root */
        {{1, 1000, 1024, 1}, 1, 1},  /* a chunk, which is the root */
        {{17, 64, 64, 1}, 1, 2},     /* a chunk, and a row of another */
        {{21, 380, 384, 1}, 132, 3}, /* the last block has fewer rows */
        {{100, 384, 384, 1}, 1, 5},  /* three times eight rows a block */
        {{30, 832, 832, 1}, 1, 2},   /* thirteen chunks, and a part of the last one */
        {{7, 1536, 1536, 1}, 1, 4},
        {{3, 4096, 4096, 1}, 1, 3},
        {{40, 4092, 4096, 1}, 1, 5}, /* as many chunks as a warp has lanes */
        {{1, 28672, 28672, 1}, 1, 1},
        {{20, 16, 16, 1}, 1, 1},
        {{1, 1024, 1024, 2}, 1, 1}, /* a chunk a limb */
        {{16, 60, 64, 2}, 1, 1},    /* a group of rows a chunk of each limb */
        {{80, 384, 384, 2}, 1, 5},
        {{16, 832, 832, 2}, 132, 1},
        {{6, 1536, 1536, 2}, 1, 3},
        {{9, 4096, 4096, 2}, 1, 5}, /* of two rows each, but for the last one */
        {{2, 16384, 16384, 2}, 1, 2},
        {{1, 64, 64, 2}, 1, 1},     /* both limbs a part of the chunk that is the root */
        {{8, 64, 64, 2}, 1, 1},     /* all of it */
        {{33, 64, 64, 2}, 1, 3},    /* whose last chunk begins in another block's rows */
        {{9, 384, 384, 2}, 132, 2}, /* one chunk has the end of the high limbs */
        {{23, 384, 384, 2}, 132, 3},
        {{101, 380, 384, 2}, 1, 5},
        {{30, 832, 832, 2}, 132, 2},
        {{3, 960, 960, 2}, 1, 1}, /* as many chunks as lanes, nearly, and one between */
        {{41, 448, 448, 2}, 1, 3},
        {{5, 1536, 1536, 2}, 1, 3},
        {{7, 208, 208, 2}, 132, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct leaves_case c;
        struct cuda_grid grid;

        leaves_case_make(&cases[i].shape, &c);
        assert_true(case_grid(&c, cases[i].processors, &grid));
        assert_int_equal(grid.parts, cases[i].blocks);
        assert_true(grid.shared <= 48 << 10);
        case_run(&c, &grid);
        leaves_case_free(&c);
    }
}

static void what_does_not_suit_stays_two_launches(void **state)
{
    static const struct leaves_shape shapes[] = {
        {8, 382, 384, 1},     /* rows that no wide load can read */
        {4, 8, 8, 1},         /* nor write */
        {1, 11008, 11008, 1}, /* 43 chunks until rows and chunks end together */
        {4, 17408, 17408, 2},
    };
    struct leaves_case c;
    struct cuda_grid grid;

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        leaves_case_make(&shapes[i], &c);
        assert_false(case_grid(&c, 1, &grid));
        leaves_case_free(&c);
    }
    leaves_case_make(&(struct leaves_shape){24, 384, 384, 1}, &c);
    assert_true(case_grid(&c, 1, &grid));
    const struct launch first = c.first, second = c.second;
#define DECLINED(change)                                                                 \
    do {                                                                                 \
        c.first = first, c.second = second;                                              \
        change;                                                                          \
        assert_false(joints[0].grid(&(struct cuda_traits){75, 1, 64 << 10}, &c.first,    \
                                    &c.second, &grid));                                  \
    } while (0)
    DECLINED(c.first.first = 8);
    DECLINED(c.first.last = 16);
    DECLINED(c.second.first = 3);
    DECLINED(c.second.last = 6);
    DECLINED(c.second.scalars[0].u64 -= 64);
    DECLINED(c.second.views[0].buffer = c.buffers[LEAVES_X]);
    DECLINED(c.second.views[0].offset = 16);
    DECLINED(c.first.views[0].offset = 8);
    DECLINED(c.first.views[1].offset = c.second.views[0].offset = 8);
    DECLINED(c.second.views[2].offset = 8);
#undef DECLINED
    leaves_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_texts_make_one_kernel_makes),
        cmocka_unit_test(what_does_not_suit_stays_two_launches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
