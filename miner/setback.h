/*
 * setback.h - how long a device that failed rests before it is tried again.
 *
 * Twice as long after each failure, up to ten minutes or so; a device that then worked
 * well for as long starts from the beginning.  After eight failures in a row it is given
 * up, so that a program without a device ends and its supervisor can start it afresh.
 * Belongs to the worker's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SETBACK_H
#define MINERVA_MINER_SETBACK_H

#include <stdint.h>

enum { SETBACK_TRIES = 8, SETBACK_DOUBLINGS = 6, SETBACK_HEALTHY_MS = 600000 };

struct setback {
    uint64_t first_ms; /* the first rest; 0: none at all */
    uint32_t failures; /* in a row */
};

/* A failure after so long at work: how long to rest, or 0 to give up. */
static inline uint64_t setback_rest_ms(struct setback *setback, uint64_t worked_ms)
{
    if (worked_ms >= SETBACK_HEALTHY_MS)
        setback->failures = 0;
    if (++setback->failures > SETBACK_TRIES)
        return 0;
    const uint32_t doublings = setback->failures - 1;
    return setback->first_ms << (doublings < SETBACK_DOUBLINGS ? doublings
                                                               : SETBACK_DOUBLINGS);
}

#endif
