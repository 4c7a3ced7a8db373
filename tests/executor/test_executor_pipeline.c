/*
 * test_executor_pipeline.c - claim: of a pipeline of TMA, mbarriers and wgmma the
 * executor accepts the right one, whose sums are those of a plain loop, and names each
 * mistake.
 *
 * labels: plain
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executor/executor.h"
#include "tests/executor/instruction_cases.h"

#define SHARED_BYTES (1024 + 2 * 16384)
#define OUT_WORDS    (128 * 32)

struct pipeline {
    int8_t *in; /* 128 rows of 512 bytes */
    uint32_t *out, wrong, map[32];
    void *arguments[3];
};

static void pipeline_open(struct pipeline *p)
{
    const uint64_t size[2] = {TENSOR_WIDTH, TENSOR_HEIGHT};
    const uint32_t box[2] = {128, 128};

    p->in = executor_memory_new(TENSOR_WIDTH * TENSOR_HEIGHT);
    p->out = executor_memory_new(4 * OUT_WORDS);
    instruction_operands((uint32_t *)(void *)p->in, TENSOR_WIDTH * TENSOR_HEIGHT / 4, 0);
    executor_tensor_map(p->map, p->in, size, TENSOR_WIDTH, box, true);
    p->arguments[0] = &p->out;
    p->arguments[1] = &p->wrong;
    p->arguments[2] = p->map;
}

static void pipeline_close(struct pipeline *p)
{
    executor_memory_free(p->in);
    executor_memory_free(p->out);
}

static void the_right_one_is_right(void **state)
{
    struct pipeline p = {.wrong = 0};
    const struct executor_launch launch = {"fault_pipeline", {1, 1, 1},   160,
                                           SHARED_BYTES,     p.arguments, 0};
    const char *fault;

    (void)state;
    pipeline_open(&p);
    fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s", fault);
    for (uint32_t i = 0; i < OUT_WORDS; i++) {
        const uint32_t thread = i / 32, e = i % 32;
        const uint32_t row = thread / 32 * 16 + thread % 32 / 4 + (e & 2 ? 8 : 0);
        const uint32_t column = 64 + e / 4 * 8 + thread % 4 * 2 + (e & 1);
        int32_t sum = 0;

        for (uint32_t k = 0; k < TENSOR_WIDTH; k++)
            sum += p.in[row * TENSOR_WIDTH + k] * p.in[column * TENSOR_WIDTH + k];
        assert_int_equal((int32_t)p.out[i], sum);
    }
    pipeline_close(&p);
}

/* Words of which the sentence of each mistake holds one. */
static const char *const names[][4] = {
    {"nobody wrote", "too early", "race"},   /* no wait for a full stage */
    {"race", "too early"},                   /* released early */
    {"race", "too early", "expects nobody"}, /* no wait for an empty stage */
    {"mbarrier_fence"},                      /* no fence of the mbarriers */
    {"nobody can go on"},                    /* expects too few bytes */
    {"touches accumulators"},                /* sums read early */
    {"without wgmma_fence"},                 /* registers */
    {"nobody wrote", "too early", "race", "nobody can go on"}, /* parity */
    {"expects nobody more", "race", "too early", "nobody can go on"},
    {"race", "too early", "touches accumulators"}, /* a group under way */
};

static bool is_named(const char *fault, const char *const words[4])
{
    for (size_t i = 0; fault && i < 4 && words[i]; i++) {
        if (strstr(fault, words[i]))
            return true;
    }
    return false;
}

static void mistakes_are_named(void **state)
{
    struct pipeline p = {.wrong = 0};
    const struct executor_launch launch = {"fault_pipeline", {1, 1, 1},   160,
                                           SHARED_BYTES,     p.arguments, 0};

    (void)state;
    pipeline_open(&p);
    for (uint32_t i = 0; i < EXECUTOR_MODES * sizeof names / sizeof *names; i++) {
        const uint32_t mode = i % EXECUTOR_MODES;
        const char *fault;

        p.wrong = 1 + i / EXECUTOR_MODES;
        fault = executor_run(&launch, executor_mode(mode));
        if (!is_named(fault, names[p.wrong - 1]))
            fail_msg("mistake %u in mode %u: %s", p.wrong, mode,
                     fault ? fault : "no fault was seen");
    }
    pipeline_close(&p);
}

static void operands_are_fenced(void **state)
{
    struct pipeline p = {.wrong = 0};
    const struct executor_launch launch = {"fault_async_fence", {1, 1, 1}, 128, 16384,
                                           p.arguments,         0};

    (void)state;
    pipeline_open(&p);
    assert_null(executor_run_all(&launch));
    p.wrong = 1;
    assert_non_null(strstr(executor_run_all(&launch), "no async_fence"));
    pipeline_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one_is_right),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(operands_are_fenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
