/*
 * pool_thread.h - the inside of the pool thread, for the files it is made of.
 *
 * pool.c starts, connects, comes back and stops; pool_events.c hands on what the pool
 * said; pool_sending.c brings out what the workers have to say.  Everything here belongs
 * to the pool thread, but the board and stop_at.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_THREAD_H
#define MINERVA_PROTOCOL_POOL_THREAD_H

#include <stdatomic.h>

#include "miner/base/thread.h"
#include "pool-protocol/backoff.h"
#include "pool-protocol/courier.h"
#include "pool-protocol/pool_board.h"
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

struct pool {
    const struct dialect *dialect;
    bool has_tls;
    char host[POOL_HOST_MAX + 1];
    uint16_t port;
    uint32_t hurry;
    char *proxy, *ca_file; /* or NULL */
    char pin[POOL_PIN_MAX + 1], path[POOL_PATH_MAX + 1];
    struct dialect_login login;
    struct pool_ports ports;
    struct dialect_session *session;
    struct transport
        *transport; /* NULL between connections, and where there is no socket */
    struct dialect_turn turn;
    struct courier *courier;
    struct puzzle *puzzle; /* that is being solved, or NULL */
    struct courier_options courier_options;
    struct pool_board board;
    struct backoff backoff;
    struct sending sendings[SENDING_MAX];
    uint32_t sending_count;
    uint64_t next_tag;
    bool is_greeted, is_ready; /* on this connection */
    bool is_outbox_closed;
    uint64_t begun_ms; /* this connection */
    uint32_t bad_messages;
    int wake_fd;
    struct thread *thread;
    atomic_uint_least64_t
        stop_at_ms; /* when the thread must have ended; 0: no end is wanted */
};

/* Puts news (taken, may be NULL) where the main thread finds it. */
void pool_tell(struct pool *pool, struct news *news);
void pool_tell_text(struct pool *pool, enum news_kind kind, const char *text);

/* Hands on the events of the turn, sends its lines, empties it. */
MUST_CHECK enum status pool_settle(struct pool *pool, struct error *err);

/* The puzzle's solution goes to the pool, if it is there. */
MUST_CHECK enum status pool_solve(struct pool *pool, struct error *err);
/* The courier is back with an input: to the workers, if the task is still wanted. */
void pool_fetched(struct pool *pool, struct errand *errand);

/* Takes from the outbox and from the courier what is there. */
void pool_gather(struct pool *pool);
/* Says what can be said now. */
MUST_CHECK enum status pool_send(struct pool *pool, struct error *err);
/* The connection is gone: sent shares are unknown, sent results wait again. */
void pool_send_again(struct pool *pool);
/* Nothing waits any more, for sending or for an answer. */
bool pool_is_done(const struct pool *pool);
/* The thing of that tag is answered: told and freed. */
void pool_answered(struct pool *pool, const struct dialect_event *event);
/* Fetches the input of work (taken) before it is handed out. */
void pool_fetch(struct pool *pool, struct assignment *work);
/* Says that work (not taken) is not done here. */
void pool_decline(struct pool *pool, const struct assignment *work, const char *reason);
/* Frees all that is left and returns how many results were among it. */
uint32_t pool_drop_all(struct pool *pool);

#endif
