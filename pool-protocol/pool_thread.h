/*
 * pool_thread.h - the inside of the pool thread, for the files it is made of.
 *
 * Everything here belongs to the pool thread, but the board, stop_at and wants_next.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_THREAD_H
#define MINERVA_PROTOCOL_POOL_THREAD_H

#include <stdatomic.h>

#include "miner/base/thread.h"
#include "pool-protocol/pool_board.h"
#include "pool-protocol/pool_link.h"

struct pool {
    struct pool_ports ports;
    struct pool_link *links; /* [link_count], in the person's order */
    uint32_t link_count;
    struct pool_link *current;   /* the one that is worked for, or is to be; or NULL */
    struct pool_link *settled;   /* the last one that had a job while it was current */
    struct pool_link *candidate; /* a better one that is tried beside it, or NULL */
    struct pool_link *awaited;   /* a good one that was lost and is tried before others */
    uint64_t round_ms;           /* when this round began */
    uint64_t back_ms;            /* when better ones are tried again */
    uint32_t back_next;          /* which of them is next */
    atomic_bool wants_next;      /* somebody asked for another pool */
    bool is_hopeless;            /* told */
    uint32_t hurry, strict;
    struct courier *courier;
    struct courier_options courier_options;
    struct pool_board board;
    bool is_outbox_closed;
    int wake_fd;
    struct thread *thread;
    atomic_uint_least64_t
        stop_at_ms; /* when the thread must have ended; 0: no end is wanted */
};

/* --- pool_failover.c --- */

/* Connects, changes over, leaves: what is due now. */
void failover_turn(struct pool *pool);
/* Hears and speaks on every connection; those that fail end. */
void failover_step(struct pool *pool);
/* How long nothing will be due, at most wait_ms. */
uint64_t failover_wait_ms(const struct pool *pool, uint64_t wait_ms);
/* Ends every connection. */
void failover_end(struct pool *pool);

#endif
