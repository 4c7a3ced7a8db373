/*
 * way_untried.c - names what could be tried.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/way_untried.h"

#include <stdio.h>
#include <string.h>

bool way_untried_text(const struct device_info *info, char text[WAY_UNTRIED_SIZE])
{
    uint32_t count = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < info->ways.count; i++) {
        const struct way *way = &info->ways.list[i];
        const size_t size = strlen(text);

        if (way->state == WAY_UNTRIED)
            snprintf(text + size, WAY_UNTRIED_SIZE - size, "%s%s", count++ ? ", " : "",
                     way->name);
    }
    const size_t size = strlen(text);
    snprintf(text + size, WAY_UNTRIED_SIZE - size,
             " %s not tried on this card yet: minerva selftest --trial",
             count == 1 ? "was" : "were");
    return count > 0;
}
