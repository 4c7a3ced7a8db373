/*
 * rungs.c - the ladder from the plain loop to a useful product.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/rungs.h"

#include <assert.h>
#include <stdio.h>

#include "bench/sweep.h"

struct step {
    const struct bench_kind *kind;
    const char *adds;
};

static const struct step apart[] = {
    {&bench_ladder_loop, "the loop over k, over noised operands, nothing written"},
    {&bench_ladder_fold, "the fold"},
    {&bench_ladder_hash, "the tile hash"},
    {&bench_ladder_noise, "A's noise"},
    {&bench_ladder_commit, "A's hash and seed"},
    {&bench_ladder_factors, "X and Y"},
    {&bench_ladder_correct, "denoise"},
    {&bench_ladder_store, "the product written"},
};

static const struct step whole[] = {
    {&bench_int8_product, "the plain product, written"},
    {&bench_tickets, "A's noise, fold, tile hash; nothing written"},
    {&bench_mining,
     "A's hash and seed; product behind product where the device runs ahead"},
    {&bench_useful, "X and Y, denoise, the product written"},
};

enum { APART = sizeof apart / sizeof apart[0], WHOLE = sizeof whole / sizeof whole[0] };
_Static_assert((int)APART <= (int)RUNGS_MAX && (int)WHOLE <= (int)RUNGS_MAX,
               "every step has a rung");

static const struct bench_result *result_of(const struct bench_result *results,
                                            const struct bench_kind *kind)
{
    size_t place = 0;

    while (bench_table[place] != kind)
        place++;
    return &results[place];
}

static void rung_add(const struct bench_setup *setup, const struct step *step,
                     const struct bench_result *result, struct rungs *out)
{
    struct rung *rung = &out->rungs[out->count];
    const double macs = (double)setup->m * setup->n * setup->k;

    assert(result->median > 0);
    *rung = (struct rung){.kind = step->kind,
                          .adds = step->adds,
                          .ms = macs / result->median / 1e6,
                          .tmac_s = result->median / 1e3,
                          .result = *result};
    rung->of_first = out->rungs[0].ms / rung->ms;
    rung->delta_ms = out->count ? rung->ms - out->rungs[out->count - 1].ms : 0;
    out->count++;
}

/* A step that did not take part would be counted with the one after it: then there is no
 * ladder above it. */
static void steps_take(const struct bench_setup *setup,
                       const struct bench_result *results, const struct step *steps,
                       size_t count, struct rungs *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct bench_result *result = result_of(results, steps[i].kind);

        if (!result->runs)
            break;
        rung_add(setup, &steps[i], result, out);
    }
    if (out->count < 2)
        out->count = 0;
}

void rungs_make(const struct bench_setup *setup, const struct bench_result *results,
                struct rungs *out)
{
    *out = (struct rungs){.count = 0};
    out->operands_bytes = ((uint64_t)setup->m + setup->n) * setup->k;
    out->cache_bytes = sweep_cache_size(setup->device);
    snprintf(out->shape, sizeof out->shape, "%u,%u,%u,%u", setup->m, setup->n, setup->k,
             setup->rank);
    steps_take(setup, results, apart, APART, out);
    out->is_apart = out->count > 0;
    if (!out->is_apart)
        steps_take(setup, results, whole, WHOLE, out);
}
