/*
 * tasks.h - the queue: who gets a task, for how long, and what happens when it comes to
 * nothing.
 *
 * All of it under the pool's lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_TASKS_H
#define MINERVA_POOL_TASKS_H

#include "miner/work/answer.h"
#include "pool/sessions.h"
#include "pool/store_leases.h"

enum { TASK_TRIES_MAX = 16 }; /* then it has failed, whoever's fault that is */

/* Offers tasks while the session has slots and the queue something for it. */
void tasks_assign(struct pool *pool, struct session *session);
void tasks_assign_all(struct pool *pool);
/* The session went away: what it has not accepted goes back. */
void tasks_withdraw(struct pool *pool, struct session *session);
/* Offers that were not accepted in time are withdrawn. */
void tasks_offers_due(struct pool *pool, struct session *session, uint64_t now_ms);
/* Offers that the store could not take back when their session went. */
void tasks_orphans(struct pool *pool);
/* Leases that ran out end; those of a session with unread lines wait for them. */
void tasks_leases_due(struct pool *pool);

/* accept, decline, progress: true, or 28. */
void tasks_answer(struct pool *pool, struct session *session, const struct message_id *id,
                  const struct answer *answer);
/* The session's lease on a task if it is active, else NOT_FOUND. */
MUST_CHECK enum status tasks_lease(struct pool *pool, const struct session *session,
                                   const char *task, struct stored_lease *out,
                                   struct error *err);

/* How a lease comes to nothing; within a transaction. */
struct lease_end {
    const char *reason; /* what the task says of its last try */
    bool is_excluded;   /* that worker never gets it again */
    bool is_counted;    /* one try less is left */
};
MUST_CHECK enum status tasks_lease_end(struct pool *pool, struct stored_lease *lease,
                                       const struct lease_end *how, struct error *err);
/* Tells the worker, if it is there. */
void tasks_cancel(struct pool *pool, const char *session, const char *task);

#endif
