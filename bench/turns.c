/*
 * turns.c - benchmarks that take turns in one process.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/turns.h"

#include <assert.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"

/* Threads of the one before spin for a few milliseconds and its data lies in the caches:
 * 40 ms put both behind short runs, and are less than one long run. */
enum { RUNS_MAX = 20000, TURN_NS = 40000000 };

/* Rounds without news before the end, and what is news: a machine that others use too
 * needs more than a few until everybody had a quiet moment. */
enum { ROUNDS_CALM = 3, ROUNDS_FACTOR = 4 };
#define NEWS 1.01

enum status turns_join(struct turns *turns, uint32_t place, const struct bench_kind *kind,
                       const struct bench_setup *setup, struct error *err)
{
    struct contender *contender = &turns->contenders[place];
    enum status status;

    assert(place < CONTENDERS_MAX);
    assert(!contender->bench);
    contender->kind = kind;
    contender->values = memory_array(RUNS_MAX, sizeof *contender->values);
    if (!contender->values)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %d values", RUNS_MAX);
    status = kind->open(setup, &contender->bench, err);
    if (status) {
        kind->close(contender->bench);
        contender->bench = NULL;
    }
    return status;
}

static enum status run_take(struct turns *turns, struct contender *contender,
                            double *value, struct error *err)
{
    const enum status status = sweep_run(turns->sweep);

    if (status)
        return error_set(err, status, "sweeping the caches: %s", status_text(status));
    return contender->kind->run(contender->bench, value, err);
}

static enum status turn_take(struct turns *turns, struct contender *contender,
                             struct error *err)
{
    const uint64_t end = clock_ns() + (turns->turn_ns ? turns->turn_ns : TURN_NS);
    uint32_t runs = 0;
    enum status status = STATUS_OK;

    gauge_begin(turns->gauge);
    do {
        double value;
        status = run_take(turns, contender, &value, err);
        if (status)
            break;
        if (runs == 1 && contender->runs)
            contender->runs--; /* the first one only warmed up */
        contender->values[contender->runs++] = value;
        runs++;
    } while (clock_ns() < end && contender->runs < RUNS_MAX);
    gauge_end(turns->gauge, &contender->gauged);
    return status;
}

/* Whether this turn brought a best that is clearly better. */
static bool turn_is_news(struct contender *contender, uint32_t runs_before)
{
    const double known = contender->best;

    for (uint32_t i = runs_before; i < contender->runs; i++)
        if (contender->values[i] > contender->best)
            contender->best = contender->values[i];
    return contender->best > known * NEWS;
}

static enum status round_take(struct turns *turns, bool *is_news, struct error *err)
{
    enum status status = STATUS_OK;

    *is_news = false;
    for (uint32_t i = 0; i < CONTENDERS_MAX && !status; i++) {
        struct contender *contender =
            &turns->contenders[turns->is_back ? CONTENDERS_MAX - 1 - i : i];
        const uint32_t runs = contender->runs;

        if (!contender->bench || runs == RUNS_MAX)
            continue;
        status = turn_take(turns, contender, err);
        if (turn_is_news(contender, runs))
            *is_news = true;
    }
    turns->is_back = !turns->is_back;
    return status;
}

enum status turns_warm_up(struct turns *turns, uint32_t runs, struct error *err)
{
    enum status status = STATUS_OK;
    double value;

    for (uint32_t i = 0; i < CONTENDERS_MAX; i++)
        for (uint32_t run = 0; !status && turns->contenders[i].bench && run < runs; run++)
            status = run_take(turns, &turns->contenders[i], &value, err);
    return status;
}

enum status turns_take(struct turns *turns, uint32_t rounds, struct error *err)
{
    uint32_t calm = 0;
    enum status status = STATUS_OK;

    for (uint32_t round = 0; round < ROUNDS_FACTOR * rounds && !status; round++) {
        bool is_news;

        if (round >= rounds && calm >= ROUNDS_CALM)
            break;
        status = round_take(turns, &is_news, err);
        calm = is_news ? 0 : calm + 1;
    }
    return status;
}

enum status turns_round(struct turns *turns, struct error *err)
{
    bool is_news;

    return round_take(turns, &is_news, err);
}

bool turns_result(struct turns *turns, uint32_t place, struct bench_result *out)
{
    struct contender *contender = &turns->contenders[place];

    assert(place < CONTENDERS_MAX);
    if (!contender->bench || !contender->runs)
        return false;
    bench_summarise(contender->kind, contender->values, contender->runs,
                    &contender->gauged, out);
    contender->kind->shape(contender->bench, out->shape);
    return true;
}

void turns_close(struct turns *turns)
{
    for (uint32_t i = 0; i < CONTENDERS_MAX; i++) {
        struct contender *contender = &turns->contenders[i];
        if (contender->bench)
            contender->kind->close(contender->bench);
        memory_free(contender->values);
        *contender = (struct contender){.kind = NULL};
    }
}
