/*
 * dialect_object.h - what the dialects of JSON objects have in common.
 *
 * The task protocol is a strict superset of the plain Pearl dialect: both log in, hear
 * jobs and submit shares with the same messages.  Here live the session they share, the
 * requests that wait for a reply, and the jobs a share may still be sent for.  For
 * dialect_task.c and dialect_pearl.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_DIALECT_OBJECT_H
#define MINERVA_PROTOCOL_DIALECT_OBJECT_H

#include "pool-protocol/dialect.h"
#include "pool-protocol/message_notify.h"
#include "pool-protocol/share_desk.h"

enum {
    OBJECT_REQUESTS_MAX = 64, /* outstanding at once */
    OBJECT_SUBMITS_MAX = 4,   /* of them shares: what every known pool takes */
    OBJECT_HELLO_MS = 30000,
    OBJECT_REPLY_MS = 60000, /* a share's verdict; a pool may verify for seconds */
    OBJECT_SILENCE_MS = 120000,
    OBJECT_PING_MS = 30000,
    OBJECT_NO_JOB_MS = 600000 /* three times the interval of the chain's blocks */
};

enum request_kind {
    REQUEST_NONE,
    REQUEST_HELLO,
    REQUEST_SUBMIT,
    REQUEST_ACCEPT,
    REQUEST_DECLINE,
    REQUEST_PROGRESS,
    REQUEST_RESULT,
    REQUEST_PING,
    REQUEST_PUZZLE
};

struct object_request {
    enum request_kind kind;
    int64_t id;
    uint64_t tag;
    uint64_t asked_ms; /* of the first tick after it was asked; 0 before */
    bool is_old;       /* SUBMIT: under a header that was replaced */
    uint32_t place;    /* SUBMIT: at the desk, among the proofs sent */
    char task_id[TASK_ID_SIZE + 1];
};

struct dialect_session {
    const struct dialect_login *login; /* lent */
    int64_t next_id;
    uint64_t now_ms;               /* of the last tick */
    bool is_ready;                 /* the hello was answered */
    bool has_tasks;                /* by a pool that speaks the task protocol */
    bool is_gzip;                  /* proofs go in gzip, as was agreed */
    bool has_heard, has_heard_job; /* since the last tick */
    uint64_t heard_ms, heard_job_ms;
    struct object_request requests[OBJECT_REQUESTS_MAX];
    struct share_desk desk;
    struct message_welcome welcome; /* of the last pool with tasks: keeps the session */
};

MUST_CHECK enum status object_open(const struct dialect_login *login,
                                   struct dialect_session **out, struct error *err);
void object_close(struct dialect_session *session);

/* What a session that stands in a dialect's own has to be at first, and at last. */
void object_init(struct dialect_session *session, const struct dialect_login *login);
/* Starts a connection: forgets requests, not jobs. */
void object_begin(struct dialect_session *session);
/* A place for a request and its id; NULL when there is none. */
struct object_request *object_ask(struct dialect_session *session, enum request_kind kind,
                                  uint64_t tag);
/* The request that line, a reply, answers, taken out of the table; kind NONE: none. */
struct object_request object_answered(struct dialect_session *session,
                                      const struct message_line *line);
uint32_t object_outstanding(const struct dialect_session *session,
                            enum request_kind kind);

/* Gives a job out, if it can be worked on: a certificate version that is made here (by
 * the height where none was named), a bound that fits.  Otherwise the job in force is
 * over: EVENT_NO_JOB, and BAD_MESSAGE, or NOT_SUPPORTED for a version of the future. */
MUST_CHECK enum status object_announce(struct dialect_session *session,
                                       struct message_notify *notify,
                                       struct dialect_turn *turn, struct error *err);
/* A push that both dialects know; others are ignored, as the protocol asks. */
MUST_CHECK enum status object_push(struct dialect_session *session,
                                   const struct message_line *line,
                                   struct dialect_turn *turn, struct error *err);
/* The answer to the hello where it is a refusal. */
MUST_CHECK enum status object_refused(const struct message_reply *reply,
                                      struct dialect_turn *turn, struct error *err);
/* The answer to a share. */
void object_verdict(struct dialect_session *session, const struct object_request *request,
                    const struct message_line *line, struct dialect_turn *turn);

/* The request of a share that leaves now, and the id it leaves under: submit's statuses.
 */
MUST_CHECK enum status object_submit_begin(struct dialect_session *session,
                                           const struct share *share, uint64_t tag,
                                           struct object_request **request,
                                           const char **job_id);
/* What could not be written did not leave. */
void object_submit_undo(struct dialect_session *session, struct object_request *request);
MUST_CHECK enum status object_submit(struct dialect_session *session,
                                     const struct share *share, uint64_t tag,
                                     struct dialect_turn *turn);
/* Time limits of hello, shares and jobs. */
MUST_CHECK enum status object_tick(struct dialect_session *session, uint64_t now_ms,
                                   struct dialect_turn *turn, struct error *err);

#endif
