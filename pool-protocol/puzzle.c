/*
 * puzzle.c - every processor tries its own numbers until one of them has it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/puzzle.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "kernels/blake3_host.h"
#include "miner/base/bytes.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

enum { SEARCHERS_MAX = 64 };

struct searcher {
    struct puzzle *puzzle;
    uint64_t first; /* and every searcher_count-th after it */
    struct thread *thread;
};

struct puzzle {
    struct puzzle_task task;
    int wake_fd;
    atomic_bool is_over; /* solved, or not wanted any more */
    atomic_bool is_solved;
    atomic_uint_least64_t nonce; /* set before is_solved */
    uint32_t searcher_count;
    struct searcher searchers[SEARCHERS_MAX];
};

bool puzzle_is_same(const struct puzzle_task *a, const struct puzzle_task *b)
{
    return a->bits == b->bits && !memcmp(a->seed, b->seed, sizeof a->seed);
}

bool puzzle_is_solved_by(const struct puzzle_task *task, uint64_t nonce)
{
    uint8_t text[PUZZLE_SEED_SIZE + 8], hash[BLAKE3_SIZE];
    uint32_t zeros = 0;

    memcpy(text, task->seed, PUZZLE_SEED_SIZE);
    u64_store(text + PUZZLE_SEED_SIZE, nonce);
    blake3_hash(text, sizeof text, NULL, hash);
    while (zeros < 8 * BLAKE3_SIZE && !(hash[zeros / 8] >> (7 - zeros % 8) & 1))
        zeros++;
    return zeros >= task->bits;
}

static void puzzle_search(void *context)
{
    const struct searcher *searcher = context;
    struct puzzle *puzzle = searcher->puzzle;
    const uint64_t one = 1;
    uint64_t nonce = searcher->first;

    while (!atomic_load_explicit(&puzzle->is_over, memory_order_relaxed)) {
        if (puzzle_is_solved_by(&puzzle->task, nonce)) {
            /* Of several that find one at once, the first to be here is heard. */
            if (atomic_exchange(&puzzle->is_over, true))
                return;
            atomic_store(&puzzle->nonce, nonce);
            atomic_store(&puzzle->is_solved, true);
            if (puzzle->wake_fd >= 0 && write(puzzle->wake_fd, &one, sizeof one) < 0)
                return; /* full: whoever waits there is awake already */
            return;
        }
        nonce += puzzle->searcher_count;
    }
}

enum status puzzle_start(const struct puzzle_task *task, int wake_fd, struct puzzle **out,
                         struct error *err)
{
    const uint32_t processors = thread_processors();
    struct puzzle *puzzle = memory_new(struct puzzle);

    assert(task->bits <= PUZZLE_BITS_MAX);
    *out = NULL;
    if (!puzzle)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the pool's puzzle");
    puzzle->task = *task;
    puzzle->wake_fd = wake_fd;
    atomic_init(&puzzle->is_over, false);
    atomic_init(&puzzle->is_solved, false);
    atomic_init(&puzzle->nonce, 0);
    puzzle->searcher_count = processors < SEARCHERS_MAX ? processors : SEARCHERS_MAX;
    for (uint32_t i = 0; i < puzzle->searcher_count; i++) {
        struct searcher *searcher = &puzzle->searchers[i];

        *searcher = (struct searcher){.puzzle = puzzle, .first = i};
        if (thread_start("puzzle", puzzle_search, searcher, &searcher->thread)) {
            puzzle_stop(puzzle);
            return error_set(err, STATUS_NO_MEMORY, "no thread for the pool's puzzle");
        }
    }
    *out = puzzle;
    return STATUS_OK;
}

const struct puzzle_task *puzzle_task(const struct puzzle *puzzle)
{
    return &puzzle->task;
}

bool puzzle_take(const struct puzzle *puzzle, uint64_t *nonce)
{
    if (!atomic_load(&puzzle->is_solved))
        return false;
    *nonce = atomic_load(&puzzle->nonce);
    return true;
}

void puzzle_stop(struct puzzle *puzzle)
{
    if (!puzzle)
        return;
    atomic_store(&puzzle->is_over, true);
    for (uint32_t i = 0; i < puzzle->searcher_count; i++)
        thread_join(puzzle->searchers[i].thread);
    memory_free(puzzle);
}
