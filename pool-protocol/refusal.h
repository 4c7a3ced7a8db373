/*
 * refusal.h - what a pool means when it refuses a share: by its code, or else by its
 * words (pearl-pools.md 2.5).
 *
 * Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_REFUSAL_H
#define MINERVA_PROTOCOL_REFUSAL_H

enum refusal {
    REFUSAL_OTHER,
    REFUSAL_BANNED,
    REFUSAL_STALE, /* of a job that is over */
    REFUSAL_DUPLICATE,
    REFUSAL_LOGIN,   /* not logged in, or as somebody the pool does not know */
    REFUSAL_LOW,     /* above the target */
    REFUSAL_FORMAT,  /* the pool cannot read it */
    REFUSAL_INVALID, /* the proof does not hold */
    REFUSAL_BUSY     /* a gateway's queue is full: the same may be sent again */
};

enum refusal refusal_of(int code, const char *text);

#endif
