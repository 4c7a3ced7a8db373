/*
 * executor_copy.c - copies that run beside their thread (cp.async).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

static void copy_bytes(const struct copy *copy)
{
    u8 *to = executor_block->current->member->shared + copy->to;

    memcpy(to, copy->from, copy->bytes);
    memset(to + copy->bytes, 0, copy->size - copy->bytes);
}

void executor_copy_async(u32 to, const void *from, u32 size, u32 bytes)
{
    struct block *b = executor_block;
    struct thread *t = b->current;
    const struct copy copy = {to, size, bytes, t->group, from};

    if (bytes > size)
        executor_fail("thread %u copies %u bytes of %u", t->index, bytes, size);
    if ((uintptr_t)from % size)
        executor_fail("misaligned: thread %u copies %u bytes from %p", t->index, size,
                      from);
    for (u32 i = 0; i < bytes; i += bytes % 4 ? 1 : 4)
        executor_access_global(t, (const u8 *)from + i, bytes % 4 ? 1 : 4, ACCESS_READ,
                               "copy_async");
    executor_claim_shared(t, t->member, to, size, "copy_async");
    if (t->copies_end - t->copies_begin == COPIES_MAX)
        executor_fail("thread %u has more than %u copies under way", t->index,
                      COPIES_MAX);
    t->copies[t->copies_end++ % COPIES_MAX] = copy;
    if (!b->mode->lands_late)
        copy_bytes(&copy);
}

void copy_async_commit(void)
{
    executor_block->current->group++;
}

void executor_copy_async_wait(u32 pending)
{
    struct block *b = executor_block;
    struct thread *t = b->current;

    while (t->copies_begin != t->copies_end) {
        const struct copy *copy = &t->copies[t->copies_begin % COPIES_MAX];

        if (copy->group + pending >= t->group)
            break;
        if (b->mode->lands_late)
            copy_bytes(copy);
        executor_land_shared(t->member, executor_seal(t->index, t->times[t->index]),
                             copy->to, copy->size);
        t->copies_begin++;
    }
}
