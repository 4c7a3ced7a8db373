/*
 * bench.c - runs one benchmark until its time is up and says what the runs gave.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"

enum { WARM_UPS = 3, RUNS_MIN = 5, RUNS_MAX = 100000, PROGRESS_NS = 200000000 };

const struct bench_kind *const bench_table[] = {
#define BENCH(name) &bench_##name,
#include "bench/bench.def"
#undef BENCH
};

const size_t bench_count = sizeof bench_table / sizeof bench_table[0];

const struct bench_kind *bench_find(const char *name)
{
    for (size_t i = 0; i < bench_count; i++)
        if (strcmp(bench_table[i]->name, name) == 0)
            return bench_table[i];
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

bool bench_is_time(const struct bench_kind *kind)
{
    return strcmp(kind->unit, "ms") == 0;
}

bool bench_is_product(const struct bench_kind *kind)
{
    return strcmp(kind->unit, "GMAC/s") == 0;
}

void bench_summarise(const struct bench_kind *kind, double *values, uint32_t runs,
                     const struct gauge_sum *gauged, struct bench_result *out)
{
    const uint32_t tail = runs / 100; /* so many are slower */

    qsort(values, runs, sizeof *values, compare);
    out->runs = runs;
    out->is_p99 = runs >= 100;
    out->slow = values[bench_is_time(kind) ? runs - 1 - tail : tail];
    out->min = values[0];
    out->max = values[runs - 1];
    out->median = (values[(runs - 1) / 2] + values[runs / 2]) / 2;
    out->clock_mhz.is_known = gauge_clock(gauged, &out->clock_mhz.value);
    out->power_w.is_known = gauge_power(gauged, &out->power_w.value);
    out->j_per_tmac.is_known =
        out->power_w.is_known && bench_is_product(kind) && out->median > 0;
    if (out->j_per_tmac.is_known)
        out->j_per_tmac.value = out->power_w.value / (out->median / 1e3);
}

struct progress {
    const struct bench_kind *kind;
    bool is_shown;
    uint64_t next_ns;
};

static void progress_show(struct progress *progress, uint32_t runs, double value)
{
    const uint64_t now = clock_ns();

    if (!progress->is_shown || now < progress->next_ns)
        return;
    progress->next_ns = now + PROGRESS_NS;
    if (runs)
        fprintf(stderr, "\r%s: %u runs, %.4g %s\033[K", progress->kind->name, runs, value,
                progress->kind->unit);
    else
        fprintf(stderr, "\r%s: checks its answer\033[K", progress->kind->name);
}

static enum status runs_make(struct bench *bench, struct progress *progress,
                             double seconds, double *values, uint32_t *runs,
                             struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && i < WARM_UPS; i++)
        status = progress->kind->run(bench, values, err);
    const uint64_t end = clock_ns() + (uint64_t)(seconds * 1e9);
    for (*runs = 0;
         !status && *runs < RUNS_MAX && (*runs < RUNS_MIN || clock_ns() < end);) {
        status = progress->kind->run(bench, &values[*runs], err);
        if (!status) {
            ++*runs;
            progress_show(progress, *runs, values[*runs - 1]);
        }
    }
    return status;
}

enum status bench_measure(const struct bench_kind *kind, const struct bench_setup *setup,
                          double seconds, bool show_progress, struct bench_result *out,
                          struct error *err)
{
    struct progress progress = {.kind = kind, .is_shown = show_progress};
    double *values = memory_array(RUNS_MAX, sizeof *values);
    struct gauge_sum gauged = {.clocks = 0};
    struct bench *bench = NULL;
    uint32_t runs = 0;
    enum status status;

    if (!values)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %d values", RUNS_MAX);
    progress_show(&progress, 0, 0);
    status = kind->open(setup, &bench, err);
    gauge_begin(setup->gauge);
    if (!status)
        status = runs_make(bench, &progress, seconds, values, &runs, err);
    gauge_end(setup->gauge, &gauged);
    if (!status) {
        bench_summarise(kind, values, runs, &gauged, out);
        kind->shape(bench, out->shape);
    }
    if (show_progress)
        fputs("\r\033[K", stderr);
    kind->close(bench);
    memory_free(values);
    return status;
}
