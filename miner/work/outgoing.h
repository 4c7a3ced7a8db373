/*
 * outgoing.h - what leaves a worker, in order: findings, shares and answers.
 *
 * The worker's queue to the prover carries FINDINGs and ANSWERs; the prover turns
 * findings into shares and hands everything on to the outbox in the order it came, so
 * that a task's shares go out before its result.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_OUTGOING_H
#define MINERVA_WORK_OUTGOING_H

#include "miner/work/answer.h"
#include "miner/work/finding.h"
#include "miner/work/share.h"

enum outgoing_kind { OUTGOING_FINDING, OUTGOING_SHARE, OUTGOING_ANSWER };

struct outgoing {
    enum outgoing_kind kind;
    union {
        struct finding *finding;
        struct share *share;
        struct answer *answer;
    } as; /* owned */
};

/* Takes what; NULL without memory (what is freed then). */
struct outgoing *outgoing_finding(struct finding *what);
struct outgoing *outgoing_share(struct share *what);
struct outgoing *outgoing_answer(struct answer *what);
void outgoing_free(
    void *outgoing); /* struct outgoing *, and what it holds; fits queue_release */

#endif
