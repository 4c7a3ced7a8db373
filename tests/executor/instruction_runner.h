/*
 * instruction_runner.h - runs a case of instruction_cases.def on the executor, in all
 * modes and rounds, and compares with a plain loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_INSTRUCTION_RUNNER_H
#define MINERVA_TESTS_EXECUTOR_INSTRUCTION_RUNNER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executor/executor.h"
#include "tests/executor/instruction_cases.h"

/* What `out` holds afterwards, from what it held before. */
typedef void instruction_loop(const uint32_t *in, uint32_t *out);

struct instruction_expectation {
    const char *name;
    instruction_loop *loop;
};

static inline void instruction_map(const struct instruction_case *c, const void *in,
                                   uint32_t map[32])
{
    const bool plain = strcmp(c->name, "case_tma_load") == 0;
    const bool halves = strcmp(c->name, "case_tma_many") == 0;
    const uint64_t size[2] = {TENSOR_WIDTH, TENSOR_HEIGHT};
    const uint32_t box[2] = {plain ? 64 : 128, plain || halves ? 64 : 128};

    executor_tensor_map(map, in, size, TENSOR_WIDTH, box, !plain);
}

static inline void instruction_round(const struct instruction_case *c, uint32_t round,
                                     instruction_loop *loop)
{
    const size_t in_bytes = 4 * (size_t)c->in_words + 4,
                 out_bytes = 4 * (size_t)c->out_words;
    uint32_t *in = executor_memory_new(in_bytes), *out = executor_memory_new(out_bytes);
    uint32_t *expected = malloc(out_bytes), map[32];
    void *arguments[] = {&in, &out, map};
    struct executor_launch launch = {c->name,         {1, 1, 1}, c->threads,
                                     c->shared_bytes, arguments, c->cluster};
    const char *fault;

    instruction_operands(in, c->in_words, round);
    for (uint32_t i = 0; i < c->out_words; i++)
        out[i] = expected[i] = instruction_before(i);
    instruction_map(c, in, map);
    instruction_grid(c, launch.grid);
    loop(in, expected);
    fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s", fault);
    for (uint32_t i = 0; i < c->out_words; i++) {
        if (out[i] != expected[i])
            fail_msg("%s, round %u, word %u: %08x, expected %08x", c->name, round, i,
                     out[i], expected[i]);
    }
    free(expected);
    executor_memory_free(in);
    executor_memory_free(out);
}

/* Whether there is such a case; then it was run in every round. */
static inline bool instruction_expect(const char *name, instruction_loop *loop)
{
    for (size_t i = 0; i < INSTRUCTION_CASES; i++) {
        if (strcmp(instruction_cases[i].name + 5, name) != 0)
            continue;
        for (uint32_t round = 0; round < INSTRUCTION_ROUNDS; round++)
            instruction_round(&instruction_cases[i], round, loop);
        return true;
    }
    return false;
}

#endif
