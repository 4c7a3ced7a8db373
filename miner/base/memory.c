/*
 * memory.c - the only place that asks the system for memory.
 *
 * The countdown that makes a request fail is the one mutable global of the program: a
 * test hook that must reach every allocation without threading a handle through all of
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* a cache line, an AVX-512 register */

static atomic_uint_fast64_t fail_countdown;

void memory_fail_at(uint64_t n)
{
    atomic_store(&fail_countdown, n);
}

static bool is_chosen_to_fail(void)
{
    uint_fast64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);

    while (left) {
        if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
            return left == 1;
    }
    return false;
}

void *memory_array(size_t count, size_t size)
{
    size_t total;
    void *pointer;

    if (__builtin_mul_overflow(count, size, &total) || total > SIZE_MAX - ALIGNMENT)
        return NULL;
    if (is_chosen_to_fail())
        return NULL;
    total = total ? (total + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    pointer = aligned_alloc(ALIGNMENT, total);
    if (pointer)
        memset(pointer, 0, total);
    return pointer;
}

void memory_free(void *pointer)
{
    free(pointer);
}

char *memory_text(const char *text)
{
    size_t size;
    char *copy;

    if (!text)
        return NULL;
    size = strlen(text) + 1;
    copy = memory_array(size, 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}
