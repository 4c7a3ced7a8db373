/*
 * cpu_threads.h - a fixed pool of threads that share half-open ranges.
 *
 * The caller works too: a pool of 1 starts no thread.  run() returns when the whole range
 * is done, allocates nothing and takes no lock unless a thread must be woken.  In every
 * thread floats are exact (cpu_features.h).  One caller at a time.
 *
 * A pool as large as the number of processors this process was given keeps each thread on
 * one of them; the caller is left where it is and finds the one that is over.  A smaller
 * pool cannot know which of them others want, and leaves that to the system.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_THREADS_H
#define MINERVA_BACKENDS_CPU_THREADS_H

#include <stdint.h>

#include "miner/base/error.h"

struct cpu_threads;

/* thread: 0 is the caller; one number never works at two places at once. */
typedef void cpu_work(void *context, uint32_t thread, uint64_t first, uint64_t last);

MUST_CHECK enum status cpu_threads_new(uint32_t count, struct cpu_threads **out);
void cpu_threads_free(struct cpu_threads *threads); /* NULL is fine */
uint32_t cpu_threads_count(const struct cpu_threads *threads);
/* work over [0, last) in parts of grain or several grains (the last one may be smaller),
 * in any order. */
void cpu_threads_run(struct cpu_threads *threads, cpu_work *work, void *context,
                     uint64_t last, uint64_t grain);

#endif
