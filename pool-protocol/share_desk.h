/*
 * share_desk.h - which share still goes out, and under which job's id.
 *
 * A share is worth something as long as the pool knows the job it was made for.  The desk
 * remembers the jobs of a connection and says of each share, at the moment it could
 * leave: go, under this id; wait; or not any more, and why.  A share is matched to a job
 * by the header it was made for, never by an id of an earlier connection.  It also
 * remembers what was sent, so that nothing is sent twice, and counts answers that say the
 * proofs themselves are wrong.  A pool with tasks takes any of its last jobs, by their
 * ids.  It opens no socket and reads no clock; one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_SHARE_DESK_H
#define MINERVA_PROTOCOL_SHARE_DESK_H

#include "miner/work/share.h"
#include "pool-protocol/refusal.h"

enum {
    DESK_JOBS_MAX = 8,   /* what pools honour besides the newest */
    DESK_OLD_MS = 30000, /* for which a replaced job of the same block is worth a try */
    DESK_DIGESTS_MAX = 256, /* of proofs that were sent */
    DESK_WRONG_MAX = 10     /* wrong in a row: then it is not chance */
};

struct desk_job {
    struct job *job;     /* held; NULL for a free place */
    uint32_t connection; /* on which it was heard */
    uint64_t ended_ms; /* when another one took its place; of no meaning for the newest */
};

struct share_desk {                      /* all zero: nothing was heard or sent */
    struct desk_job jobs[DESK_JOBS_MAX]; /* the newest first */
    uint32_t connection;
    bool is_open;     /* the newest job is in force */
    bool has_heard;   /* a job on this connection */
    bool takes_any;   /* of the jobs kept, by their ids: a pool with tasks */
    bool refuses_old; /* a share of a replaced header was stale on this connection */
    uint32_t wrong;   /* answers in a row that found a proof wrong */
    uint32_t digest_next;
    uint8_t digests[DESK_DIGESTS_MAX][32];
};

void share_desk_close(struct share_desk *desk); /* lets go of the jobs */
/* Another connection: its jobs are yet to come.  Older ones stay until they are voided.
 */
void share_desk_begin(struct share_desk *desk);
void share_desk_void(struct share_desk *desk); /* the jobs of earlier connections */
/* All jobs: none is in force until the next, and what was found for them is stale. */
void share_desk_clear(struct share_desk *desk);
/* Keeps job, which is in force from now on.  A new block voids the jobs before it. */
void share_desk_hear(struct share_desk *desk, struct job *job, uint64_t now_ms);

enum desk_word {
    DESK_GO,
    DESK_WAIT,  /* this connection has no job yet */
    DESK_STALE, /* its block or its time is over */
    DESK_BELOW  /* below the new difficulty, and the time of the old one is over */
};

struct desk_pass {
    const char *job_id; /* lent until another job is heard */
    bool is_old;        /* the header is not that of the job in force */
};

/* out is filled for DESK_GO alone. */
enum desk_word share_desk_judge(const struct share_desk *desk, const struct share *share,
                                uint64_t now_ms, struct desk_pass *out);
/* What a proof is remembered by; it takes a while, so it is asked for once. */
void share_desk_digest(const struct share *share, uint8_t digest[32]);
/* Whether this proof left before, under whatever job. */
bool share_desk_has_sent(const struct share_desk *desk, const uint8_t digest[32]);
/* Remembers a proof that leaves.  With its place it may be forgotten, to leave again. */
uint32_t share_desk_sent(struct share_desk *desk, const uint8_t digest[32]);
void share_desk_unsent(struct share_desk *desk, uint32_t place);
/* What became of a share that was sent: refusal says why it was not accepted.  true: too
 * many in a row are wrong, so that the pool is better left. */
bool share_desk_answered(struct share_desk *desk, bool is_accepted, enum refusal refusal,
                         bool is_old);

#endif
