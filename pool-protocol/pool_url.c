/*
 * pool_url.c - host and port out of what a person wrote for a pool.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool_url.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/bytes.h"

/* The host into host; what follows it is returned, NULL when it is no host. */
static const char *url_host(const char *from, char host[POOL_HOST_MAX + 1])
{
    const bool is_number6 = *from == '[';
    const char *end = is_number6 ? strchr(from, ']') : from + strcspn(from, ":/");
    const char *start = from + is_number6;

    if (!end || end == start || end - start > POOL_HOST_MAX)
        return NULL;
    snprintf(host, POOL_HOST_MAX + 1, "%.*s", (int)(end - start), start);
    for (const char *p = host; *p; p++) {
        if ((unsigned char)*p <= ' ' || strchr("@\\?#%\"<>[]", *p) ||
            (*p == ':' && !is_number6))
            return NULL;
    }
    return end + is_number6;
}

enum status pool_url_parse(const char *url, uint16_t port_default,
                           char host[POOL_HOST_MAX + 1], uint16_t *port,
                           struct error *err)
{
    const char *rest = strstr(url, "://");
    uint64_t number = port_default;
    char digits[8] = "";

    rest = rest ? url_host(rest + 3, host) : NULL;
    if (rest && *rest == ':') {
        const size_t size = strcspn(rest + 1, "/");

        snprintf(digits, sizeof digits, "%.*s", (int)(size < 7 ? size : 7), rest + 1);
        if (!u64_parse(digits, UINT16_MAX, &number))
            rest = NULL;
        else
            rest += 1 + size;
    }
    if (!rest || (strcmp(rest, "") && strcmp(rest, "/")) || !number)
        return error_set(err, STATUS_BAD_CONFIG,
                         "the pool's URL is \"%s\", expected SCHEME://HOST:PORT", url);
    *port = (uint16_t)number;
    return STATUS_OK;
}
