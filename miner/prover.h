/*
 * prover.h - one thread that re-checks what devices claim, and lets only that out which
 * holds.
 *
 * Takes findings and answers from the workers' queue.  A finding that the CPU can prove
 * leaves as a share; one that it cannot is counted against its device and never sent, and
 * the task it came from is handed back instead of answered.  Answers pass in order, so
 * that a task's shares go out before its result.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_PROVER_H
#define MINERVA_MINER_PROVER_H

#include <stdbool.h>

#include "miner/ledger.h"
#include "miner/pow/scheme.h"

struct prover_ports { /* lent */
    struct queue *
        findings; /* in: struct outgoing *; closing it ends the thread when it is empty */
    struct queue *outbox;  /* out: struct outgoing *, SHARE */
    struct queue *answers; /* out: struct outgoing *, ANSWER; may be outbox */
    struct ledger *ledger;
    bool keeps_shares; /* they are counted and let go, not sent */
};

struct prover;
MUST_CHECK enum status prover_start(const struct pow_scheme *scheme,
                                    const struct prover_ports *ports,
                                    struct prover **out);
bool prover_is_done(const struct prover *prover); /* its thread has come to an end */
/* Waits until the closed queue is empty. */
void prover_join(struct prover *prover); /* NULL is fine */

#endif
