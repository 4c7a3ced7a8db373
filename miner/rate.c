/*
 * rate.c - one bucket a second in a ring, and sums over the newest ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/rate.h"

#include <assert.h>

enum { BUCKETS = RATE_SECONDS_MAX + 1 };

void rate_begin(struct rate *rate, uint64_t now_ms)
{
    *rate = (struct rate){.begin_ms = now_ms};
}

/* Empties the buckets between the newest second and this one. */
static uint64_t rate_advance(struct rate *rate, uint64_t now_ms)
{
    const uint64_t second =
        now_ms > rate->begin_ms ? (now_ms - rate->begin_ms) / 1000 : 0;

    if (second > rate->second + BUCKETS)
        rate->second = second - BUCKETS;
    while (rate->second < second)
        rate->buckets[++rate->second % BUCKETS] = 0;
    return second;
}

void rate_add(struct rate *rate, uint64_t now_ms, double amount)
{
    const uint64_t second = rate_advance(rate, now_ms);

    rate->total += amount;
    /* Another thread may have been here with a later clock; what is older than the ring
     * is lost. */
    if (second + BUCKETS > rate->second)
        rate->buckets[second % BUCKETS] += amount;
}

bool rate_over(struct rate *rate, uint64_t now_ms, uint32_t seconds, double *out)
{
    double sum = 0;

    assert(seconds > 0);
    assert(seconds <= RATE_SECONDS_MAX);
    rate_advance(rate, now_ms);
    if (rate->second < seconds)
        return false;
    for (uint64_t s = rate->second - seconds; s < rate->second; s++)
        sum += rate->buckets[s % BUCKETS];
    *out = sum / seconds;
    return true;
}
