/*
 * turns.h - benchmarks that take turns in one process, so that whatever else the machine
 * does falls on all of them alike.
 *
 * One thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_TURNS_H
#define MINERVA_BENCH_TURNS_H

#include "bench/bench.h"

enum { CONTENDERS_MAX = 16 };

struct contender {
    const struct bench_kind *kind;
    struct bench *bench; /* owned; NULL: takes no turns */
    double *values;      /* owned */
    double best;
    uint32_t runs;
};

struct turns {
    struct contender contenders[CONTENDERS_MAX];
};

/* Made ready and checked, in that place.  What open() says when it cannot. */
MUST_CHECK enum status turns_join(struct turns *turns, uint32_t place,
                                  const struct bench_kind *kind,
                                  const struct bench_setup *setup, struct error *err);
/* So many rounds, and up to four times as many while some contender's best still rises by
 * more than a hundredth: values are rates.  A turn is as many runs as begin within a few
 * hundredths of a second; where more than one fits, the first only warms up. */
MUST_CHECK enum status turns_take(struct turns *turns, uint32_t rounds,
                                  struct error *err);
/* One round: a turn of each. */
MUST_CHECK enum status turns_round(struct turns *turns, struct error *err);
/* False: nobody took turns in that place. */
bool turns_result(struct turns *turns, uint32_t place, struct bench_result *out);
void turns_close(struct turns *turns); /* a zeroed one is fine */

#endif
