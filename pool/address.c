/*
 * address.c - "HOST:PORT" as people write it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "pool/server.h"

enum status address_split(const char *address, char host[SERVER_ADDRESS_MAX],
                          uint16_t *port, struct error *err)
{
    const char *colon = strrchr(address, ':');
    const char *first = address, *end = colon;
    uint64_t number;

    if (!colon || !u64_parse(colon + 1, 65535, &number))
        return error_set(err, STATUS_USAGE, "\"%s\": expected ADDRESS:PORT", address);
    if (*first == '[' && end > first && end[-1] == ']') {
        first++;
        end--;
    } else if (memchr(first, ':', (size_t)(end - first))) {
        return error_set(err, STATUS_USAGE,
                         "\"%s\": write an IPv6 address as [ADDRESS]:PORT", address);
    }
    const size_t size = (size_t)(end - first);
    if (!size || size >= SERVER_ADDRESS_MAX)
        return error_set(err, STATUS_USAGE, "\"%s\": expected ADDRESS:PORT", address);
    memcpy(host, first, size);
    host[size] = 0;
    *port = (uint16_t)number;
    return STATUS_OK;
}

enum status address_resolve(const char *address, struct addrinfo **out, struct error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[SERVER_ADDRESS_MAX], text[8];
    uint16_t port;
    const enum status status = address_split(address, host, &port, err);

    if (status)
        return status;
    snprintf(text, sizeof text, "%u", port);
    const int code = getaddrinfo(host, text, &hints, out);
    if (code)
        return error_set(err, STATUS_USAGE, "\"%s\": %s", address, gai_strerror(code));
    return STATUS_OK;
}
