/*
 * bench_print.h - what was timed, for people.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_BENCH_PRINT_H
#define MINERVA_MINER_BENCH_PRINT_H

#include "miner/bench_json.h"

/* To standard output: the head of the table of rows... */
void bench_print_head(void);
/* ...and what came to the report since it was as before: rows, ratios, ladders. */
void bench_print(const struct bench_report *report, const struct bench_report *before);

#endif
