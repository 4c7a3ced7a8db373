/*
 * backoff.c - how long to wait before the next connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/backoff.h"

static const uint64_t waits_ms[] = {1000, 2000, 5000, 10000, 30000, 60000};
enum { WAITS = sizeof waits_ms / sizeof *waits_ms };
static const uint64_t asides_ms[] = {60000, 120000, 240000, 480000, 600000};
enum { ASIDES = sizeof asides_ms / sizeof *asides_ms };

uint64_t backoff_failed(struct backoff *backoff, bool is_refused)
{
    if (is_refused) {
        if (backoff->refusals < ASIDES)
            backoff->refusals++;
        return asides_ms[backoff->refusals - 1];
    }
    if (backoff->failures < WAITS)
        backoff->failures++;
    return waits_ms[backoff->failures - 1];
}

void backoff_reset(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}
