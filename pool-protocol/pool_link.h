/*
 * pool_link.h - one pool of the list: its place, its session, its connection, and what is
 * on its way to it.
 *
 * A link outlives its connections, and the pool thread holds several at once: the current
 * one, one beside it that is tried, one that is left and still owes verdicts.  Links know
 * nothing of each other.  Who does what:
 *
 *     pool.c           which link is connected when; what comes out of the outbox goes
 *                      to its link; waits for all of them together
 *     pool_link.c      one connection: open, greet, hear, hang up
 *     pool_events.c    hands on what the pool said
 *     pool_sending.c   the sendings: what is sent when, again, or never, and how it ended
 *
 * The pool thread's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_LINK_H
#define MINERVA_PROTOCOL_POOL_LINK_H

#include "pool-protocol/backoff.h"
#include "pool-protocol/courier.h"
#include "pool-protocol/pool_target.h"
#include "pool-protocol/transport.h"

enum {
    SENDING_MAX = 256,       /* beyond it the outbox is left to fill */
    SENDING_SHARES_MAX = 64, /* waiting while the pool is away; then the oldest goes */
    BAD_MESSAGES_MAX = 100,  /* on one connection */
    PUT_AGAIN_MS = 10000
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
    enum sending_state state;
    bool is_there; /* its output lies at the pool */
};

struct pool;

struct pool_link {
    struct pool *pool;         /* the thread it belongs to */
    uint32_t number;           /* in the person's order; of its news, too */
    struct pool_target target; /* place and login; the session borrows it */
    char *proxy, *ca_file;     /* or NULL */

    struct dialect_session *session;
    struct dialect_turn turn;
    struct pool_artifacts artifacts; /* of the last hello */
    struct puzzle *puzzle;           /* that is being solved, or NULL */
    struct backoff backoff;

    bool is_connected; /* from link_connect to link_hang_up, even where there is no
                          socket */
    struct transport *transport; /* NULL where there is none */
    bool is_greeted, is_ready;   /* on this connection */
    uint64_t begun_ms;           /* this connection */
    uint64_t due_ms;             /* the next one, while there is none */
    uint32_t bad_messages;

    struct sending sendings[SENDING_MAX]; /* pool_sending.c's own */
    uint32_t sending_count;
    uint64_t next_tag;
};

/* --- pool_link.c --- */

/* Judges everything a person wrote; the link is zero but for pool and number. */
MUST_CHECK enum status link_open(struct pool_link *link,
                                 const struct pool_options *options, struct error *err);
void link_close(struct pool_link *link); /* hangs up; nothing may be on its way */
MUST_CHECK enum status link_connect(struct pool_link *link, struct error *err);
/* Hears and speaks, and waits for nothing.  Not OK: the connection must end. */
MUST_CHECK enum status link_step(struct pool_link *link, struct error *err);
void link_hang_up(struct pool_link *link); /* harmless where there is no connection */
/* Puts news (taken, may be NULL) of this pool where the main thread finds it. */
void link_tell(const struct pool_link *link, struct news *news);
void link_tell_text(const struct pool_link *link, enum news_kind kind, const char *text);

/* --- pool_events.c --- */

/* Hands on the events of the turn, sends its lines, empties it. */
MUST_CHECK enum status link_settle(struct pool_link *link, struct error *err);
/* The puzzle's solution goes to the pool, if it is there. */
MUST_CHECK enum status link_solve(struct pool_link *link, struct error *err);
/* The courier is back with an input: to the workers, if the task is still wanted. */
void link_fetched(struct pool_link *link, struct errand *errand);

/* --- pool_sending.c --- */

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
/* Frees all that is left and returns how many results were among it. */
uint32_t sending_drop_all(struct pool_link *link);

#endif
