/*
 * pool_target.h - what a person wrote for a pool, as a place to connect to and a login.
 *
 * Everything is judged here, before the first connection.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_TARGET_H
#define MINERVA_PROTOCOL_POOL_TARGET_H

#include "pool-protocol/pool.h"
#include "pool-protocol/pool_url.h"

enum { POOL_PIN_MAX = 127, POOL_PATH_MAX = 107 /* of a Unix socket */ };

struct pool_target {
    const struct dialect_row *row;
    bool may_be_plain; /* nobody said how: TLS is tried first */
    char host[POOL_HOST_MAX + 1];
    uint16_t port;                /* 0 where there is no socket */
    char pin[POOL_PIN_MAX + 1];   /* "" for none: certificates are checked */
    char path[POOL_PATH_MAX + 1]; /* of a Unix socket, instead of host and port; or "" */
    struct dialect_login login;
};

/* BAD_CONFIG with a sentence; REFUSED for an address that cannot be paid. */
MUST_CHECK enum status pool_target_read(const struct pool_options *options,
                                        struct pool_target *out, struct error *err);

#endif
