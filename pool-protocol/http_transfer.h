/*
 * http_transfer.h - one HTTP transfer of many bytes: streamed, continued, stopped.
 *
 * For artifacts and results; small requests are http_client.h's.  Blocks until it is
 * over; any thread.  Certificates are always checked, redirects are not followed, only
 * http and https are spoken.  10 s to connect; a transfer that stands still for 30 s is
 * over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_HTTP_TRANSFER_H
#define MINERVA_PROTOCOL_HTTP_TRANSFER_H

#include <stdatomic.h>

#include "miner/base/bytes.h"

/* Takes a piece of the body of a reply with status 200 or 206; anything but OK ends the
 * transfer with that status.  offset is where the piece lies in the whole. */
typedef enum status transfer_sink(void *context, uint64_t offset, struct bytes piece);

struct transfer_request {
    const char *url;
    const char *token;   /* bearer token, or NULL */
    const char *proxy;   /* or NULL: a direct connection, whatever the environment says */
    const char *ca_file; /* or NULL: the system's certificates */
    bool is_put;
    struct bytes body; /* PUT */
    uint64_t
        offset; /* GET: from here on; a server that cannot begins at 0 all the same */
    uint64_t size_max;   /* of the whole body of the reply */
    transfer_sink *sink; /* GET */
    void *context;
    const atomic_bool *stop; /* ends the transfer with CANCELLED; NULL: nothing does */
};

struct transfer_reply {
    int code;       /* 200 ... */
    char text[256]; /* the beginning of the body of a refusal, for people */
};

/* OK: there is a reply, whatever its code. NETWORK or TIMEOUT: there is none, or not the
 * whole; FULL: it is too long. */
MUST_CHECK enum status http_transfer(const struct transfer_request *request,
                                     struct transfer_reply *reply, struct error *err);

#endif
