/*
 * peers_ratios.c - how ours and theirs stand to each other, and what was promised.
 *
 * A rate is divided by a rate, or, where it is said as time, the other way round.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/peers_ratios.h"

#include <assert.h>
#include <stdio.h>

struct promise {
    double at_least, aim;
};

typedef struct promise promise_of(const struct peers_turns *turns);

static struct promise nothing(const struct peers_turns *turns)
{
    (void)turns;
    return (struct promise){0, 0};
}

static struct promise clean_beside_onednn(const struct peers_turns *turns)
{
    const bool is_large = turns->m >= 2048 && turns->n >= 2048 && turns->k >= 2048;

    return (struct promise){is_large ? 0.92 : 0.90, 1};
}

static struct promise mining_beside_clean(const struct peers_turns *turns)
{
    if (turns->m < 512)
        return (struct promise){0, 0};
    return (struct promise){turns->m >= 2048 ? 0.93 : 0.90, 0.98};
}

/* The shape that both figures of time are promised for. */
static bool is_main_shape(const struct peers_turns *turns)
{
    return turns->m == 2048 && turns->n == 2048 && turns->k == 4096;
}

static struct promise useful_time_beside_clean(const struct peers_turns *turns)
{
    const double correction = 1 + 4.0 * turns->rank / turns->k;

    if (is_main_shape(turns))
        return (struct promise){1.25, 1.18};
    if (turns->m >= 1024)
        return (struct promise){correction + 0.10, correction + 0.05};
    return (struct promise){correction + (turns->m >= 512 ? 0.17 : 0.45), correction};
}

static struct promise useful_time_beside_onednn(const struct peers_turns *turns)
{
    return is_main_shape(turns) ? (struct promise){1.30, 1.20} : (struct promise){0, 0};
}

static struct promise avx2_beside_onednn(const struct peers_turns *turns)
{
    (void)turns;
    return (struct promise){0.35, 0.40};
}

static struct promise avx2_mining_beside_clean(const struct peers_turns *turns)
{
    (void)turns;
    return (struct promise){0.93, 1};
}

enum side {
    SIDE_ONEDNN = PEERS_PLACES, /* the best of its ways */
};

static const struct {
    const char *name;
    uint32_t upper, lower; /* enum peers_place, or SIDE_ONEDNN */
    bool is_time;
    promise_of *promise;
} table[] = {
    {"clean / oneDNN", PEERS_CLEAN, SIDE_ONEDNN, false, clean_beside_onednn},
    {"mining / clean", PEERS_MINING, PEERS_CLEAN, false, mining_beside_clean},
    {"useful time / clean", PEERS_USEFUL, PEERS_CLEAN, true, useful_time_beside_clean},
    {"useful time / oneDNN", PEERS_USEFUL, SIDE_ONEDNN, true, useful_time_beside_onednn},
    {"AVX2 clean / oneDNN", PEERS_CLEAN_AVX2, SIDE_ONEDNN, false, avx2_beside_onednn},
    {"AVX2 mining / AVX2 clean", PEERS_MINING_AVX2, PEERS_CLEAN_AVX2, false,
     avx2_mining_beside_clean},
    {"oneDNN / limit", SIDE_ONEDNN, PEERS_LIMIT, false, nothing},
    {"clean / limit", PEERS_CLEAN, PEERS_LIMIT, false, nothing},
    {"AVX2 clean / AVX2 limit", PEERS_CLEAN_AVX2, PEERS_LIMIT_AVX2, false, nothing},
};

_Static_assert(sizeof table / sizeof table[0] <= PEERS_RATIOS_MAX, "all ratios fit");

static const struct bench_result *side_of(const struct peers_turns *turns, uint32_t side)
{
    const struct bench_result *best = &turns->results[PEERS_GEMM];

    if (side != SIDE_ONEDNN)
        return &turns->results[side];
    for (uint32_t way = PEERS_GEMM; way <= PEERS_PACKED; way++)
        if (turns->results[way].max > best->max)
            best = &turns->results[way];
    return best;
}

size_t peers_ratios(const struct peers_turns *turns, struct bench_ratio *out)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct bench_result *upper = side_of(turns, table[i].upper);
        const struct bench_result *lower = side_of(turns, table[i].lower);
        const struct promise promise = table[i].promise(turns);
        struct bench_ratio *ratio = &out[count];

        if (!upper->runs || !lower->runs)
            continue;
        assert(upper->min > 0 && lower->min > 0);
        *ratio = (struct bench_ratio){.threads = turns->threads,
                                      .best = upper->max / lower->max,
                                      .median = upper->median / lower->median,
                                      .at_least = promise.at_least,
                                      .aim = promise.aim,
                                      .is_time = table[i].is_time};
        if (ratio->is_time) {
            ratio->best = 1 / ratio->best;
            ratio->median = 1 / ratio->median;
        }
        snprintf(ratio->name, sizeof ratio->name, "%s", table[i].name);
        snprintf(ratio->shape, sizeof ratio->shape, "%u,%u,%u", turns->m, turns->n,
                 turns->k);
        count++;
    }
    return count;
}

bool peers_ratio_holds(const struct bench_ratio *ratio)
{
    if (!(ratio->at_least > 0))
        return true;
    return ratio->is_time ? ratio->best <= ratio->at_least
                          : ratio->best >= ratio->at_least;
}
