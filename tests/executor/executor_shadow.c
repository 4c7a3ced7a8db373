/*
 * executor_shadow.c - clocks, and who touched which global byte last.
 *
 * To a seal a global access adds the serial number of its block: blocks of one launch are
 * ordered by nothing, launches by their order.  MANY: several blocks of it have read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"
#include "tests/executor/executor_memory.h"

#include <string.h>

#define MANY         ((u64)SEAL_PENDING)
#define SERIAL_SHIFT 32

void clock_join(u32 *into, const u32 *from)
{
    const u32 count = executor_block->places;

    for (u32 i = 0; i < count; i++)
        into[i] = into[i] > from[i] ? into[i] : from[i];
}

void clock_tick(struct thread *thread)
{
    if (++thread->times[thread->index] == SEAL_TIME_MAX)
        executor_fail("thread %u synchronised more than %u times", thread->index,
                      SEAL_TIME_MAX);
}

const char *executor_access_name(enum access access)
{
    static const char *const names[] = {"reads", "writes", "changes"};

    return names[access];
}

bool executor_is_known(const struct thread *thread, u32 place, u32 time)
{
    return thread->times[place] >= time;
}

static void global_bounds(const struct thread *t, const u8 *at, u32 size,
                          enum access access, const char *word)
{
    if (!executor_memory_has(at, size))
        executor_fail("out of bounds: thread %u %s %u bytes at %p in %s: no allocation",
                      t->index, executor_access_name(access), size, (const void *)at,
                      word);
    if ((uintptr_t)at % size)
        executor_fail("misaligned: thread %u %s %u bytes at %p in %s", t->index,
                      executor_access_name(access), size, (const void *)at, word);
}

/* Whether a past access to a global byte can collide with one of this thread now. */
static bool global_collides(const struct thread *t, u64 past, bool atomic)
{
    const struct block *b = executor_block;
    const u64 serial = past >> SERIAL_SHIFT;

    if (serial < b->serial_first || (atomic && past & SEAL_ATOMIC))
        return false;
    return past & MANY || serial != b->serial || !seal_is_before((u32)past, t);
}

static void global_check(const struct thread *t, const u8 *at, u64 past,
                         enum access access, const char *word)
{
    if (!global_collides(t, past, access == ACCESS_ATOMIC))
        return;
    executor_fail(
        "race: thread %u %s global byte %p in %s; thread %u of %s touched it and "
        "nothing orders the two",
        t->index, executor_access_name(access), (const void *)at, word,
        seal_place((u32)past),
        past >> SERIAL_SHIFT == executor_block->serial ? "this block" : "another block");
}

static void global_read(u64 *read, u64 now)
{
    const struct block *b = executor_block;
    const u64 serial = *read >> SERIAL_SHIFT;

    if (serial >= b->serial_first) {
        if (serial != b->serial)
            now |= MANY;
        now |= *read & MANY;
        if (now & MANY)
            now &= *read | ~(u64)SEAL_ATOMIC;
    }
    *read = now;
}

static void global_access(const struct thread *t, struct global_cell *cell, const u8 *at,
                          enum access access, const char *word)
{
    const u64 now = executor_block->serial << SERIAL_SHIFT |
                    executor_seal(t->index, t->times[t->index]) |
                    (access == ACCESS_ATOMIC ? SEAL_ATOMIC : 0);

    if (cell->write != now)
        global_check(t, at, cell->write, access, word);
    if (access == ACCESS_READ) {
        global_read(&cell->read, now);
        return;
    }
    global_check(t, at, cell->read, access, word);
    cell->write = now;
    cell->read = 0;
}

void executor_access_global(const struct thread *t, const u8 *at, u32 size,
                            enum access access, const char *word)
{
    struct global_cell *cells, before, after;

    global_bounds(t, at, size, access, word);
    cells = executor_memory_cells(at);
    for (u32 i = 0; i < size; i++) {
        if (i && cells[i].write == before.write && cells[i].read == before.read) {
            cells[i] = after;
            continue;
        }
        before = cells[i];
        global_access(t, &cells[i], at + i, access, word);
        after = cells[i];
    }
}

void executor_access(const struct thread *t, const void *at, u32 size, enum access access,
                     const char *word)
{
    const u8 *byte = at;
    const u8 *shared = t->member->shared;

    if (byte >= shared - SHARED_MAX && byte < shared + 2 * SHARED_MAX)
        executor_access_shared(t, (u32)(byte - shared), size, access, word);
    else
        executor_access_global(t, byte, size, access, word);
}
