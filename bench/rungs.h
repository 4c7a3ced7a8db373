/*
 * rungs.h - the ladder from the plain loop to a useful product (kernels.md 4.3), out of
 * what took turns.
 *
 * On CUDA each step is timed apart (ladder.h).  Elsewhere no kernels exist with steps
 * left out: there the ladder has only the products that do, and says what each adds.
 * Differences are upper bounds: kernels with fewer steps have registers to spare.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_RUNGS_H
#define MINERVA_BENCH_RUNGS_H

#include "bench/bench.h"

enum { RUNGS_MAX = 8 };

struct rung {
    const struct bench_kind *kind;
    const char *adds; /* to the rung before */
    double ms;        /* of the median */
    double tmac_s;
    double of_first; /* the first rung's time to this one's */
    double delta_ms; /* to the rung before; 0 of the first */
    struct bench_result result;
};

struct rungs {
    char device[DEVICE_TEXT_MAX], name[DEVICE_TEXT_MAX], variant[DEVICE_TEXT_MAX];
    char shape[BENCH_SHAPE_MAX];
    bool is_apart;                        /* each step by itself */
    uint64_t operands_bytes, cache_bytes; /* of both; of the second cache, 0: unknown */
    uint32_t count;
    struct rung rungs[RUNGS_MAX];
};

/* results[bench_count].  count 0: too few of them took part.  The device's texts are the
 * caller's. */
void rungs_make(const struct bench_setup *setup, const struct bench_result *results,
                struct rungs *out);

#endif
