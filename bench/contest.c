/*
 * contest.c - the products of one device take turns.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/contest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bench/turns.h"
#include "miner/base/clock.h"
#include "miner/base/log.h"

/* A turn that is gauged: counters of energy are renewed every few hundredths of a second.
 */
enum { WARM_UPS = 3, ROUNDS_MIN = 5, TURN_GAUGED_NS = 250000000 };

static const struct pair {
    const struct bench_kind *ours, *theirs;
    bool is_time;
    /* What was promised of it, and where; m 0: nothing. */
    uint32_t m, n, k;
    double promised;
} pairs[] = {
    {&bench_int8_product, &bench_cublaslt_int8, false, 8192, 8192, 8192, 0.7},
    {&bench_useful, &bench_cublaslt_int8, true, 4096, 14336, 4096, 1.5},
    {&bench_tickets, &bench_int8_product, false, 0, 0, 0, 0},
    {&bench_mining, &bench_tickets, false, 0, 0, 0, 0},
    {&bench_useful, &bench_mining, false, 0, 0, 0, 0},
    {&bench_int8_product, &bench_mma_peak, false, 0, 0, 0, 0},
    {&bench_mining, &bench_mma_peak, false, 0, 0, 0, 0},
    {&bench_useful, &bench_mma_peak, false, 0, 0, 0, 0},
};

enum { PAIRS = sizeof pairs / sizeof pairs[0] };

bool contest_takes(const struct bench_kind *kind)
{
    return bench_is_product(kind);
}

static void progress(const struct contest *contest, const char *name, const char *what)
{
    if (contest->show_progress)
        fprintf(stderr, "\r%s: %s\033[K", name, what);
}

/* Those who can take part have joined afterwards. */
static enum status join_all(struct turns *turns, const struct bench_setup *setup,
                            struct contest *contest, struct error *err)
{
    enum status status = STATUS_OK;

    assert(bench_count <= CONTENDERS_MAX);
    for (size_t i = 0; !status && i < bench_count; i++) {
        if (contest->wants[i] == BENCH_OUT || !contest_takes(bench_table[i]))
            continue;
        progress(contest, bench_table[i]->name, "checks its answer");
        status = turns_join(turns, (uint32_t)i, bench_table[i], setup, err);
        if (status == STATUS_ABSENT && contest->wants[i] == BENCH_MAY) {
            log_debug("bench", "%s: %s", bench_table[i]->name, error_text(err));
            contest->wants[i] = BENCH_OUT;
            *err = (struct error){.status = STATUS_OK};
            status = STATUS_OK;
        } else if (status) {
            error_prefix(err, "%s", bench_table[i]->name);
        }
    }
    return status;
}

static enum status rounds_take(struct turns *turns, const struct contest *contest,
                               struct error *err)
{
    uint32_t contenders = 0, rounds = 0;
    enum status status = STATUS_OK;
    char text[32];

    for (uint32_t i = 0; i < CONTENDERS_MAX; i++)
        contenders += turns->contenders[i].bench != NULL;
    if (!contenders)
        return STATUS_OK;
    progress(contest, "products", "warm up");
    status = turns_warm_up(turns, WARM_UPS, err);
    const uint64_t end = clock_ns() + (uint64_t)(contest->seconds * contenders * 1e9);
    while (!status && (rounds < ROUNDS_MIN || clock_ns() < end)) {
        status = turns_round(turns, err);
        snprintf(text, sizeof text, "round %u", ++rounds);
        progress(contest, "products", text);
    }
    return status;
}

static size_t place_of(const struct bench_kind *kind)
{
    size_t place = 0;

    while (bench_table[place] != kind)
        place++;
    return place;
}

/* The peak of the registers at each one's clock. */
static void shares_make(struct bench_result *results)
{
    const struct bench_result *peak = &results[place_of(&bench_mma_peak)];

    for (size_t i = 0; i < bench_count; i++) {
        struct bench_result *result = &results[i];

        result->of_peak.is_known = result->runs && peak->runs &&
                                   bench_is_product(bench_table[i]) &&
                                   result->clock_mhz.is_known && peak->clock_mhz.is_known;
        if (result->of_peak.is_known)
            result->of_peak.value = result->median / peak->median *
                                    peak->clock_mhz.value / result->clock_mhz.value;
    }
}

enum status contest_run(const struct bench_setup *setup, struct contest *contest,
                        struct error *err)
{
    struct turns turns = {.gauge = setup->gauge,
                          .turn_ns = setup->gauge ? TURN_GAUGED_NS : 0};
    struct bench_setup shared = *setup;
    struct ladder *ladder = NULL;
    enum status status;

    shared.ladder = &ladder;
    status = sweep_open(setup, &turns.sweep, err);
    if (!status)
        status = join_all(&turns, &shared, contest, err);

    if (!status)
        status = rounds_take(&turns, contest, err);
    for (uint32_t i = 0; i < bench_count; i++)
        if (status || !turns_result(&turns, i, &contest->results[i]))
            contest->results[i].runs = 0;
    shares_make(contest->results);
    turns_close(&turns);
    sweep_close(turns.sweep);
    if (contest->show_progress)
        fputs("\r\033[K", stderr);
    return status;
}

static void ratio_make(const struct bench_setup *setup, const struct pair *pair,
                       const struct bench_result *ours, const struct bench_result *theirs,
                       struct bench_ratio *out)
{
    const bool is_promised =
        pair->m && setup->m == pair->m && setup->n == pair->n && setup->k == pair->k;

    *out = (struct bench_ratio){.threads = device_info(setup->device)->threads,
                                .best = pair->is_time ? theirs->max / ours->max
                                                      : ours->max / theirs->max,
                                .median = pair->is_time ? theirs->median / ours->median
                                                        : ours->median / theirs->median,
                                .at_least = is_promised ? pair->promised : 0,
                                .aim = is_promised ? pair->promised : 0,
                                .is_time = pair->is_time};
    snprintf(out->name, sizeof out->name, pair->is_time ? "%s / %s, time" : "%s / %s",
             pair->ours->name, pair->theirs->name);
    snprintf(out->shape, sizeof out->shape, "%s", ours->shape);
}

size_t contest_ratios(const struct bench_setup *setup, const struct bench_result *results,
                      struct bench_ratio *out)
{
    size_t count = 0;

    for (size_t i = 0; i < PAIRS; i++) {
        const struct bench_result *ours = &results[place_of(pairs[i].ours)],
                                  *theirs = &results[place_of(pairs[i].theirs)];
        assert(count < CONTEST_RATIOS_MAX);
        if (ours->runs && theirs->runs)
            ratio_make(setup, &pairs[i], ours, theirs, &out[count++]);
    }
    return count;
}
