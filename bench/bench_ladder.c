/*
 * bench_ladder.c - the steps of ladder.h as benchmarks, on operands that they share.
 *
 * In the clock: what ladder.h says of the step, and of all steps before it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "bench/ladder.h"
#include "miner/base/memory.h"

struct bench {
    struct ladder *ladder;
    struct ladder **shared; /* where others find it; NULL: nobody does */
    enum ladder_step step;
};

static void step_close(struct bench *bench)
{
    if (!bench)
        return;
    if (bench->ladder && --bench->ladder->users == 0) {
        if (bench->shared)
            *bench->shared = NULL;
        ladder_close(bench->ladder);
    }
    memory_free(bench);
}

static enum status step_open(enum ladder_step step, const struct bench_setup *setup,
                             struct bench **out, struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);
    enum status status = STATUS_OK;

    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    bench->step = step;
    bench->shared = setup->ladder;
    if (setup->ladder && *setup->ladder)
        bench->ladder = *setup->ladder;
    else
        status = ladder_open(setup, &bench->ladder, err);
    if (bench->ladder)
        bench->ladder->users++;
    if (status)
        return status;
    if (setup->ladder)
        *setup->ladder = bench->ladder;
    return ladder_check(bench->ladder, step, err);
}

static enum status step_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->ladder->operands.shape;
    uint64_t ns = 1;
    const enum status status = ladder_run(bench->ladder, bench->step, NULL, &ns);

    *value = (double)s.m * (double)s.n * (double)s.k / (double)ns;
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

static void step_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->ladder->operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k, bench->ladder->mining.a.rank);
}

#define STEP(word, number)                                                               \
    static enum status word##_open(const struct bench_setup *setup, struct bench **out,  \
                                   struct error *err)                                    \
    {                                                                                    \
        return step_open(number, setup, out, err);                                       \
    }                                                                                    \
    const struct bench_kind bench_ladder_##word = {                                      \
        .name = "ladder_" #word,                                                         \
        .unit = "GMAC/s",                                                                \
        .open = word##_open,                                                             \
        .close = step_close,                                                             \
        .run = step_run,                                                                 \
        .shape = step_shape,                                                             \
    };
STEP(loop, LADDER_LOOP)
STEP(fold, LADDER_FOLD)
STEP(hash, LADDER_HASH)
STEP(noise, LADDER_NOISE)
STEP(commit, LADDER_COMMIT)
STEP(factors, LADDER_FACTORS)
STEP(correct, LADDER_CORRECT)
STEP(store, LADDER_STORE)
