/*
 * executor_shared.c - who touched which shared byte last, and whether anything ordered
 * it.
 *
 * Four neighbouring bytes have one cell until somebody touches a part of them; from then
 * until all four are written at once each has its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_shadow.h"

#include <string.h>

/* What is done to the cells of some bytes. */
struct visit {
    const struct thread *thread;
    const char *word;
    u32 now; /* the seal of the access */
    enum access access;
    void (*deed)(const struct visit *visit, struct shared_cell *cell, u32 at);
};

static const char *place_name(u32 seal)
{
    return seal_place(seal) < executor_block->threads ? "thread" : "the copy of mbarrier";
}

static u32 place_number(u32 seal)
{
    const u32 threads = executor_block->threads, place = seal_place(seal);

    return place < threads ? place : place - threads;
}

static void shared_bounds(const struct thread *t, u32 at, u32 size, enum access access,
                          const char *word)
{
    const u32 end = executor_block->launch->shared_bytes;

    if (at > end || size > end - at)
        executor_fail("out of bounds: thread %u %s shared bytes %d to %d of %u in %s",
                      t->index, executor_access_name(access), (int)at,
                      (int)(at + size - 1), end, word);
    if (at % size)
        executor_fail("misaligned: thread %u %s %u bytes at shared offset %u in %s",
                      t->index, executor_access_name(access), size, at, word);
}

static _Noreturn void shared_race(const struct thread *t, u32 at, u32 other,
                                  enum access access, const char *before,
                                  const char *word)
{
    executor_fail(
        "race: thread %u %s shared byte %u in %s; %s %u %s it and nothing orders "
        "the two",
        t->index, executor_access_name(access), at, word, place_name(other),
        place_number(other), before);
}

static void shared_after_write(const struct thread *t, u32 at, u32 write,
                               enum access access, const char *word)
{
    if (write & SEAL_PENDING)
        executor_fail(
            "too early: thread %u %s shared byte %u in %s while the copy that %s %u "
            "began is under way",
            t->index, executor_access_name(access), at, word, place_name(write),
            place_number(write));
    if (write && !seal_is_before(write, t) &&
        !(access == ACCESS_ATOMIC && write & SEAL_ATOMIC))
        shared_race(t, at, write, access, "wrote", word);
}

static void shared_after_reads(const struct thread *t, u32 at, const u32 *reads,
                               enum access access, const char *word)
{
    for (u32 i = 0; i < READERS && reads[i]; i++) {
        if (reads[i] & SEAL_PENDING)
            executor_fail(
                "too early: thread %u %s shared byte %u in %s while the wgmma of "
                "thread %u reads it",
                t->index, executor_access_name(access), at, word, place_number(reads[i]));
        if (!seal_is_before(reads[i], t) &&
            !(access == ACCESS_ATOMIC && reads[i] & SEAL_ATOMIC))
            shared_race(t, at, reads[i], access, "reads", word);
    }
}

/* Takes the place of a read that is ordered before this one, or of any. */
static void shared_read(const struct thread *t, struct shared_cell *cell, u32 now)
{
    u32 i = 0;

    while (i < READERS && cell->reads[i] && cell->reads[i] != now &&
           !(seal_is_before(cell->reads[i], t) && !(cell->reads[i] & SEAL_PENDING)))
        i++;
    cell->reads[i < READERS ? i : now % READERS] = now;
}

/* What an access does to a cell. */
static void cell_access(const struct visit *v, struct shared_cell *cell, u32 at)
{
    const struct thread *t = v->thread;
    const char *word = v->word;
    const enum access access = v->access;
    const u32 now = v->now;

    if (cell->write != now)
        shared_after_write(t, at, cell->write, access, word);
    if (access != ACCESS_WRITE && !cell->write)
        executor_fail("thread %u %s shared byte %u in %s, which nobody wrote", t->index,
                      executor_access_name(access), at, word);
    if (access == ACCESS_READ) {
        shared_read(t, cell, now);
        return;
    }
    shared_after_reads(t, at, cell->reads, access, word);
    memset(cell, 0, sizeof *cell);
    cell->write = now;
}

