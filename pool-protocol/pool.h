/*
 * pool.h - the pool thread: connects, greets, receives, comes back, stops.
 *
 * It turns a pool's bytes into jobs (mailbox), assignments and news (queues), and what
 * comes out of the outbox into messages.  Of several pools the first that can be had is
 * used, and every 600 s a better one is tried beside it.  A lost connection is made again
 * after 1, 2, 5, 10, 30, then every 60 s; a pool that refuses is left alone for 60 s,
 * doubling to 600.  A share that was sent and not answered is counted unknown and
 * never sent twice; a share whose job became void before it left is counted stale; a
 * finished result is sent again after every reconnect until it was answered.  Beside the
 * thread stands a courier that carries what is too big for a line, so that jobs are heard
 * while megabytes travel.
 *
 * The maker calls pool_start, pool_stop and pool_free.  pool_is_cancelled,
 * pool_artifacts and pool_next may be called by any thread.  Everything else passes
 * through the shared objects.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_H
#define MINERVA_PROTOCOL_POOL_H

#include "miner/base/mailbox.h"
#include "miner/base/queue.h"
#include "miner/work/outgoing.h"
#include "pool-protocol/dialect.h"
#include "pool-protocol/news.h"

struct pool;
struct wire_log;

enum { POOL_LINKS_MAX = 16 /* pools in a list */ };

enum pool_wish { WISH_AS_KNOWN, WISH_YES, WISH_NO };

/* One pool; copied. */

struct pool_options {
    const struct pool_options *next; /* the pool to go to when this one fails, or NULL */
    uint32_t number; /* in the person's order: whose a job and a piece of news is */
    const char *url; /* scheme://host:port, a row of dialects.def; or pool:NAME, one of
                        known_pools.def */
    const char *user, *worker, *pass, *agent;
    bool is_account;            /* user is an account's name with the pool, no address */
    const enum user_form *form; /* how user and worker are told; NULL: as this pool is
                                   known to want it */
    uint32_t job_timeout_s;     /* 0: as this pool is known to need it */
    enum pool_wish has_jsonrpc; /* requests name their version of JSON-RPC */
    enum pool_wish asks_gzip;   /* for proofs in gzip */
    enum pool_wish is_password; /* pass is called password */
    enum dialect_pin dialect; /* of stratum+...: as this pool is known to speak, or finds
                                 out */
    uint64_t difficulty;      /* the password asks for it; 0: it does not */
    uint32_t cert_version;    /* of jobs that name none; 0: their height says it */
    const char *pin;   /* "sha256//...", the pool's key; NULL: as it is known, if it is */
    const char *proxy; /* socks5h://..., or NULL; never a silent direct connection */
    const char *ca_file; /* certificates to trust instead of the system's, or NULL */
    const char *keep;    /* a folder for proofs that a person should look at, or NULL */
    struct message_offer offer;
    struct wire_log *wire; /* what is said is written there; lent, or NULL */
    /* Both for tests, both of the first pool in the list; 0: 1. */
    uint32_t hurry;  /* divides the waits between connections, and until going back */
    uint32_t strict; /* divides the limits within which a pool must speak */
};

/* Lent; they outlive the pool. */
struct pool_ports {
    struct mailbox *jobs;      /* out: struct job; emptied when the pool is lost for good;
                                  NULL:      its jobs are not wanted */
    struct queue *assignments; /* out: struct assignment *, its input inside; NULL: none
                                  is taken */
    struct queue
        *outbox; /* in: struct outgoing *, SHARE and ANSWER; close it before stopping */
    struct queue *news; /* out: struct news * */
};

/* Checks every pool of the list and starts the thread. BAD_CONFIG with a sentence for
 * what a person wrote. */
MUST_CHECK enum status pool_start(const struct pool_options *options,
                                  const struct pool_ports *ports, struct pool **out,
                                  struct error *err);
/* Wants the end, as pool_stop() does, and waits for nothing: for several that end at
 * once.
 */
void pool_end(struct pool *pool, uint64_t wait_ms);
/* Ends the thread: what is in the outbox is sent and answers are awaited for at most
 * wait_ms (0: at once).  Returns how many finished results are left unanswered.  To be
 * called once. */
uint32_t pool_stop(struct pool *pool, uint64_t wait_ms);
void pool_free(struct pool *pool); /* stops it if need be; NULL is fine */

/* Wants the next pool of the list, after the last one the first: it takes over when it
 * has a job, as any better one would. Any thread. */
void pool_next(struct pool *pool);

/* Whether the pool took this task back; ask between steps. */
bool pool_is_cancelled(struct pool *pool, const char *task_id);

struct pool_artifacts {
    char url[1024]; /* no slash at the end; "" until a pool has named one */
    char session[SESSION_SIZE + 1]; /* bearer token */
};
/* Where models and big inputs are fetched from now. */
void pool_artifacts(struct pool *pool, struct pool_artifacts *out);

#endif
