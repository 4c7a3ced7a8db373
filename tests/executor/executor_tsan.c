/*
 * executor_tsan.c - the callbacks of -fsanitize=thread: every load and store of a kernel
 * that is not a word of ptx.h.
 *
 * A fiber's own stack and constants of the program are nobody's business; any other
 * address has to be device memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_memory.h"
#include "tests/executor/executor_shadow.h"

#include <dlfcn.h>
#include <string.h>

/* Loads of constants: the program's own read-only data. */
static bool is_constant(const void *at)
{
    const u8 *shared = executor_block->current->member->shared;
    Dl_info info;

    if (executor_memory_near(at) || ((const u8 *)at >= shared - SHARED_MAX &&
                                     (const u8 *)at < shared + 2 * SHARED_MAX))
        return false;
    return dladdr(at, &info) != 0;
}

static void executor_seen(const void *at, u32 size, enum access access,
                          const void *caller)
{
    static const char *const words[] = {"a load", "a store", "an atomic"};
    const struct block *b = executor_block;
    const u8 *stack = b->stacks + (size_t)b->current->index * STACK_SIZE;
    const u8 *byte = at;

    if (byte >= stack && byte < stack + STACK_SIZE) {
        if (wgmma_owns(b->current, at))
            executor_fail("too early: thread %u touches accumulators before wgmma_wait",
                          b->current->index);
        return;
    }
    if (access == ACCESS_READ && is_constant(at))
        return;
    executor_block->caller = caller;
    executor_access(b->current, at, size, access, words[access]);
    executor_block->caller = NULL;
}

#define CALLER __builtin_return_address(0)

#define SEEN(size)                                                                       \
    void __tsan_read##size(void *at);                                                    \
    void __tsan_write##size(void *at);                                                   \
    void __tsan_unaligned_read##size(void *at);                                          \
    void __tsan_unaligned_write##size(void *at);                                         \
    void __tsan_read_write##size(void *at);                                              \
    void __tsan_read##size(void *at)                                                     \
    {                                                                                    \
        executor_seen(at, size, ACCESS_READ, CALLER);                                    \
    }                                                                                    \
    void __tsan_write##size(void *at)                                                    \
    {                                                                                    \
        executor_seen(at, size, ACCESS_WRITE, CALLER);                                   \
    }                                                                                    \
    void __tsan_unaligned_read##size(void *at)                                           \
    {                                                                                    \
        executor_seen(at, size, ACCESS_READ, CALLER);                                    \
    }                                                                                    \
    void __tsan_unaligned_write##size(void *at)                                          \
    {                                                                                    \
        executor_seen(at, size, ACCESS_WRITE, CALLER);                                   \
    }                                                                                    \
    void __tsan_read_write##size(void *at)                                               \
    {                                                                                    \
        executor_seen(at, size, ACCESS_WRITE, CALLER);                                   \
    }
SEEN(1)
SEEN(2)
SEEN(4)
SEEN(8)
SEEN(16)

#define UNSEEN(name)                                                                     \
    void name(void *at);                                                                 \
    void name(void *at)                                                                  \
    {                                                                                    \
        (void)at;                                                                        \
    }
UNSEEN(__tsan_init)
UNSEEN(__tsan_func_entry)
UNSEEN(__tsan_func_exit)

#define RANGE(name, access)                                                              \
    void name(u8 *at, unsigned long size);                                               \
    void name(u8 *at, unsigned long size)                                                \
    {                                                                                    \
        for (unsigned long i = 0; i < size; i++)                                         \
            executor_seen(at + i, 1, access, CALLER);                                    \
    }
RANGE(__tsan_read_range, ACCESS_READ)
RANGE(__tsan_write_range, ACCESS_WRITE)

static void *move_bytes(u8 *to, u8 *from, unsigned long size)
{
    __tsan_read_range(from, size);
    return memmove(to, from, size);
}

/* Newer compilers' own moves. */
#define MOVE(name, move, type)                                                           \
    void *__tsan_##name(u8 *to, type from, unsigned long size);                          \
    void *__tsan_##name(u8 *to, type from, unsigned long size)                           \
    {                                                                                    \
        __tsan_write_range(to, size);                                                    \
        return move(to, from, size);                                                     \
    }
MOVE(memset, memset, int)
MOVE(memcpy, move_bytes, u8 *)
MOVE(memmove, move_bytes, u8 *)

/* The few atomics of the shared texts and of ptx.h's words. */
#define ATOMICS(bits, type)                                                              \
    type __tsan_atomic##bits##_load(const type *at, int order);                          \
    int __tsan_atomic##bits##_compare_exchange_strong(type *at, type *old, type x,       \
                                                      int order, int otherwise);         \
    type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type x,          \
                                                    int order, int otherwise);           \
    type __tsan_atomic##bits##_load(const type *at, int order)                           \
    {                                                                                    \
        (void)order;                                                                     \
        executor_seen(at, bits / 8, ACCESS_ATOMIC, CALLER);                              \
        return __atomic_load_n(at, __ATOMIC_RELAXED);                                    \
    }                                                                                    \
    type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type x,          \
                                                    int order, int otherwise)            \
    {                                                                                    \
        (void)order;                                                                     \
        (void)otherwise;                                                                 \
        executor_seen(at, bits / 8, ACCESS_ATOMIC, CALLER);                              \
        __atomic_compare_exchange_n(at, &old, x, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
        return old;                                                                      \
    }                                                                                    \
    int __tsan_atomic##bits##_compare_exchange_strong(type *at, type *old, type x,       \
                                                      int order, int otherwise)          \
    {                                                                                    \
        const type seen =                                                                \
            __tsan_atomic##bits##_compare_exchange_val(at, *old, x, order, otherwise);   \
        const int same = seen == *old;                                                   \
                                                                                         \
        *old = seen;                                                                     \
        return same;                                                                     \
    }
ATOMICS(32, u32)
ATOMICS(64, u64)
