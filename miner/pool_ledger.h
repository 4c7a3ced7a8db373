/*
 * pool_ledger.h - the books of each pool: what it said of shares and tasks, how it
 * stands, how fast it answers.
 *
 * Filled from the pool threads' news.  One thread writes, any may read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_POOL_LEDGER_H
#define MINERVA_MINER_POOL_LEDGER_H

#include "pool-protocol/news.h"

enum pool_state {
    POOL_AWAY,      /* not connected */
    POOL_CONNECTED, /* logged in, but another one is worked for */
    POOL_IN_USE,
    POOL_REFUSED, /* set aside: it refuses the login, or wants a newer program */
    POOL_STATES
};
extern const char *const pool_state_names[POOL_STATES];

struct pool_account {
    const char *name, *url, *user, *role; /* as the settings have them; lent */
    enum pool_state state;
    char reason[ERROR_TEXT_MAX]; /* why it is away or refuses, or how it took the login */
    uint64_t since_ms;           /* of the state */
    uint64_t connections, losses;
    uint64_t connect_ms; /* from the first packet to the login's answer; the last time */
    uint64_t reply_ms,
        reply_ms_max; /* from a share's leaving the outbox to its verdict */
    uint64_t jobs;
    uint64_t job_ms, accepted_ms; /* clock_ms() of the last job and of the last share
                                     taken; 0: none yet */
    double work; /* a share costs now, in multiply-accumulates; 0: no job yet */
    uint64_t accepted, stale, rejected;
    uint64_t unknown, lost;                       /* the answer never came; never sent */
    double accepted_work, accepted_work_assigned; /* the latter came out of tasks */
    uint64_t tasks_assigned, tasks_done, tasks_rejected, tasks_cancelled;
};

struct pool_ledger;
MUST_CHECK enum status pool_ledger_new(uint32_t count, struct pool_ledger **out);
void pool_ledger_free(struct pool_ledger *ledger); /* NULL is fine */
/* Before the first news: the texts are lent for the ledger's life. */
void pool_ledger_name(struct pool_ledger *ledger, uint32_t pool,
                      const struct pool_account *names);
void pool_ledger_add(struct pool_ledger *ledger, const struct news *news);
uint32_t pool_ledger_count(const struct pool_ledger *ledger);
void pool_ledger_read(struct pool_ledger *ledger, uint32_t pool,
                      struct pool_account *out);
/* Which part of the work that the pool took came out of tasks, 0 to 1; false: it took
 * none yet. */
bool pool_account_useful(const struct pool_account *account, double *out);

#endif
