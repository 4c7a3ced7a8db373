/*
 * requests.h - what requesters send and ask: a task in, its state, its output.
 *
 * These take the pool's lock themselves.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_REQUESTS_H
#define MINERVA_POOL_REQUESTS_H

#include "pool-protocol/message_http.h"
#include "pool/pool_state.h"

enum { REQUEST_ROWS_MAX = 65536 }; /* token rows; a longer request is split at items */

/* Checks, splits where it must, stores, answers the id.  BAD_DATA and friends: the
 * request's fault; AGAIN, FULL, IO: the pool's. */
MUST_CHECK enum status request_add(struct pool *pool, const struct http_submit *submit,
                                   char id[TASK_ID_SIZE + 1], struct error *err);
/* NOT_FOUND. */
MUST_CHECK enum status request_state(struct pool *pool, const char *id,
                                     struct http_task *out, struct error *err);
struct request_output {
    char result_hash[65];
    char worker[WALLET_MAX + WORKER_MAX + 2];
    const char *checked; /* "pool" or "none" */
    struct blob data;    /* owned by the caller */
};
/* OK; AGAIN: it runs; CLOSED: it failed (why in err); NOT_FOUND. */
MUST_CHECK enum status request_output(struct pool *pool, const char *id,
                                      struct request_output *out, struct error *err);
MUST_CHECK enum status request_status(struct pool *pool, struct http_status *out,
                                      struct error *err);
/* A child came to its end: the parent may, too.  The lock is not held. */
void request_join(struct pool *pool, const char *parent);
/* All parents that a restart left behind. */
void request_join_all(struct pool *pool);

#endif
