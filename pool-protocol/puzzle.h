/*
 * puzzle.h - a puzzle that a pool sets before it talks, solved beside its thread on all
 * processors.
 *
 * Wanted is a number whose BLAKE3 together with the seed begins with so many zero bits.
 * start, take and stop are for one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_PUZZLE_H
#define MINERVA_PROTOCOL_PUZZLE_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/error.h"

enum {
    PUZZLE_SEED_SIZE = 32,
    PUZZLE_BITS_MAX = 40 /* more would keep every processor busy for hours */
};

struct puzzle_task {
    uint8_t seed[PUZZLE_SEED_SIZE];
    uint32_t bits;
};

bool puzzle_is_same(const struct puzzle_task *a, const struct puzzle_task *b);
bool puzzle_is_solved_by(const struct puzzle_task *task, uint64_t nonce);

struct puzzle;

/* wake_fd: an eventfd that is added to when the solution is there; -1: none. */
MUST_CHECK enum status puzzle_start(const struct puzzle_task *task, int wake_fd,
                                    struct puzzle **out, struct error *err);
const struct puzzle_task *puzzle_task(const struct puzzle *puzzle);
/* Whether the solution is there. */
bool puzzle_take(const struct puzzle *puzzle, uint64_t *nonce);
void puzzle_stop(struct puzzle *puzzle); /* at once; frees; NULL is fine */

#endif
