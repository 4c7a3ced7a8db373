/*
 * pool_link.h - one pool of the list: its place, its session, its connection, and what is
 * on its way to it.
 *
 * A link outlives its connections, and the pool thread holds several at once: the current
 * one, one beside it that is tried, one that is left and still owes verdicts.  Links know
 * nothing of each other.  Who does what:
 *
 *     pool.c           waits for all of them together; what comes out of the outbox goes
 *                      to its link
 *     pool_failover.c  which link is connected when, which one is worked for
 *     pool_link.c      one connection: open, greet, hear, its limits, hang up
 *     pool_events.c    hands on what the pool said
 *     pool_sending.c   the sendings: what is sent when, again, or never, and how it ended
 *     pool_wrong.c     what is kept of a proof when a pool finds everything wrong
 *
 * The pool thread's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_LINK_H
#define MINERVA_PROTOCOL_POOL_LINK_H

#include "pool-protocol/backoff.h"
#include "pool-protocol/pool_sending.h"
#include "pool-protocol/pool_target.h"
#include "pool-protocol/transport.h"

enum {
    LINK_TASKS_MAX = 64,   /* last assigned by one pool; older ones are forgotten */
    LINK_ANSWER_MS = 30000 /* for a login, for the first job after it, for a share */
};

struct link_task {
    char id[TASK_ID_SIZE + 1]; /* "" for a free place */
    bool is_open;              /* neither answered nor handed back */
};

enum link_refusal { LINK_REFUSED_NOT, LINK_REFUSED_LOGIN, LINK_REFUSED_VERSION };

struct pool_link {
    struct pool *pool;         /* the thread it belongs to */
    uint32_t number;           /* in the person's order; of its news, too */
    struct pool_target target; /* place and login; the session borrows it */
    char *proxy, *ca_file;     /* or NULL */
    struct wire_log *wire;     /* or NULL */
    char *keep;                /* a folder for what a person should see, or NULL */

    struct dialect_session *session;
    struct dialect_turn turn;
    struct pool_artifacts artifacts; /* of the last hello */
    struct puzzle *puzzle;           /* that is being solved, or NULL */
    struct job *job;                 /* held: in force on this connection, or NULL */
    struct link_task tasks[LINK_TASKS_MAX];
    uint32_t task_next;
    struct backoff backoff;
    bool was_welcome, had_job;     /* since the start: logged in, and then a job */
    enum link_refusal refusal;     /* how the last connection ended */
    bool is_settled;               /* told to be worked for, on this connection */
    bool is_good;                  /* on it: a share was accepted, or it lasted */
    bool is_leaving, has_declined; /* another pool is worked for; told what is not done */
    uint64_t left_ms;              /* ... since */

    bool is_connected; /* from link_connect to link_hang_up, even where there is no
                          socket */
    struct transport *transport; /* NULL where there is none */
    bool is_plain, has_tls; /* where nobody said which: tried without; known to have it */
    bool is_greeted, is_ready; /* on this connection */
    uint64_t begun_ms;         /* this connection */
    uint64_t due_ms;           /* the next one, while there is none */
    /* By link_now_ms(); 0: not yet. */
    uint64_t greeted_ms, ready_ms, job_ms; /* first of each on this connection */
    /* Messages that cannot be used, in the second since: told of, and not. */
    uint32_t bad_told, bad_untold;
    uint64_t bad_since_ms;
    char wrong[256]; /* why the pool is better left, or "" */

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
/* The clock that limits are measured by: it runs faster in tests. */
uint64_t link_now_ms(const struct pool_link *link);
/* Takes job, which may be NULL: it is in force now. */
void link_set_job(struct pool_link *link, struct job *job);
/* The pool works with us: waits begin anew. */
void link_praise(struct pool_link *link);
/* The tasks that this pool assigned. */
void link_add_task(struct pool_link *link, const char *id);
struct link_task *link_find_task(struct pool_link *link, const char *id); /* or NULL */
/* Puts news (taken, may be NULL) of this pool where the main thread finds it. */
void link_tell(const struct pool_link *link, struct news *news);
void link_tell_text(const struct pool_link *link, enum news_kind kind, const char *text);

/* A notice of which a pool could cause any number: a few a second are told, the others
 * are counted. */
void link_tell_some(struct pool_link *link, const char *text);

/* --- pool_events.c --- */

/* Hands on the events of the turn, sends its lines, empties it. */
MUST_CHECK enum status link_settle(struct pool_link *link, struct error *err);
/* The puzzle's solution goes to the pool, if it is there. */
MUST_CHECK enum status link_solve(struct pool_link *link, struct error *err);
/* The courier is back with an input: to the workers, if the task is still wanted. */
void link_fetched(struct pool_link *link, struct errand *errand);

/* --- pool_wrong.c --- */

/* The pool finds everything wrong: keeps the proof it has just refused for a person to
 * look at, says what may be the cause, and lets the connection end. */
void wrong_keep(struct pool_link *link, const struct share *share,
                const struct dialect_event *answer);

/* --- pool_failover.c --- */

/* The link's job has changed: the workers hear of it if this pool is worked for. */
void failover_job(struct pool_link *link);
/* It is logged in, and says where artifacts lie. */
void failover_ready(struct pool_link *link);

#endif
