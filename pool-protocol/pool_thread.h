/*
 * pool_thread.h - the inside of the pool thread, for the files it is made of.
 *
 * Everything here belongs to the pool thread, but the board and stop_at.
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
    uint32_t hurry;
    struct courier *courier;
    struct courier_options courier_options;
    struct pool_board board;
    bool is_outbox_closed;
    int wake_fd;
    struct thread *thread;
    atomic_uint_least64_t
        stop_at_ms; /* when the thread must have ended; 0: no end is wanted */
};

#endif
