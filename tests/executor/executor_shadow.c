/*
 * executor_shadow.c - who touched which byte last, and whether anything ordered it.
 *
 * A shared cell's access is PENDING (a copy under way), ATOMIC, its place and its count.
 * A global one adds the serial number of its block: blocks of one launch are ordered by
 * nothing, launches by their order.  MANY: several blocks of the launch have read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"
#include "tests/executor/executor_memory.h"

#include <string.h>

#define TIME_BITS    19
#define PLACE_BITS   11
#define TIME_MAX     ((1u << TIME_BITS) - 1)
#define ATOMIC       (1u << 30)
#define PENDING      (1u << 31)
#define MANY         ((u64)PENDING)
#define SERIAL_SHIFT 32

u32 executor_seal(u32 place, u32 time)
{
    return place << TIME_BITS | time;
}

static u32 seal_place(u32 seal)
{
    return seal >> TIME_BITS & ((1u << PLACE_BITS) - 1);
}

void clock_join(u32 *into, const u32 *from)
{
    const u32 count = executor_block->places;

    for (u32 i = 0; i < count; i++)
        into[i] = into[i] > from[i] ? into[i] : from[i];
}

void clock_tick(struct thread *thread)
{
    if (++thread->times[thread->index] == TIME_MAX)
        executor_fail("thread %u synchronised more than %u times", thread->index,
                      TIME_MAX);
}

static bool is_before(u32 seal, const struct thread *thread)
{
    return thread->times[seal_place(seal)] >= (seal & TIME_MAX);
}

static const char *place_name(u32 seal)
{
    return seal_place(seal) < executor_block->threads ? "thread" : "the copy of mbarrier";
}

static u32 place_number(u32 seal)
{
    const u32 threads = executor_block->threads, place = seal_place(seal);

    return place < threads ? place : place - threads;
}

static const char *access_name(enum access access)
{
    static const char *const names[] = {"reads", "writes", "changes"};

    return names[access];
}

static void shared_bounds(const struct thread *t, u32 at, u32 size, enum access access,
                          const char *word)
{
    const u32 end = executor_block->launch->shared_bytes;

    if (at > end || size > end - at)
        executor_fail("out of bounds: thread %u %s shared bytes %d to %d of %u in %s",
                      t->index, access_name(access), (int)at, (int)(at + size - 1), end,
                      word);
    if (at % size)
        executor_fail("misaligned: thread %u %s %u bytes at shared offset %u in %s",
                      t->index, access_name(access), size, at, word);
}

static _Noreturn void shared_race(const struct thread *t, u32 at, u32 other,
                                  enum access access, const char *before,
                                  const char *word)
{
    executor_fail(
        "race: thread %u %s shared byte %u in %s; %s %u %s it and nothing orders "
        "the two",
        t->index, access_name(access), at, word, place_name(other), place_number(other),
        before);
}

static void shared_after_write(const struct thread *t, u32 at, u32 write,
                               enum access access, const char *word)
{
    if (write & PENDING)
        executor_fail(
            "too early: thread %u %s shared byte %u in %s while the copy that %s %u "
            "began is under way",
            t->index, access_name(access), at, word, place_name(write),
            place_number(write));
    if (write && !is_before(write, t) && !(access == ACCESS_ATOMIC && write & ATOMIC))
        shared_race(t, at, write, access, "wrote", word);
}

static void shared_after_reads(const struct thread *t, u32 at, const u32 *reads,
                               enum access access, const char *word)
{
    for (u32 i = 0; i < READERS && reads[i]; i++) {
        if (reads[i] & PENDING)
            executor_fail(
                "too early: thread %u %s shared byte %u in %s while the wgmma of "
                "thread %u reads it",
                t->index, access_name(access), at, word, place_number(reads[i]));
        if (!is_before(reads[i], t) && !(access == ACCESS_ATOMIC && reads[i] & ATOMIC))
            shared_race(t, at, reads[i], access, "reads", word);
    }
}

/* Takes the place of a read that is ordered before this one, or of any. */
static void shared_read(const struct thread *t, struct shared_cell *cell, u32 now)
{
    u32 i = 0;

    while (i < READERS && cell->reads[i] && cell->reads[i] != now &&
           !(is_before(cell->reads[i], t) && !(cell->reads[i] & PENDING)))
        i++;
    cell->reads[i < READERS ? i : now % READERS] = now;
}

/* What an access does to a byte's cell. */
static void cell_access(const struct thread *t, struct shared_cell *cell, u32 at, u32 now,
                        enum access access, const char *word)
{
    if (cell->write != now)
        shared_after_write(t, at, cell->write, access, word);
    if (access != ACCESS_WRITE && !cell->write)
        executor_fail("thread %u %s shared byte %u in %s, which nobody wrote", t->index,
                      access_name(access), at, word);
    if (access == ACCESS_READ) {
        shared_read(t, cell, now);
        return;
    }
    shared_after_reads(t, at, cell->reads, access, word);
    memset(cell, 0, sizeof *cell);
    cell->write = now;
}

