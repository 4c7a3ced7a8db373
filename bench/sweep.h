/*
 * sweep.h - nothing of an earlier run is left in a GPU's second cache.
 *
 * Needed only where both operands together fit it; larger ones sweep each other out.  How
 * large the cache is, only CUDA says: elsewhere nothing is swept.  One thread, the
 * device's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_SWEEP_H
#define MINERVA_BENCH_SWEEP_H

#include "bench/bench.h"

struct sweep;

/* Bytes of the second cache; 0: not known. */
uint64_t sweep_cache_size(const struct device *device);
/* out is NULL where it is not needed. */
MUST_CHECK enum status sweep_open(const struct bench_setup *setup, struct sweep **out,
                                  struct error *err);
void sweep_close(struct sweep *sweep);                 /* NULL is fine */
MUST_CHECK enum status sweep_run(struct sweep *sweep); /* likewise */

#endif
