/*
 * clock.c - time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/clock.h"

#include <time.h>

static uint64_t clock_read_ns(clockid_t id)
{
    struct timespec now = {0};

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_ms(void)
{
    return clock_ns() / 1000000U;
}

uint64_t clock_wall_s(void)
{
    return clock_read_ns(CLOCK_REALTIME) / 1000000000U;
}
