/*
 * address.c - "HOST:PORT" as people write it.
 *
 * SPDX-License-Identifier: MIT
 */
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
