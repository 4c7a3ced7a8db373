/*
 * executor_state.h - what the executor's files know of the block that runs: threads,
 * clocks, shadows.
 *
 * A clock counts, for every place, how much of that place's past is known: places are the
 * block's threads and one agent for each mbarrier.  An access is the pair of its place
 * and that place's own count; it is ordered before a thread that counts at least as much.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_EXECUTOR_STATE_H
#define MINERVA_TESTS_EXECUTOR_EXECUTOR_STATE_H

#include "backends/cuda/ptx_executor.h"
#include "tests/executor/executor.h"
#include "tests/executor/fiber.h"

#define LANES         32u
#define GROUP         128u /* of a warp group */
#define THREADS_MAX   1024u
#define AGENTS_MAX    64u
#define BARRIERS      16u
#define MEMBERS_MAX   4u
#define SHARED_MAX    (227u * 1024)
#define SHARED_MARGIN (1024u * 1024)
#define STACK_SIZE    (256u * 1024)
#define READERS       7u
#define COPIES_MAX    512u /* under way, of one thread */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_ATOMIC };

struct copy {
    u32 to, size, bytes, group;
    const u8 *from;
};

struct thread {
    struct fiber fiber;
    u32 index; /* in the cluster */
    struct member *member;
    const char *word; /* what it waits in; NULL: it runs, or has ended */
    bool ended;
    u32 *times;   /* its clock */
    u32 fenced;   /* its own count when it last called async_fence */
    u32 waits_at; /* the mbarrier it sleeps at */
    struct copy *copies;
    u32 copies_begin, copies_end; /* those under way, counted from the first */
    u32 group;                    /* number of the open group of copies */
};

/* Threads that run some words together: a warp, or the four of a warp group. */
struct warp {
    const char *word;
    void (*run)(struct warp *warp);
    void *operands[GROUP];
    u32 first, lanes, arrived;
};

struct barrier {
    u32 expected, arrived;
    u32 *times;
    u8 kinds[THREADS_MAX]; /* 0, or how a thread came: 1 arrived, 2 waits */
};

/* The access that last wrote a shared byte, and some that read it since. */
struct shared_cell {
    u32 write;
    u32 reads[READERS];
};

/* The same of a global byte, for all blocks of all launches. */
struct global_cell {
    u64 write, read;
};

/* A block of the cluster. */
struct member {
    u32 rank;
    u32 left;                          /* threads that have not ended */
    u8 *shared;                        /* 1024-aligned */
    struct shared_cell *words, *bytes; /* of four bytes; of one, where is_split */
    bool *is_split;
    struct barrier barrier[BARRIERS];
};

/* What runs at once: a cluster of blocks, mostly of one. */
struct block {
    const struct executor_launch *launch;
    const struct executor_kernel *kernel;
    const struct executor_mode *mode;
    u32 index[3];
    u32 width, threads; /* of a block, of all */
    u32 places;
    u64 serial, serial_first; /* of this cluster, of the launch's first */
    u64 random;
    struct fiber main;
    struct thread *current;
    u32 *ready; /* threads that can go on */
    u32 ready_begin, ready_count, ended;
    u32 together; /* threads in cluster_sync */
    u32 idle;     /* turns since anybody got further */
    struct thread thread[THREADS_MAX];
    struct warp warp[THREADS_MAX / LANES];
    struct warp group[THREADS_MAX / GROUP];
    struct member member[MEMBERS_MAX];
    u8 *stacks;
    u32 *clocks;
    const void *caller; /* of the load or store that is looked at */
    bool failed;
    char fault[600];
};

extern struct block *const executor_block;

void executor_block_make(void);
bool executor_block_run(u64 number); /* false: it failed */

/* Ends the block; does not return to the fiber. */
_Noreturn void executor_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The current fiber sleeps in `word` until it is woken. */
void executor_sleep(const char *word);
void executor_wake(u32 first, u32 count); /* those of the range that sleep */
void executor_yield(const char *word);    /* others first; all of them idle: a fault */
u64 executor_random(void);

/* All lanes of the current warp come with their operands; the last one runs the word. */
void executor_meet(const char *word, void (*run)(struct warp *warp), void *operands);
void executor_meet_group(const char *word, void (*run)(struct warp *group),
                         void *operands);

/* Of a new block; whether a copy was there that lands now, as nobody else can go on. */
void mbarriers_begin(void);
bool mbarriers_land(void);
void wgmma_begin(void);
/* Whether the address lies in accumulators that a wgmma of this thread writes. */
bool wgmma_owns(const struct thread *thread, const void *at);

#endif
