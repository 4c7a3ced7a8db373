/*
 * kernel_cache.h - where kernels that were compiled for this machine's devices are kept.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_KERNEL_CACHE_H
#define MINERVA_MINER_KERNEL_CACHE_H

#include <stdbool.h>

enum { KERNEL_CACHE_MAX = 192 };

/* For struct device_options: a folder below the cache (NULL: ~/.cache/minerva, or what
 * XDG_CACHE_HOME says), written to out; NULL when nothing is to be kept. */
const char *kernel_cache_folder(const char *cache, bool is_off,
                                char out[KERNEL_CACHE_MAX]);

#endif
