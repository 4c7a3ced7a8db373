/*
 * shares.h - a share from the wire to its verdict, and what it is worth in the end.
 *
 * The order of the checks and their codes are task-pool.md section 6.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_SHARES_H
#define MINERVA_POOL_SHARES_H

#include "pool-protocol/message_line.h"
#include "pool/pool_state.h"
#include "pool/store_shares.h"

enum {
    TRUST_SHARES = 16, /* audited without fault: no longer new */
    TRUST_RESULTS = 2,
    LEASE_FAULTS_MAX = 3,
    DELIVERED_GRACE_S = 60, /* shares of a delivered task are still taken */
    SETTLE_NUMERATOR = 3    /* 3 / audit further shares */
};

/* Answers mining.submit, now or after an audit; the connection is paused meanwhile.  No
 * lock held. */
void share_submit(struct pool *pool, struct connection *connection,
                  const struct message_line *line);

bool worker_is_new(const struct stored_worker *worker);
/* Whether something of this worker is to be checked against a run of the pool's own. */
bool worker_is_drawn(const struct pool *pool, const struct stored_worker *worker);

/* How many further shares settle one, at an audit rate; none where nothing is ever
 * audited. */
uint64_t shares_until_settled(double audit);
/* Whether one more share of that cost stays within H + 4 sqrt(H N) + N. */
bool share_is_credited(double credited, double delivered, double cost);

/* Within a transaction, the lock held: */
/* Settles what is ripe; worker's counters change and are saved by the caller. */
MUST_CHECK enum status shares_settle(struct pool *pool, struct stored_worker *worker,
                                     struct error *err);
/* A proven fault: unsettled shares are void, the worker is new; saved. */
MUST_CHECK enum status shares_fault(struct pool *pool, struct stored_worker *worker,
                                    struct error *err);

#endif
