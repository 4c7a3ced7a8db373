/*
 * executor_words.c - the words that involve one thread: who am I, integers, wide loads
 * and stores, atomics.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

u8 *executor_shared(void)
{
    return executor_block->current->member->shared;
}

#define TELLS(name, value)                                                               \
    u32 name(void)                                                                       \
    {                                                                                    \
        return value;                                                                    \
    }
TELLS(cluster_rank, executor_block->current->member->rank)
TELLS(thread_index, executor_block->current->index % executor_block->width)
TELLS(thread_count, executor_block->width)
TELLS(block_index, executor_block->index[0] + cluster_rank())
TELLS(block_index_y, executor_block->index[1])
TELLS(block_index_z, executor_block->index[2])
TELLS(block_count, executor_block->launch->grid[0])
TELLS(block_count_y, executor_block->launch->grid[1])
TELLS(block_count_z, executor_block->launch->grid[2])

i32 dp4a(u32 a, u32 b, i32 c)
{
    u32 sum = (u32)c;

    for (u32 i = 0; i < 32; i += 8)
        sum += (u32)((i32)(i8)(a >> i) * (i32)(i8)(b >> i));
    return (i32)sum;
}

/* Selector digit i: bits 0-2 choose a byte of b:a for byte i, bit 3 spreads its sign. */
u32 prmt(u32 a, u32 b, u32 selector)
{
    const u64 both = (u64)b << 32 | a;
    u32 out = 0;

    for (u32 i = 0; i < 4; i++) {
        const u32 digit = selector >> (4 * i) & 15;
        u32 byte = (u32)(both >> (digit % 8 * 8)) & 255;

        if (digit & 8)
            byte = byte & 128 ? 255 : 0;
        out |= byte << (8 * i);
    }
    return out;
}

u32 rotate_left(u32 x, u32 by)
{
    return x << (by & 31) | x >> ((32 - by) & 31);
}

u32 rotate_right(u32 x, u32 by)
{
    return rotate_left(x, 32 - (by & 31));
}

u32 mul_high(u32 a, u32 b)
{
    return (u32)((u64)a * b >> 32);
}

u32 population(u32 x)
{
    u32 count = 0;

    for (; x; x &= x - 1)
        count++;
    return count;
}

u32 leading_zeros(u32 x)
{
    u32 count = 32;

    for (; x; x >>= 1)
        count--;
    return count;
}

u32 executor_lop3(u32 a, u32 b, u32 c, u32 table)
{
    u32 out = 0;

    for (u32 i = 0; i < 32; i++) {
        const u32 row = (a >> i & 1) * 4 + (b >> i & 1) * 2 + (c >> i & 1);

        out |= (table >> row & 1) << i;
    }
    return out;
}

u32 xor3(u32 a, u32 b, u32 c)
{
    return a ^ b ^ c;
}

#define MOVES(load, store, size)                                                         \
    void load(u32 *to, const void *from)                                                 \
    {                                                                                    \
        executor_access(executor_block->current, from, size, ACCESS_READ, #load);        \
        memcpy(to, from, size);                                                          \
    }                                                                                    \
    void store(void *to, const u32 *from)                                                \
    {                                                                                    \
        executor_access(executor_block->current, to, size, ACCESS_WRITE, #store);        \
        memcpy(to, from, size);                                                          \
    }
MOVES(load_8, store_8, 8)
MOVES(load_16, store_16, 16)
MOVES(load_stream_8, store_stream_8, 8)
MOVES(load_stream_16, store_stream_16, 16)

void prefetch_l2(const void *from)
{
    (void)from; /* any address may be prefetched */
}

#define CHANGES(name, type, new)                                                         \
    type name(type *word, type x)                                                        \
    {                                                                                    \
        type old;                                                                        \
                                                                                         \
        executor_access(executor_block->current, word, sizeof *word, ACCESS_ATOMIC,      \
                        #name);                                                          \
        old = *word;                                                                     \
        *word = (new);                                                                   \
        return old;                                                                      \
    }
CHANGES(atomic_add, u32, old + x)
CHANGES(atomic_min, u32, old < x ? old : x)
CHANGES(atomic_max, u32, old > x ? old : x)
CHANGES(atomic_and, u32, old &x)
CHANGES(atomic_or, u32, old | x)
CHANGES(atomic_xor, u32, old ^ x)
CHANGES(atomic_exchange, u32, x)
CHANGES(atomic_add_64, u64, old + x)
CHANGES(atomic_min_64, u64, old < x ? old : x)

u32 atomic_replace(u32 *word, u32 old, u32 x)
{
    u32 seen;

    executor_access(executor_block->current, word, sizeof *word, ACCESS_ATOMIC,
                    "atomic_replace");
    seen = *word;
    if (seen == old)
        *word = x;
    return seen;
}

u32 load_relaxed(const u32 *word)
{
    executor_access(executor_block->current, word, sizeof *word, ACCESS_ATOMIC,
                    "load_relaxed");
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

void store_relaxed(u32 *word, u32 x)
{
    executor_access(executor_block->current, word, sizeof *word, ACCESS_ATOMIC,
                    "store_relaxed");
    __atomic_store_n(word, x, __ATOMIC_RELAXED);
}

void memory_fence(void)
{
    /* Orders nothing here: what one block tells another passes through atomics alone. */
}
