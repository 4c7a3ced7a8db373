/*
 * pool_sending.h - what is on its way to one pool, in order, until it was answered.
 *
 * What is sent when, again, or never is decided in pool_sending.c alone; the link only
 * says when it may speak.  The pool thread's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_SENDING_H
#define MINERVA_PROTOCOL_POOL_SENDING_H

#include "pool-protocol/courier.h"

struct pool_link;

enum {
    SENDING_MAX = 256,       /* beyond it the outbox is left to fill */
    SENDING_SHARES_MAX = 64, /* waiting while the pool is away; then the oldest goes */
    PUT_AGAIN_MS = 10000,
    WRONG_ASIDE_MS = 600000 /* for a pool that finds everything wrong */
};

enum sending_state {
    SENDING_WAITS,
    SENDING_CARRIED, /* the courier has its output */
    SENDING_SENT     /* its answer is awaited */
};

struct sending {           /* one thing on its way, in the order of the outbox */
    struct outgoing *what; /* owned: SHARE or ANSWER */
    uint64_t tag;
    uint64_t taken_ms; /* out of the outbox */
    uint64_t not_before_ms;
    uint64_t sent_ms; /* by link_now_ms() */
    enum sending_state state;
    uint32_t tries; /* that found no room at the pool */
    bool is_there;  /* its output lies at the pool */
};

bool sending_has_room(const struct pool_link *link);
/* One thing of the workers, for this pool; takes what. */
void sending_put(struct pool_link *link, struct outgoing *what);
/* Says what can be said now. */
MUST_CHECK enum status sending_send(struct pool_link *link, struct error *err);
/* The connection is gone: sent shares are unknown, sent results wait again. */
void sending_lost(struct pool_link *link);
/* The thing of that tag is answered: told and freed. */
void sending_answered(struct pool_link *link, const struct dialect_event *event);
/* The courier brought a result to the pool, or could not. */
void sending_carried(struct pool_link *link, const struct errand *errand);
/* Fetches the input of work (taken) before it is handed out. */
void sending_fetch(struct pool_link *link, struct assignment *work);
/* Says that work (not taken) is not done here. */
void sending_decline(struct pool_link *link, const struct assignment *work,
                     const char *reason);
/* When the oldest of the shares was sent whose answer is awaited, by link_now_ms(); 0:
 * none. */
uint64_t sending_oldest_ms(const struct pool_link *link);
/* When something that found no room at the pool is due again, by clock_ms(); 0: nothing
 * is. */
uint64_t sending_again_ms(const struct pool_link *link);
/* Whether anything is awaited, or waits. */
bool sending_is_empty(const struct pool_link *link);
/* The pool is left: shares that still wait are not worth sending. */
void sending_forget_shares(struct pool_link *link, const char *why);
/* Frees all that is left and returns how many results were among it. */
uint32_t sending_drop_all(struct pool_link *link);

#endif
