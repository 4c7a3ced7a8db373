/*
 * pool_sides.h - the pools of a run: one list for everything, or one for tasks and one
 * for proofs.
 *
 * Where every pool is for both, there is one pool thread.  Otherwise there are two, each
 * with the pools of its role, in their order: tasks come from one side and their answers
 * go back there; jobs come from the other and shares go there, whatever product they were
 * found in.  A side for which no pool was named is absent.  Main thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_POOL_SIDES_H
#define MINERVA_MINER_POOL_SIDES_H

#include "miner/config.h"
#include "pool-protocol/pool.h"
#include "pool-protocol/wire_log.h"

struct pool_sides {
    const struct config *config; /* lent */
    bool is_split;               /* two lists */
    struct queue *shares;        /* to the proofs side */
    struct queue *answers;       /* to the tasks side; shares, where there is one list */
    struct pool *tasks, *proofs; /* the same one where there is one list; NULL: absent */
};

struct pool_sides_ports { /* lent */
    struct mailbox *jobs;
    struct queue *assignments, *news;
    struct wire_log *wire; /* or NULL */
};

/* One pool as the settings have it, without an offer; its texts are config's. */
void pool_sides_options(const struct config *config, size_t pool,
                        struct pool_options *out);
/* The record of --log-wire, which hides addresses and passwords; NULL where none is
 * wanted.
 */
MUST_CHECK enum status pool_sides_wire(const struct config *config, struct wire_log **out,
                                       struct error *err);
/* Judges every pool before anything begins. USAGE where there is none. */
MUST_CHECK enum status pool_sides_check(const struct config *config, struct error *err);

/* Makes the queues. */
MUST_CHECK enum status pool_sides_open(struct pool_sides *sides,
                                       const struct config *config);
/* Starts the threads. */
MUST_CHECK enum status pool_sides_begin(struct pool_sides *sides,
                                        const struct message_offer *offer,
                                        const struct pool_sides_ports *ports,
                                        struct error *err);
void pool_sides_next(struct pool_sides *sides);            /* as pool_next(), for all */
uint32_t pool_sides_count(const struct pool_sides *sides); /* threads that run */
void pool_sides_hush(struct pool_sides *sides); /* nothing more comes from the workers */
/* As pool_stop(), for all. */
uint32_t pool_sides_stop(struct pool_sides *sides, uint64_t wait_ms);
void pool_sides_close(struct pool_sides *sides); /* a zeroed one is fine */

#endif
