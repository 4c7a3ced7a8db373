/*
 * common_multiple.h - how far two periods go until both end together.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_COMMON_MULTIPLE_H
#define MINERVA_BACKENDS_COMMON_MULTIPLE_H

#include <stdint.h>

/* The least common multiple of two numbers above 0. */
static inline uint64_t common_multiple(uint64_t a, uint64_t b)
{
    uint64_t x = a, y = b;

    while (y) {
        const uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

#endif
