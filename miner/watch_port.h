/*
 * watch_port.h - the port a task really gets: counts hashes, and ends a long step early.
 *
 * Sits above the proof-of-work port.  Between two products it asks whether the pool took
 * the task back or the program must end, and answers CANCELLED; after each it tells the
 * ledger.  Belongs to its worker's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WATCH_PORT_H
#define MINERVA_MINER_WATCH_PORT_H

#include "backends/matmul.h"
#include "miner/ledger.h"
#include "miner/stop.h"
#include "pool-protocol/pool.h"

struct watch_port {
    struct matmul_port port;   /* first: run() gets this one */
    struct matmul_port *below; /* the proof-of-work port */
    struct ledger *ledger;
    size_t device;
    struct stop *stop;
    struct pool *pool;   /* NULL: nobody takes a task back */
    const char *task_id; /* NULL while nothing is assigned */
};

/* Fills port's slots; the other fields are the caller's to set. */
void watch_port_begin(struct watch_port *watch, struct device *device);
/* Whether the pool took the task back. */
bool watch_port_is_cancelled(const struct watch_port *watch);

#endif
