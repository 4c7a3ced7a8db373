/*
 * stop.h - the wish to end, and until when what runs may still be finished.
 *
 * The main thread asks once; workers look between products.  No lock: two atomics.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STOP_H
#define MINERVA_MINER_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stop {
    atomic_uint_least64_t deadline_ms; /* set before is_asked */
    atomic_bool is_asked;              /* ends downloads too */
};

static inline void stop_ask(struct stop *stop, uint64_t deadline_ms)
{
    atomic_store(&stop->deadline_ms, deadline_ms);
    atomic_store(&stop->is_asked, true);
}

static inline bool stop_is_asked(struct stop *stop)
{
    return atomic_load(&stop->is_asked);
}

/* Whether something that takes left_ms more must be given up. */
static inline bool stop_is_due(struct stop *stop, uint64_t now_ms, uint64_t left_ms)
{
    return stop_is_asked(stop) && now_ms + left_ms > atomic_load(&stop->deadline_ms);
}

#endif
