/*
 * dialect.h - how one kind of pool speaks.
 *
 * A dialect turns messages into events and shares into messages.  It opens no socket,
 * starts no thread and reads no clock, so it is tested and fuzzed with bytes from a file.
 * What a call has to say it puts into a turn: lines for the pool, events for the pool
 * thread.  A session outlives connections: greet() begins the next one, and what may
 * survive does.  One thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_DIALECT_H
#define MINERVA_PROTOCOL_DIALECT_H

#include "pool-protocol/dialect_turn.h"
#include "pool-protocol/user.h"

/* What a dialect wants of the user string. */
enum dialect_user {
    DIALECT_USER_NONE,   /* nothing: there may be none */
    DIALECT_USER_ANY,    /* any name */
    DIALECT_USER_ADDRESS /* the address that is paid */
};

/* How a plain Pearl pool speaks. */
enum dialect_pin {
    DIALECT_DETECTED, /* nobody said it: it is found out */
    DIALECT_OBJECT,
    DIALECT_ARRAY /* the lists of pearl/v1 */
};

enum { DIALECT_ADDRESS_MAX = 255 };

/* Who logs in, where, and in what this pool differs from most of its kind. */
struct dialect_login {
    struct message_authorize hello;
    char address[DIALECT_ADDRESS_MAX + 1]; /* what follows "://" */
    enum user_form form;
    enum dialect_pin pin;
    char joined[WALLET_MAX + 1]; /* the wallet for lists, where it is another; or "" */
    uint32_t job_timeout_s;      /* without a new job the pool is left; 0: after 600 s */
    uint32_t cert_version;       /* of jobs that name none and whose height says none; 0:
                                    there is none, such a job cannot be worked on */
};

struct dialect_session; /* begins with nothing in common: each dialect has its own */

/* Where a pool keeps big bytes, once it has said so. */
struct dialect_artifacts {
    char base[ARTIFACTS_MAX + 1]; /* a path on the pool's host, or a URL; "" for none */
    uint32_t http_port;
    char session[SESSION_SIZE + 1]; /* the bearer token of PUT */
};

/* Every slot is set.  Statuses: OK; BAD_MESSAGE (the message is dropped, err says why);
 * NOT_SUPPORTED (dropped too: a newer program might understand it);
 * NETWORK and REFUSED (the connection must end); STALE, AGAIN where said; NO_MEMORY. */
struct dialect {
    const char *name;
    bool has_socket; /* whether there is a pool to connect to */
    enum dialect_user user;
    enum user_form form; /* how most of its pools want the user */
    /* login is lent for the session's life. */
    enum status (*open)(const struct dialect_login *login, struct dialect_session **out,
                        struct error *err);
    void (*close)(struct dialect_session *session);
    /* A new connection: says hello, and forgets what was asked and not answered. */
    enum status (*greet)(struct dialect_session *session, struct dialect_turn *turn);
    /* One whole line, without its end. */
    enum status (*receive)(struct dialect_session *session, struct bytes line,
                           struct dialect_turn *turn, struct error *err);
    /* Nothing is sent with STALE: its job is void; LOW: it is below the new difficulty;
     * DONE: the same proof was sent before; AGAIN: no job is there yet, or too many are
     * outstanding, ask later. */
    enum status (*submit)(struct dialect_session *session, const struct share *share,
                          uint64_t tag, struct dialect_turn *turn);
    /* A DONE is answered by EVENT_RESULT with its tag; accept, decline and progress by
     * nothing, or by EVENT_CANCEL where the lease is lost. AGAIN as above. NOT_SUPPORTED:
     * a pool without tasks. */
    enum status (*answer)(struct dialect_session *session, const struct answer *answer,
                          uint64_t tag, struct dialect_turn *turn);
    /* A puzzle's solution. STALE: another one is wanted. NOT_SUPPORTED: a dialect
     * without.
     */
    enum status (*solve)(struct dialect_session *session, const struct puzzle_task *task,
                         uint64_t nonce, struct dialect_turn *turn);
    /* Called at least once a second while connected. TIMEOUT: the pool is gone. */
    enum status (*tick)(struct dialect_session *session, uint64_t now_ms,
                        struct dialect_turn *turn, struct error *err);
    void (*artifacts)(const struct dialect_session *session,
                      struct dialect_artifacts *out);
};

/* The slots of dialects without tasks, without puzzles. */
MUST_CHECK enum status dialect_no_answer(struct dialect_session *session,
                                         const struct answer *answer, uint64_t tag,
                                         struct dialect_turn *turn);
MUST_CHECK enum status dialect_no_puzzle(struct dialect_session *session,
                                         const struct puzzle_task *task, uint64_t nonce,
                                         struct dialect_turn *turn);
void dialect_no_artifacts(const struct dialect_session *session,
                          struct dialect_artifacts *out);
#define DIALECT(scheme, port, tls, file) extern const struct dialect dialect_##file;
#include "pool-protocol/dialects.def"
#undef DIALECT
extern const struct dialect dialect_pearl; /* what dialect_detect may find */

struct dialect_row {
    const char *scheme; /* what stands before "://" */
    uint16_t port;      /* where the URL names none; 0: it must */
    bool has_tls;
    const struct dialect *dialect;
};
const char *dialect_scheme_at(uint32_t index); /* in their order; NULL after the last */
/* The row of a URL's scheme; NULL with a sentence that lists the known ones. */
const struct dialect_row *dialect_find(const char *url, struct error *err);

#endif
