/*
 * results.h - a result from delivery to its verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_RESULTS_H
#define MINERVA_POOL_RESULTS_H

#include "pool-protocol/message_task.h"
#include "pool/pool_state.h"

/* Answers task.result, now or after its check.  No lock held. */
void result_deliver(struct pool *pool, struct connection *connection,
                    const struct message_id *id, const struct message_answer *answer);
/* Puts checks that are in the store, but under way nowhere, back in the auditor's queue:
 * after a restart, and where a verdict could not be stored.  No lock held. */
MUST_CHECK enum status results_recheck(struct pool *pool, struct error *err);

#endif
