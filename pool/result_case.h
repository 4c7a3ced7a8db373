/*
 * result_case.h - one result under judgement; shared by results.c and result_store.c
 * alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_RESULT_CASE_H
#define MINERVA_POOL_RESULT_CASE_H

#include "pool/audit.h"
#include "pool/requests.h"
#include "pool/results.h"
#include "pool/sessions.h"
#include "pool/shares.h"
#include "pool/tasks.h"

struct result_waiter {
    struct result_waiter *next;
    struct connection *connection; /* held, paused */
    struct message_id id;
};

struct result_case {
    struct result_case *next; /* the pool's list of those being checked */
    struct pool *pool;
    struct result_waiter *waiters;
    char session[SESSION_SIZE + 1]; /* that delivered; "" after a restart */
    struct stored_result result;
    struct work *work;
    struct blob output;
    enum task_checked checked;
    struct stored_share share; /* drawn for the full audit */
    uint8_t job_key[DIGEST_SIZE];
    struct audit audit;
};

/* Lock held.  The result and its task are being checked, from now on whatever happens. */
MUST_CHECK enum status result_store_checking(struct result_case *c, struct error *err);
/* Lock held.  The verdict with all its consequences, in one transaction; task is the task
 * then. */
MUST_CHECK enum status result_store(struct result_case *c, struct stored_task *task,
                                    struct error *err);

#endif