/* Neighbours mostly have the same past: then they have the same future. */
static bool cell_repeats(struct shared_cell *cell, const struct shared_cell *before,
                         const struct shared_cell *after)
{
    if (memcmp(cell, before, sizeof *cell) != 0)
        return false;
    *cell = *after;
    return true;
}

static void member_access(const struct thread *t, const struct member *member, u32 at,
                          u32 size, enum access access, const char *word)
{
    const u32 now = executor_seal(t->index, t->times[t->index]) |
                    (access == ACCESS_ATOMIC ? ATOMIC : 0);
    struct shared_cell before, after;

    shared_bounds(t, at, size, access, word);
    for (u32 i = at; i < at + size; i++) {
        struct shared_cell *cell = &member->cells[i];

        if (i > at && cell_repeats(cell, &before, &after))
            continue;
        before = *cell;
        cell_access(t, cell, i, now, access, word);
        after = *cell;
    }
}

void executor_access_shared(const struct thread *t, u32 at, u32 size, enum access access,
                            const char *word)
{
    member_access(t, t->member, at, size, access, word);
}

/* From now on the bytes belong to nobody. */
void executor_claim_shared(const struct thread *t, const struct member *member, u32 at,
                           u32 size, const char *word)
{
    member_access(t, member, at, size, ACCESS_WRITE, word);
    for (u32 i = at; i < at + size; i++)
        member->cells[i].write |= PENDING;
}

void executor_land_shared(const struct member *member, u32 seal, u32 at, u32 size)
{
    for (u32 i = at; i < at + size; i++)
        member->cells[i].write = seal;
}

bool executor_is_known(const struct thread *thread, u32 place, u32 time)
{
    return thread->times[place] >= time;
}

static void cell_read_async(const struct thread *t, struct shared_cell *cell, u32 at,
                            const char *word)
{
    const struct block *b = executor_block;
    const u32 place = seal_place(cell->write);

    cell_access(t, cell, at, executor_seal(t->index, t->times[t->index]) | PENDING,
                ACCESS_READ, word);
    if (place < b->threads && b->thread[place].fenced < (cell->write & TIME_MAX))
        executor_fail(
            "no fence: thread %u reads shared byte %u in %s; thread %u wrote it "
            "and called no async_fence since",
            t->index, at, word, place);
}

/* A wgmma begins to read; what threads wrote there they also fenced. */
void executor_read_async(const struct thread *t, u32 at, u32 size, const char *word)
{
    struct shared_cell before, after;

    shared_bounds(t, at, size, ACCESS_READ, word);
    for (u32 i = at; i < at + size; i++) {
        struct shared_cell *cell = &t->member->cells[i];

        if (i > at && cell_repeats(cell, &before, &after))
            continue;
        before = *cell;
        cell_read_async(t, cell, i, word);
        after = *cell;
    }
}

static void cell_read_done(const struct thread *t, struct shared_cell *cell)
{
    u32 *reads = cell->reads;

    for (u32 r = 0; r < READERS; r++) {
        if (reads[r] & PENDING && seal_place(reads[r]) == t->index)
            reads[r] = executor_seal(t->index, t->times[t->index]);
    }
}

void executor_read_done(const struct thread *t, u32 at, u32 size)
{
    struct shared_cell before, after;

    for (u32 i = at; i < at + size; i++) {
        struct shared_cell *cell = &t->member->cells[i];

        if (i > at && cell_repeats(cell, &before, &after))
            continue;
        before = *cell;
        cell_read_done(t, cell);
        after = *cell;
    }
}

static void global_bounds(const struct thread *t, const u8 *at, u32 size,
                          enum access access, const char *word)
{
    if (!executor_memory_has(at, size))
        executor_fail("out of bounds: thread %u %s %u bytes at %p in %s: no allocation",
                      t->index, access_name(access), size, (const void *)at, word);
    if ((uintptr_t)at % size)
        executor_fail("misaligned: thread %u %s %u bytes at %p in %s", t->index,
                      access_name(access), size, (const void *)at, word);
}

/* Whether a past access to a global byte can collide with one of this thread now. */
static bool global_collides(const struct thread *t, u64 past, bool atomic)
{
    const struct block *b = executor_block;
    const u64 serial = past >> SERIAL_SHIFT;

    if (serial < b->serial_first || (atomic && past & ATOMIC))
        return false;
    return past & MANY || serial != b->serial || !is_before((u32)past, t);
}

static void global_check(const struct thread *t, const u8 *at, u64 past,
                         enum access access, const char *word)
{
    if (!global_collides(t, past, access == ACCESS_ATOMIC))
        return;
    executor_fail(
        "race: thread %u %s global byte %p in %s; thread %u of %s touched it and "
        "nothing orders the two",
        t->index, access_name(access), (const void *)at, word, seal_place((u32)past),
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
            now &= *read | ~(u64)ATOMIC;
    }
    *read = now;
}

static void global_access(const struct thread *t, struct global_cell *cell, const u8 *at,
                          enum access access, const char *word)
{
    const u64 now = executor_block->serial << SERIAL_SHIFT |
                    executor_seal(t->index, t->times[t->index]) |
                    (access == ACCESS_ATOMIC ? ATOMIC : 0);

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
