/*
 * http_api.h - the pool over HTTP: requesters under /v1, bytes by their hash under
 * /artifacts.
 *
 * /v1 wants the bearer token, or a loopback peer where there is no token.  GET of
 * artifacts is free; PUT is for sessions that hold a task whose result has exactly that
 * size.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_HTTP_API_H
#define MINERVA_POOL_HTTP_API_H

#include <stdint.h>

#include "miner/base/error.h"

struct pool;
struct http_api;
MUST_CHECK enum status http_api_open(struct pool *pool, const char *address,
                                     struct http_api **out, struct error *err);
void http_api_close(struct http_api *api); /* NULL is fine */
uint16_t http_api_port(const struct http_api *api);
const char *http_api_host(const struct http_api *api);

#endif
