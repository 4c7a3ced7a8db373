/*
 * turns.h - benchmarks that take turns in one process, so that whatever else the machine
 * does falls on all of them alike: each round the other way round than the one before.
 *
 * One thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_TURNS_H
#define MINERVA_BENCH_TURNS_H

#include "bench/bench.h"
#include "bench/sweep.h"

enum { CONTENDERS_MAX = 32 };

struct contender {
    const struct bench_kind *kind;
    struct bench *bench; /* owned; NULL: takes no turns */
    double *values;      /* owned */
    double best;
    uint32_t runs;
    struct gauge_sum gauged;
};

struct turns {
    struct contender contenders[CONTENDERS_MAX];
    bool is_back;        /* the next round begins with the last one */
    uint64_t turn_ns;    /* 0: the usual few hundredths of a second */
    struct gauge *gauge; /* asked during turns; NULL: none */
    struct sweep *sweep; /* before each run; NULL: none */
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
/* So many runs of each, that count for nothing. */
MUST_CHECK enum status turns_warm_up(struct turns *turns, uint32_t runs,
                                     struct error *err);
/* One round: a turn of each. */
MUST_CHECK enum status turns_round(struct turns *turns, struct error *err);
/* False: nobody took turns in that place. */
bool turns_result(struct turns *turns, uint32_t place, struct bench_result *out);
void turns_close(struct turns *turns); /* a zeroed one is fine */

#endif
