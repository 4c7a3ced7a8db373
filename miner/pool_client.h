/*
 * pool_client.h - what a requester asks of a pool over HTTP (task-pool.md sections 7 and
 * 8).
 *
 * Each call is one or two requests and their checked replies.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_POOL_CLIENT_H
#define MINERVA_MINER_POOL_CLIENT_H

#include "miner/models/artifact.h"
#include "pool-protocol/message_http.h"

struct pool_client {
    const char *url;   /* http://host:port, with or without a slash at its end */
    const char *token; /* bearer token, or NULL */
};

/* The tokenizer and the vocabulary of a model, by the hashes that its id stands for.
 * vocab is replaced. */
MUST_CHECK enum status pool_client_tokenizer(const struct pool_client *client,
                                             const char *model,
                                             struct tokenizer_info *info,
                                             struct blob *vocab, struct error *err);
MUST_CHECK enum status pool_client_submit(const struct pool_client *client,
                                          const struct http_submit *submit,
                                          char id[TASK_ID_SIZE + 1], struct error *err);
MUST_CHECK enum status pool_client_status(const struct pool_client *client,
                                          const char *id, struct http_task *out,
                                          struct error *err);
/* The result's bytes; AGAIN while the task runs, REFUSED with the reason when it failed,
 * MISMATCH when they are not what the pool's hash says.  checked receives who checked it.
 */
MUST_CHECK enum status pool_client_claim(const struct pool_client *client, const char *id,
                                         struct blob *out, char checked[16],
                                         struct error *err);

#endif
