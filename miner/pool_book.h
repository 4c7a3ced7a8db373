/*
 * pool_book.h - what the news of one pool of the list adds up to, for people.
 *
 * Plain data of the main thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_POOL_BOOK_H
#define MINERVA_MINER_POOL_BOOK_H

#include "pool-protocol/news.h"

enum { POOL_BOOK_WHY_SIZE = 160 };

enum pool_book_state {
    POOL_BOOK_AWAY,      /* not connected: it was not tried yet, or was lost */
    POOL_BOOK_CONNECTED, /* the login was taken */
    POOL_BOOK_REFUSED,   /* the login was not */
    POOL_BOOK_STATES
};

struct pool_book {
    enum pool_book_state state;
    bool is_current;                    /* the one that is worked for */
    uint64_t connects, disconnects;     /* logins taken; connections lost after one */
    uint64_t latency_ms;                /* of the last login */
    uint64_t connected_ms, job_ms;      /* clock_ms() of the last of each; 0: none yet */
    uint64_t accepted_ms;               /* ... of the last share accepted */
    uint64_t height;                    /* of the last job */
    double work;                        /* hashes a share costs under it */
    double accepted_work;               /* hashes that accepted shares stand for */
    uint64_t shares[VERDICT_LOST + 1];  /* by enum verdict */
    uint64_t results[VERDICT_LOST + 1]; /* finished tasks, the same */
    char why[POOL_BOOK_WHY_SIZE];       /* it was lost or refused; "": neither */
};

void pool_book_note(struct pool_book *book, const struct news *news);
const char *pool_book_state_name(enum pool_book_state state);

#endif
