/*
 * round.h - one assignment on its way through a worker, and what the pool hears of it.
 *
 * Belongs to the worker's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_ROUND_H
#define MINERVA_MINER_ROUND_H

#include "miner/workshop.h"

struct worker_ports { /* lent */
    struct workshop_ports shop;
    struct queue *assignments;      /* in: struct assignment *, shared by all workers */
    atomic_uint *rounds;            /* out: workers that hold an assignment now */
    atomic_uint_least64_t *busy_ms; /* out: when one last let go of an assignment */
    const atomic_bool *is_paused;   /* in: nothing new is begun while it is set */
};

struct shift { /* what a worker has at hand while its device is open */
    const struct worker_ports *ports;
    struct workshop shop;
    uint32_t number;         /* the device's, in findings and in the ledger */
    uint64_t invalid_before; /* findings that did not verify, when the shift began */
};

/* Carries work, which it takes, to its answer, or hands it back.  OK unless the device
 * must be given up. */
MUST_CHECK enum status round_run(struct shift *shift, struct assignment *work,
                                 struct error *err);
/* Whether a device that failed so must be given up. */
bool round_is_fatal(enum status status);
/* Every finding is judged by the processor: a wrong one means a device that cannot be
 * trusted with anything.  err says so. */
bool round_is_distrusted(const struct shift *shift, struct error *err);

#endif
