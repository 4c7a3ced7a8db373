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

#include "miner/work/answer.h"
#include "miner/work/assignment.h"
#include "miner/work/share.h"
#include "pool-protocol/user.h"

enum dialect_event_kind {
    EVENT_READY,   /* logged in: text says how */
    EVENT_REFUSED, /* the login was refused: code, text */
    EVENT_JOB,     /* job */
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
    VERDICT_UNKNOWN /* sent, and the answer was lost */
};

struct dialect_event {
    enum dialect_event_kind kind;
    struct job *job;         /* held by the event */
    struct assignment *work; /* owned by the event */
    uint64_t tag;
    enum verdict verdict;
    int code; /* the pool's; 0 where there is none */
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

/* What a dialect wants of the user string. */
enum dialect_user {
    DIALECT_USER_NONE,   /* nothing: there may be none */
    DIALECT_USER_ANY,    /* any name */
    DIALECT_USER_ADDRESS /* the address that is paid */
};

enum { DIALECT_ADDRESS_MAX = 255 };

/* Who logs in, where, and in what this pool differs from most of its kind. */
struct dialect_login {
    struct message_authorize hello;
    char address[DIALECT_ADDRESS_MAX + 1]; /* what follows "://" */
    enum user_form form;
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
    /* login is lent for the session's life. */
    enum status (*open)(const struct dialect_login *login, struct dialect_session **out,
                        struct error *err);
    void (*close)(struct dialect_session *session);
    /* A new connection: says hello, and forgets what was asked and not answered. */
    enum status (*greet)(struct dialect_session *session, struct dialect_turn *turn);
    /* One whole line, without its end. */
    enum status (*receive)(struct dialect_session *session, struct bytes line,
                           struct dialect_turn *turn, struct error *err);
    /* STALE: its job is void, nothing is sent. AGAIN: too many are outstanding, ask
     * later. */
    enum status (*submit)(struct dialect_session *session, const struct share *share,
                          uint64_t tag, struct dialect_turn *turn);
    /* A DONE is answered by EVENT_RESULT with its tag; accept, decline and progress by
     * nothing, or by EVENT_CANCEL where the lease is lost. AGAIN as above. NOT_SUPPORTED:
     * a pool without tasks. */
    enum status (*answer)(struct dialect_session *session, const struct answer *answer,
                          uint64_t tag, struct dialect_turn *turn);
    /* Called at least once a second while connected. TIMEOUT: the pool is gone. */
    enum status (*tick)(struct dialect_session *session, uint64_t now_ms,
                        struct dialect_turn *turn, struct error *err);
    void (*artifacts)(const struct dialect_session *session,
                      struct dialect_artifacts *out);
};

#define DIALECT(scheme, port, tls, file) extern const struct dialect dialect_##file;
#include "pool-protocol/dialects.def"
#undef DIALECT

struct dialect_row {
    const char *scheme; /* what stands before "://" */
    uint16_t port;      /* where the URL names none; 0: it must */
    bool has_tls;
    const struct dialect *dialect;
};
/* The row of a URL's scheme; NULL with a sentence that lists the known ones. */
const struct dialect_row *dialect_find(const char *url, struct error *err);

#endif
