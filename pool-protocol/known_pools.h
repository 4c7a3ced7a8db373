/*
 * known_pools.h - pools by name: where they are, how they want the user, when they count
 * as silent (known_pools.def).
 *
 * Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_KNOWN_POOLS_H
#define MINERVA_PROTOCOL_KNOWN_POOLS_H

#include <stdint.h>

#include "pool-protocol/user.h"

#define KNOWN_POOL_SCHEME "pool:"

/* In what a pool differs from most. */
enum pool_manner {
    MANNER_NONE = 0,
    MANNER_JSONRPC = 1, /* requests name their version of JSON-RPC */
    MANNER_GZIP = 2,    /* proofs come in gzip, if that is agreed */
    MANNER_PASSWORD = 4 /* the password is called so, and not pass */
};

struct known_pool {
    const char *name;
    const char *url;
    enum user_form form;
    uint32_t job_timeout_s;
    uint32_t manners;        /* enum pool_manner, added up */
    uint64_t difficulty_min; /* that a password may ask for; 0: it asks for none */
    const char *pin;         /* of its key, where nobody else vouches for it; "": none */
};

/* The pool of a URL that is "pool:NAME"; NULL where it is none, and with a sentence in
 * err where the name is not known. */
const struct known_pool *known_pool_find(const char *url, struct error *err);
/* The index-th, in the order of the table; NULL after the last. */
const struct known_pool *known_pool_at(uint32_t index);

#endif
