/*
 * choice.h - which benchmarks words name.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_CHOICE_H
#define MINERVA_BENCH_CHOICE_H

#include "bench/contest.h"

/* only: names and groups with commas between them, or NULL: what is usual.  A name must
 * be had; of a group, and of what is usual, whatever the device has.  wants[bench_count].
 * USAGE for a word that is none, and where embed lacks its model or text. */
MUST_CHECK enum status choice_take(const char *only, const struct bench_setup *setup,
                                   enum bench_want *wants, struct error *err);

#endif
