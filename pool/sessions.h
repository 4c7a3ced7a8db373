/*
 * sessions.h - who works for the pool, under which jobs, and what it said.
 *
 * A session outlives its connection: a worker that comes back with its id finds its
 * leases and jobs. Everything here is under the pool's lock unless it says otherwise.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_SESSIONS_H
#define MINERVA_POOL_SESSIONS_H

#include "miner/work/job.h"
#include "pool-protocol/message_line.h"
#include "pool/pool_state.h"

enum {
    SESSION_JOBS = 8,
    SESSION_JOB_MS = 60000,
    SESSION_SUBMITS = 20,    /* a second */
    SESSION_BAD_PROOFS = 10, /* in a minute */
    SESSION_DECLINED = 16,
    SESSION_KINDS_MAX = 255,
    SESSION_DETACHED_MAX = 1024,
    OFFER_MS = 30000
};

struct session_job {
    char id[40];
    uint8_t header[JOB_HEADER_SIZE];
    uint64_t macs; /* N */
    struct target target;
};

struct session_offer { /* assigned, not yet accepted */
    char task[TASK_ID_SIZE + 1];
    uint64_t until_ms;
};

struct session {
    struct session *next, *previous;
    struct connection *connection; /* held; NULL while it is away */
    char id[SESSION_SIZE + 1];
    uint8_t raw[SESSION_SIZE / 2];
    int64_t worker;
    char name[2 * WALLET_MAX + 2]; /* for the log */
    bool speaks_tasks;
    uint32_t slots;
    char kinds[SESSION_KINDS_MAX + 1]; /* "|embed|matmul|" */

    struct session_job jobs[SESSION_JOBS];
    uint64_t job_count; /* ever: the counter in the merkle root */
    uint64_t job_ms;
    uint64_t macs;      /* of the newest job */
    uint64_t window_ms; /* vardiff: since when, how many accepted */
    uint32_t window_shares;
    uint64_t submits_ms[SESSION_SUBMITS], submits;
    uint64_t bad_ms[SESSION_BAD_PROOFS], bads;

    struct session_offer offers[OFFER_SLOTS_MAX];
    uint32_t offer_count;
    char declined[SESSION_DECLINED][TASK_ID_SIZE + 1];
    uint32_t declined_next;
};

/* What the server calls, without the lock. */
void session_line(struct pool *pool, struct connection *connection, struct bytes text);
void session_gone(struct pool *pool, struct connection *connection);
/* Answers a ping past waiting lines; false when text is none. */
bool session_ping(struct connection *connection, struct bytes text);

void session_tick(struct pool *pool, struct session *session, uint64_t now_ms);
struct session *session_find(struct pool *pool, const char *id); /* NULL: not in memory */
void sessions_free(struct pool *pool);

/* session_jobs.c */
void session_job_new(struct pool *pool, struct session *session); /* announces it, too */
const struct session_job *session_job_find(const struct session *session, const char *id);
/* A share was accepted: vardiff counts it. */
void session_job_shared(struct pool *pool, struct session *session);
/* False when the session sends too many a second; its difficulty is raised then. */
bool session_job_admits(struct pool *pool, struct session *session, uint64_t now_ms);
void session_job_tick(struct pool *pool, struct session *session, uint64_t now_ms);
/* True with the tenth refused proof within a minute. */
bool session_job_bad(struct session *session, uint64_t now_ms);

/* Replies; no lock needed, the connection is held. */
void reply_true(struct connection *connection, const struct message_id *id);
void reply_error(struct connection *connection, const struct message_id *id, int code,
                 const char *text);

#endif
