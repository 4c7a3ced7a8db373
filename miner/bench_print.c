/*
 * bench_print.c - what was timed, for people.  What is not known is a dash.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/bench_print.h"

#include <stdio.h>

enum { CELL_MAX = 16 };

#define COLUMNS                                                                          \
    "%-8s  %-19s  %-34s  %7s  %10s  %10s  %10s  %-12s %6s  %10s %-5s  %5s  %6s  %7s  "   \
    "%7s\n"
#define RUNGS "  %-15s  %10s  %10s  %8s  %10s  %10s %-5s  %5s  %6s  %7s  %7s  %s\n"

static const char *number(char cell[CELL_MAX], const char *format, double value)
{
    snprintf(cell, CELL_MAX, format, value);
    return cell;
}

static const char *figure(char cell[CELL_MAX], const char *format,
                          const struct bench_figure *figure, double unit)
{
    if (!figure->is_known)
        return "-";
    return number(cell, format, figure->value * unit);
}

/* The slow end: of a hundred runs and more the 99th of each hundred. */
static const char *slow_word(const struct bench_result *result)
{
    return result->is_p99 ? "p99" : "worst";
}

struct gauged { /* cells that rows and rungs have in common */
    char mhz[CELL_MAX], watts[CELL_MAX], joules[CELL_MAX], share[CELL_MAX];
};

void bench_print_head(void)
{
    printf(COLUMNS, "device", "name", "shape", "threads", "min", "median", "max", "unit",
           "runs", "slow", "", "MHz", "W", "J/TMAC", "of peak");
}

static void row_print(const struct bench_row *row)
{
    const struct bench_result *r = &row->result;
    char values[4][CELL_MAX], threads[12], runs[12];
    struct gauged g;

    snprintf(threads, sizeof threads, "%u", row->threads);
    snprintf(runs, sizeof runs, "%u", r->runs);
    printf(COLUMNS, row->device, row->kind->name, r->shape, threads,
           number(values[0], "%.4g", r->min), number(values[1], "%.4g", r->median),
           number(values[2], "%.4g", r->max), row->kind->unit, runs,
           number(values[3], "%.4g", r->slow), slow_word(r),
           figure(g.mhz, "%.0f", &r->clock_mhz, 1),
           figure(g.watts, "%.1f", &r->power_w, 1),
           figure(g.joules, "%.3g", &r->j_per_tmac, 1),
           figure(g.share, "%.1f %%", &r->of_peak, 100));
}

static void ratio_print(const struct bench_ratio *r)
{
    printf("%-34s  %-24s  %.3f of the best, %.3f of the medians", r->name, r->shape,
           r->best, r->median);
    if (r->at_least > 0)
        printf("  (at %s %.2f)", r->is_time ? "most" : "least", r->at_least);
    printf("\n");
}

static void rung_print(const struct rungs *rungs, uint32_t place)
{
    const struct rung *rung = &rungs->rungs[place];
    const struct bench_result *r = &rung->result;
    char ms[CELL_MAX], rate[CELL_MAX], share[CELL_MAX], delta[CELL_MAX], slow[CELL_MAX];
    struct gauged g;

    printf(RUNGS, rung->kind->name, number(ms, "%.4g", rung->ms),
           number(rate, "%.4g", rung->tmac_s),
           number(share, "%.1f %%", 100 * rung->of_first),
           place ? number(delta, "%+.4g", rung->delta_ms) : "",
           number(slow, "%.4g", rung->ms * r->median / r->slow), slow_word(r),
           figure(g.mhz, "%.0f", &r->clock_mhz, 1),
           figure(g.watts, "%.1f", &r->power_w, 1),
           figure(g.joules, "%.3g", &r->j_per_tmac, 1),
           figure(g.share, "%.1f %%", &r->of_peak, 100), rung->adds);
}

static void rungs_print(const struct rungs *rungs)
{
    const double mb = 1e6;

    printf("\nladder of %s on %s (%s), medians:\n", rungs->shape, rungs->device,
           rungs->variant);
    printf(RUNGS, "step", "ms", "TMAC/s", "of first", "+ ms", "slow ms", "", "MHz", "W",
           "J/TMAC", "of peak", "adds");
    for (uint32_t i = 0; i < rungs->count; i++)
        rung_print(rungs, i);
    if (!rungs->is_apart)
        printf("  The steps between are not timed apart here: kernels with steps left "
               "out exist for tickets\n  in lanes on CUDA cards of compute capability "
               "8.0 and later.\n");
    if (rungs->cache_bytes)
        printf("  Operands of %.1f MB, a second cache of %.1f MB%s.\n",
               (double)rungs->operands_bytes / mb, (double)rungs->cache_bytes / mb,
               rungs->operands_bytes > rungs->cache_bytes ? ""
                                                          : ", swept before each run");
}

void bench_print(const struct bench_report *report, const struct bench_report *before)
{
    for (size_t i = before->count; i < report->count; i++)
        row_print(&report->rows[i]);
    for (size_t i = before->ratio_count; i < report->ratio_count; i++)
        ratio_print(&report->ratios[i]);
    for (size_t i = before->ladder_count; i < report->ladder_count; i++)
        rungs_print(&report->ladders[i]);
    fflush(stdout);
}
