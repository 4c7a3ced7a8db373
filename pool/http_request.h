/*
 * http_request.h - one request, and how it is answered; shared by the http_*.c files
 * alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_HTTP_REQUEST_H
#define MINERVA_POOL_HTTP_REQUEST_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "pool/http_api.h"
#include "pool/pool_state.h"

enum { HTTP_BODIES_MAX = 256 << 20 }; /* of all requests that are being received */

struct http_api {
    struct pool *pool;
    struct MHD_Daemon *daemon;
    uint16_t port;
    char host[SERVER_ADDRESS_MAX + 2];
    _Atomic uint64_t bodies; /* bytes promised for bodies now */
};

struct http_request {
    struct http_api *api;
    struct MHD_Connection *connection;
    const char *method, *url;
    uint64_t promised; /* of the body */
    struct blob body;
};

/* Each queues a response. */
enum MHD_Result http_error(struct http_request *request, unsigned code,
                           const char *reason);
enum MHD_Result http_json(struct http_request *request, unsigned code,
                          struct blob *body); /* frees body */
/* data is lent for the pool's life, or owned and freed with memory_free(); Range is
 * obeyed. */
enum MHD_Result http_bytes(struct http_request *request, struct bytes data,
                           bool is_owned);

/* "bytes=A-B", "bytes=A-", "bytes=-N": OK with first and count; NOT_FOUND for none or one
 * that is not understood (then all is sent); REFUSED for one outside. */
enum status http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *count);

/* Before the body: 0, or the code and sentence to refuse with. */
unsigned http_v1_admits(const struct http_request *request, uint64_t size,
                        const char **reason);
unsigned http_artifacts_admits(const struct http_request *request, bool has_size,
                               uint64_t size, const char **reason);
enum MHD_Result http_v1_answer(struct http_request *request);
enum MHD_Result http_artifacts_answer(struct http_request *request);
/* The bearer token of the request, or NULL. */
const char *http_bearer(const struct http_request *request);

#endif
