/*
 * rate.h - how much happened in the last 10 s, 60 s and 15 min.
 *
 * Counts whole seconds; the one that runs is left out, so that a rate does not saw.  Time
 * is the caller's.  Plain data without a lock: the ledger has it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_RATE_H
#define MINERVA_MINER_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_SECONDS_MAX = 900 }; /* the longest window */

struct rate {
    uint64_t begin_ms;
    uint64_t second; /* the newest one that was counted, from begin */
    double total;
    double buckets[RATE_SECONDS_MAX + 1];
};

void rate_begin(struct rate *rate, uint64_t now_ms);
void rate_add(struct rate *rate, uint64_t now_ms, double amount);
/* Per second over the last `seconds` whole seconds; false while less than that has
 * passed. */
bool rate_over(struct rate *rate, uint64_t now_ms, uint32_t seconds, double *out);

#endif
