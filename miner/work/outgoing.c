/*
 * outgoing.c - what leaves a worker, in order.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/outgoing.h"

#include "miner/base/memory.h"

struct outgoing *outgoing_finding(struct finding *what)
{
    struct outgoing *outgoing = memory_new(struct outgoing);

    if (!outgoing) {
        finding_free(what);
        return NULL;
    }
    outgoing->kind = OUTGOING_FINDING;
    outgoing->as.finding = what;
    return outgoing;
}

struct outgoing *outgoing_share(struct share *what)
{
    struct outgoing *outgoing = memory_new(struct outgoing);

    if (!outgoing) {
        share_free(what);
        return NULL;
    }
    outgoing->kind = OUTGOING_SHARE;
    outgoing->as.share = what;
    return outgoing;
}

struct outgoing *outgoing_answer(struct answer *what)
{
    struct outgoing *outgoing = memory_new(struct outgoing);

    if (!outgoing) {
        answer_free(what);
        return NULL;
    }
    outgoing->kind = OUTGOING_ANSWER;
    outgoing->as.answer = what;
    return outgoing;
}

void outgoing_free(void *thing)
{
    struct outgoing *outgoing = thing;

    if (!outgoing)
        return;
    switch (outgoing->kind) {
    case OUTGOING_FINDING:
        finding_free(outgoing->as.finding);
        break;
    case OUTGOING_SHARE:
        share_free(outgoing->as.share);
        break;
    case OUTGOING_ANSWER:
        answer_free(outgoing->as.answer);
        break;
    }
    memory_free(outgoing);
}