/* The four bytes around `at` have a cell each. */
static void word_split(const struct member *member, u32 at)
{
    const u32 word = at / 4;

    for (u32 i = 0; i < 4; i++)
        member->bytes[4 * word + i] = member->words[word];
    member->is_split[word] = true;
}

static void word_join(const struct member *member, u32 at)
{
    member->words[at / 4] = member->bytes[at];
    member->is_split[at / 4] = false;
}

static void cells_visit(const struct visit *v, const struct member *member, u32 at,
                        u32 size)
{
    for (u32 i = at; i < at + size; i++) {
        const bool is_whole = at + size - i / 4 * 4 >= 4 && i / 4 * 4 >= at;

        if (is_whole && !member->is_split[i / 4]) {
            v->deed(v, &member->words[i / 4], i);
            i += 3;
            continue;
        }
        if (!member->is_split[i / 4])
            word_split(member, i);
        v->deed(v, &member->bytes[i], i);
        if (is_whole && i % 4 == 3 && v->access == ACCESS_WRITE)
            word_join(member, i);
    }
}

static struct visit visit_of(const struct thread *t, enum access access, const char *word)
{
    return (struct visit){.thread = t,
                          .word = word,
                          .now = executor_seal(t->index, t->times[t->index]) |
                                 (access == ACCESS_ATOMIC ? SEAL_ATOMIC : 0),
                          .access = access,
                          .deed = cell_access};
}

void executor_access_shared(const struct thread *t, u32 at, u32 size, enum access access,
                            const char *word)
{
    const struct visit visit = visit_of(t, access, word);

    shared_bounds(t, at, size, access, word);
    cells_visit(&visit, t->member, at, size);
}

static void cell_claim(const struct visit *v, struct shared_cell *cell, u32 at)
{
    cell_access(v, cell, at);
    cell->write |= SEAL_PENDING;
}

/* From now on the bytes belong to nobody. */
void executor_claim_shared(const struct thread *t, const struct member *member, u32 at,
                           u32 size, const char *word)
{
    struct visit visit = visit_of(t, ACCESS_WRITE, word);

    visit.deed = cell_claim;
    shared_bounds(t, at, size, ACCESS_WRITE, word);
    cells_visit(&visit, member, at, size);
}

static void cell_land(const struct visit *v, struct shared_cell *cell, u32 at)
{
    (void)at;
    cell->write = v->now;
}

void executor_land_shared(const struct member *member, u32 seal, u32 at, u32 size)
{
    const struct visit visit = {.now = seal, .access = ACCESS_WRITE, .deed = cell_land};

    cells_visit(&visit, member, at, size);
}

static void cell_read_async(const struct visit *v, struct shared_cell *cell, u32 at)
{
    const struct block *b = executor_block;
    const u32 place = seal_place(cell->write);

    cell_access(v, cell, at);
    if (place < b->threads && b->thread[place].fenced < (cell->write & SEAL_TIME_MAX))
        executor_fail(
            "no fence: thread %u reads shared byte %u in %s; thread %u wrote it "
            "and called no async_fence since",
            v->thread->index, at, v->word, place);
}

/* A wgmma begins to read; what threads wrote there they also fenced. */
void executor_read_async(const struct thread *t, u32 at, u32 size, const char *word)
{
    struct visit visit = visit_of(t, ACCESS_READ, word);

    visit.now |= SEAL_PENDING;
    visit.deed = cell_read_async;
    shared_bounds(t, at, size, ACCESS_READ, word);
    cells_visit(&visit, t->member, at, size);
}

static void cell_read_done(const struct visit *v, struct shared_cell *cell, u32 at)
{
    (void)at;
    for (u32 r = 0; r < READERS && cell->reads[r]; r++) {
        if (cell->reads[r] & SEAL_PENDING &&
            seal_place(cell->reads[r]) == v->thread->index)
            cell->reads[r] = v->now;
    }
}

void executor_read_done(const struct thread *t, u32 at, u32 size)
{
    struct visit visit = visit_of(t, ACCESS_READ, NULL);

    visit.deed = cell_read_done;
    cells_visit(&visit, t->member, at, size);
}
