/*
 * pool_url.h - host and port out of what a person wrote for a pool.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_URL_H
#define MINERVA_PROTOCOL_POOL_URL_H

#include <stdint.h>

#include "miner/base/error.h"

enum { POOL_HOST_MAX = 255 };

/* url is scheme://host[:port] or scheme://[v6][:port], perhaps with one slash at the end;
 * port_default 0: it must name one. */
MUST_CHECK enum status pool_url_parse(const char *url, uint16_t port_default,
                                      char host[POOL_HOST_MAX + 1], uint16_t *port,
                                      struct error *err);

#endif
