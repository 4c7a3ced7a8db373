/*
 * backoff.h - how long to wait before the next connection: 1, 2, 5, 10, 30, then 60 s.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_BACKOFF_H
#define MINERVA_PROTOCOL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff { /* all zero: no failure yet */
    uint32_t failures;
};

/* One more connection failed: milliseconds until the next.  A refused login is not
 * hammered at. */
uint64_t backoff_failed(struct backoff *backoff, bool is_refused);
void backoff_reset(struct backoff *backoff); /* the hello was answered */

#endif
