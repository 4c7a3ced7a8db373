/*
 * backoff.c - how long to wait before the next connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/backoff.h"

static const uint64_t waits_ms[] = {1000, 2000, 5000, 10000, 30000, 60000};
enum { WAITS = sizeof waits_ms / sizeof *waits_ms };

uint64_t backoff_failed(struct backoff *backoff, bool is_refused)
{
    const uint32_t index =
        is_refused || backoff->failures >= WAITS ? WAITS - 1 : backoff->failures;

    if (backoff->failures < WAITS)
        backoff->failures++;
    return waits_ms[index];
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}
