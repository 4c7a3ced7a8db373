/*
 * kernel_cache.c - where compiled kernels are kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>

const char *kernel_cache_folder(const char *cache, bool is_off,
                                char out[KERNEL_CACHE_MAX])
{
    const char *given = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (is_off)
        return NULL;
    if (cache && *cache)
        snprintf(out, KERNEL_CACHE_MAX, "%.160s/kernels", cache);
    else if (given && *given)
        snprintf(out, KERNEL_CACHE_MAX, "%.140s/minerva/kernels", given);
    else if (home && *home)
        snprintf(out, KERNEL_CACHE_MAX, "%.140s/.cache/minerva/kernels", home);
    else
        return NULL;
    return out;
}
