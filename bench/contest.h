/*
 * contest.h - the products of one device take turns: plain, mined, useful, the steps of
 * the ladder, a maker's own and the peak, so that clocks and heat fall on all of them
 * alike.  Where a GPU's second cache could hold the operands it is swept before each run.
 *
 * One thread, the device's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_CONTEST_H
#define MINERVA_BENCH_CONTEST_H

#include "miner/bench_json.h"

enum { CONTEST_RATIOS_MAX = 16 };

enum bench_want { BENCH_OUT, BENCH_MAY, BENCH_MUST };

struct contest {
    enum bench_want *wants; /* [bench_count] those who may take part and are absent are
                               taken out; must: that is an error */
    bool show_progress;
    double seconds;               /* for each */
    struct bench_result *results; /* [bench_count] runs 0: did not take part */
};

/* Whether the kind takes turns with others: its value is a rate of products. */
bool contest_takes(const struct bench_kind *kind);
/* After warming up at least five rounds, then as many as begin in time. */
MUST_CHECK enum status contest_run(const struct bench_setup *setup,
                                   struct contest *contest, struct error *err);
/* How they stand to each other, step by step of the ladder (kernels.md 4.3), to the
 * maker's product and to the peak: to out[CONTEST_RATIOS_MAX], and how many. */
size_t contest_ratios(const struct bench_setup *setup, const struct bench_result *results,
                      struct bench_ratio *out);

#endif
