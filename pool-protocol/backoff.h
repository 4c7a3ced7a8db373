/*
 * backoff.h - how long to wait before the next connection: 1, 2, 5, 10, 30, then 60 s;
 * after a refusal 60 s, doubling to 600 s.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_BACKOFF_H
#define MINERVA_PROTOCOL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff { /* all zero: no failure yet */
    uint32_t failures, refusals;
};

/* One more connection failed: milliseconds until the next.  A pool that refuses, because
 * of the login or for want of a newer program, is not hammered at. */
uint64_t backoff_failed(struct backoff *backoff, bool is_refused);
void backoff_reset(struct backoff *backoff); /* the pool is good: it works with us */

#endif
