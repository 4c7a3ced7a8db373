/*
 * bench_print.c - what was timed, for people.  Behind a row stands what sensors said of
 * it, if there are any.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/bench_print.h"

#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 16, GAUGED_MAX = 96 };

#define COLUMNS "%-8s  %-19s  %-34s  %7s  %10s  %10s  %10s  %-12s %6s  %10s %-5s%s\n"
#define RUNGS   "  %-15s  %10s  %10s  %8s  %10s  %10s %-5s  %s%s\n"

static const char *number(char cell[CELL_MAX], const char *format, double value)
{
    snprintf(cell, CELL_MAX, format, value);
    return cell;
}

/* The slow end: of a hundred runs and more the 99th of each hundred. */
static const char *slow_word(const struct bench_result *result)
{
    return result->is_p99 ? "p99" : "worst";
}

static void figure_add(char *out, size_t size, const char *format,
                       const struct bench_figure *figure, double unit)
{
    const size_t used = strlen(out);

    if (figure->is_known)
        snprintf(out + used, size - used, format, figure->value * unit);
}

struct gauged {
    char text[GAUGED_MAX];
};

static struct gauged gauged_of(const struct bench_result *r)
{
    struct gauged g = {""};

    figure_add(g.text, GAUGED_MAX, "  %.0f MHz", &r->clock_mhz, 1);
    figure_add(g.text, GAUGED_MAX, "  %.1f W", &r->power_w, 1);
    figure_add(g.text, GAUGED_MAX, "  %.3g J/TMAC", &r->j_per_tmac, 1);
    figure_add(g.text, GAUGED_MAX, "  %.1f %% of peak", &r->of_peak, 100);
    return g;
}

void bench_print_head(void)
{
    printf(COLUMNS, "device", "name", "shape", "threads", "min", "median", "max", "unit",
           "runs", "slow", "", "");
}

static void row_print(const struct bench_row *row)
{
    const struct bench_result *r = &row->result;
    char values[4][CELL_MAX], threads[12], runs[12];

    snprintf(threads, sizeof threads, "%u", row->threads);
    snprintf(runs, sizeof runs, "%u", r->runs);
    printf(COLUMNS, row->device, row->kind->name, r->shape, threads,
           number(values[0], "%.4g", r->min), number(values[1], "%.4g", r->median),
           number(values[2], "%.4g", r->max), row->kind->unit, runs,
           number(values[3], "%.4g", r->slow), slow_word(r), gauged_of(r).text);
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

    printf(RUNGS, rung->kind->name, number(ms, "%.4g", rung->ms),
           number(rate, "%.4g", rung->tmac_s),
           number(share, "%.1f %%", 100 * rung->of_first),
           place ? number(delta, "%+.4g", rung->delta_ms) : "",
           number(slow, "%.4g", rung->ms * r->median / r->slow), slow_word(r), rung->adds,
           gauged_of(r).text);
}

static void rungs_print(const struct rungs *rungs)
{
    const double mb = 1e6;

    printf("\nladder of %s on %s (%s), medians:\n", rungs->shape, rungs->device,
           rungs->variant);
    printf(RUNGS, "step", "ms", "TMAC/s", "of first", "+ ms", "slow ms", "", "adds", "");
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
