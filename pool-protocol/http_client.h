/*
 * http_client.h - one HTTP request and its whole reply, bounded in size and time.
 *
 * For bodies that fit memory: /v1 of a pool, manifests, vocabularies.  No redirects, no
 * cookies, no proxy out of the environment.  Calls block; any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_PROTOCOL_HTTP_CLIENT_H
#define MINERVA_POOL_PROTOCOL_HTTP_CLIENT_H

#include "miner/base/bytes.h"

struct http_request {
    const char *url;   /* http:// or https:// */
    const char *token; /* bearer token, or NULL */
    const char *type;  /* of the body, which makes it a POST; NULL: a GET */
    struct bytes body;
    uint32_t timeout_s; /* for all of it */
};

struct http_reply {
    uint32_t code;             /* 200 ... */
    struct blob headers, body; /* owned; born with their maxima by http_reply_empty() */
};

struct http_reply http_reply_empty(size_t body_size_max);
void http_reply_free(struct http_reply *reply);

/* OK with any code that the server answered; NETWORK with a sentence where it did not,
 * FULL where the reply passes its maximum. */
MUST_CHECK enum status http_client_call(const struct http_request *request,
                                        struct http_reply *out, struct error *err);
/* The value of a header, cut to its room; "" where there is none. */
void http_reply_header(const struct http_reply *reply, const char *name, char *out,
                       size_t cap);

#endif
