/*
 * mined_bench.h - what the benchmarks that time one product under a job have in common:
 * bench_mining, bench_useful, bench_new_header.
 *
 * Slots of struct bench_kind, or what such a slot ends with. Belongs to the device's
 * thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_MINED_BENCH_H
#define MINERVA_BENCH_MINED_BENCH_H

#include "bench/mined.h"

struct bench {
    struct mined mined;
};

/* Ready and checked: a product that is only searched for tickets... */
MUST_CHECK enum status mined_bench_open_tickets(const struct bench_setup *setup,
                                                struct bench **out, struct error *err);
/* ...or handed back clean as well. */
MUST_CHECK enum status mined_bench_open_product(const struct bench_setup *setup,
                                                struct bench **out, struct error *err);
void mined_bench_close(struct bench *bench);
/* GMAC/s of a stretch of products (mined.h) under the job that is in place, with other
 * left operands. */
MUST_CHECK enum status mined_bench_run(struct bench *bench, double *value,
                                       struct error *err);
void mined_bench_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX]);
/* The sentence of a run that failed; OK stays OK. */
MUST_CHECK enum status mined_bench_judge(enum status status, struct error *err);

#endif
