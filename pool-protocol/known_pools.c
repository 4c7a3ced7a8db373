/*
 * known_pools.c - the table of known_pools.def.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/known_pools.h"

#include <string.h>

static const struct known_pool known_pools[] = {
#define POOL(name, url, form, job_timeout_s, manner, difficulty_min, pin)                \
    {name, url, USER_##form, job_timeout_s, MANNER_##manner, difficulty_min, pin},
#include "pool-protocol/known_pools.def"
#undef POOL
};

enum { KNOWN_POOL_COUNT = sizeof known_pools / sizeof *known_pools };

const struct known_pool *known_pool_at(uint32_t index)
{
    return index < KNOWN_POOL_COUNT ? &known_pools[index] : NULL;
}

const struct known_pool *known_pool_find(const char *url, struct error *err)
{
    const size_t size = strlen(KNOWN_POOL_SCHEME);

    if (strncmp(url, KNOWN_POOL_SCHEME, size))
        return NULL;
    for (uint32_t i = 0; i < KNOWN_POOL_COUNT; i++) {
        if (!strcmp(known_pools[i].name, url + size))
            return &known_pools[i];
    }
    error_fill(err, STATUS_BAD_CONFIG,
               "no pool is known as \"%.80s\"; `minerva mine --help` lists them, and "
               "SCHEME://HOST:PORT reaches the others",
               url + size);
    return NULL;
}
