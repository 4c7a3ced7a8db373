/*
 * dialect_turn.h - what one call of a dialect has to say: lines for the pool, events for
 * the pool thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_DIALECT_TURN_H
#define MINERVA_PROTOCOL_DIALECT_TURN_H

#include "miner/work/answer.h"
#include "miner/work/assignment.h"
#include "miner/work/share.h"
#include "pool-protocol/message_authorize.h"
#include "pool-protocol/puzzle.h"
#include "pool-protocol/refusal.h"

enum dialect_event_kind {
    EVENT_READY,   /* logged in: text says how */
    EVENT_REFUSED, /* the login was refused: code, text */
    EVENT_JOB,     /* job */
    EVENT_NO_JOB,  /* the job in force is over, and no other one can be worked on: text */
    EVENT_PUZZLE,  /* puzzle: to be solved, instead of the one before it */
    EVENT_ASSIGN,  /* work */
    EVENT_CANCEL,  /* task_id: stop it, no answer is wanted */
    EVENT_SHARE,   /* the verdict on a share: tag, verdict, code, text */
    EVENT_RESULT,  /* the verdict on a finished task: tag, task_id, verdict, code, text */
    EVENT_NOTICE   /* text, for people */
};

enum verdict {
    VERDICT_ACCEPTED,
    VERDICT_PENDING, /* results only: another worker is asked too */
    VERDICT_STALE,   /* by the pool's word, or never sent because its job was void */
    VERDICT_REJECTED,
    VERDICT_UNKNOWN, /* sent, and the answer was lost */
    VERDICT_LOST,    /* never sent: too many waited for a pool that was away */
    VERDICT_AGAIN    /* events only: there was no room for it, it may be sent once more */
};

struct dialect_event {
    enum dialect_event_kind kind;
    struct job *job;         /* held by the event */
    struct assignment *work; /* owned by the event */
    uint64_t tag;
    enum verdict verdict;
    int code;             /* the pool's; 0 where there is none */
    enum refusal refusal; /* SHARE: what a stale or rejected one is refused for */
    bool is_hopeless; /* SHARE: too many in a row are wrong, the pool is better left */
    struct puzzle_task puzzle;
    char task_id[TASK_ID_SIZE + 1];
    char text[MESSAGE_TEXT_MAX + 1]; /* clean: no control characters */
};

enum { DIALECT_EVENTS_MAX = 8 }; /* no single call causes more */

struct dialect_turn {  /* lent by the caller, emptied by him between calls */
    struct blob lines; /* whole lines for the pool */
    struct dialect_event events[DIALECT_EVENTS_MAX];
    uint32_t event_count;
};
void dialect_turn_clear(struct dialect_turn *turn); /* frees what the events still hold */
void dialect_turn_free(struct dialect_turn *turn);
/* The next free event, emptied; NULL when there are too many, which a caller must not
 * cause. */
struct dialect_event *dialect_turn_event(struct dialect_turn *turn,
                                         enum dialect_event_kind kind);

#endif
