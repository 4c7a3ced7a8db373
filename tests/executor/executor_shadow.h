/*
 * executor_shadow.h - accesses to memory, and the clocks that order them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_EXECUTOR_SHADOW_H
#define MINERVA_TESTS_EXECUTOR_EXECUTOR_SHADOW_H

#include "tests/executor/executor_state.h"

/* An access is sealed with its place and that place's own count: PENDING while a copy or
 * a wgmma is under way. */
#define SEAL_TIME_BITS  19
#define SEAL_PLACE_BITS 11
#define SEAL_TIME_MAX   ((1u << SEAL_TIME_BITS) - 1)
#define SEAL_ATOMIC     (1u << 30)
#define SEAL_PENDING    (1u << 31)

static inline u32 executor_seal(u32 place, u32 time)
{
    return place << SEAL_TIME_BITS | time;
}

static inline u32 seal_place(u32 seal)
{
    return seal >> SEAL_TIME_BITS & ((1u << SEAL_PLACE_BITS) - 1);
}

static inline bool seal_is_before(u32 seal, const struct thread *thread)
{
    return thread->times[seal_place(seal)] >= (seal & SEAL_TIME_MAX);
}

/* Accesses of one thread, in `word`. */
void executor_access(const struct thread *thread, const void *at, u32 size,
                     enum access access, const char *word);
void executor_access_shared(const struct thread *thread, u32 at, u32 size,
                            enum access access, const char *word);
/* A copy that the thread begins will write to `member`; it has come, as an access of a
 * place. */
void executor_claim_shared(const struct thread *thread, const struct member *member,
                           u32 at, u32 size, const char *word);
void executor_land_shared(const struct member *member, u32 seal, u32 at, u32 size);
const char *executor_access_name(enum access access);
void executor_access_global(const struct thread *thread, const u8 *at, u32 size,
                            enum access access, const char *word);

/* Clocks. */
void clock_join(u32 *into, const u32 *from);
void clock_tick(struct thread *thread);

void executor_read_async(const struct thread *thread, u32 at, u32 size, const char *word);
void executor_read_done(const struct thread *thread, u32 at, u32 size);
bool executor_is_known(const struct thread *thread, u32 place, u32 time);

#endif
