/*
 * sequences.h - token sequences as a task's input: `ids` and `lengths`, and how they are
 * packed.
 *
 * What every kind with sequence inputs shares (task-pool.md sections 4 and 5).  No state,
 * any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TASKS_SEQUENCES_H
#define MINERVA_TASKS_SEQUENCES_H

#include "miner/tasks/task.h"

struct sequences { /* owned, both arrays */
    uint32_t count;
    uint64_t total;    /* ids of all sequences */
    uint32_t *lengths; /* [count], each >= 1 */
    int32_t *ids;      /* [total], one sequence after the other */
};

struct sequence_limits {
    uint32_t length_max; /* tokens a sequence */
    uint32_t vocabulary; /* ids are below it */
};

/* Canonical bytes only; no sequence at all, an empty one, or lengths that are not those
 * of ids are refused. */
MUST_CHECK enum status sequences_parse(struct bytes input, struct sequences *out,
                                       struct error *err);
void sequences_free(struct sequences *sequences); /* the arrays; NULL is fine */
MUST_CHECK enum status sequences_check(const struct sequences *sequences,
                                       const struct sequence_limits *limits,
                                       struct error *err);
/* The canonical bytes, appended to out. */
MUST_CHECK enum status sequences_write(const struct sequences *sequences,
                                       struct blob *out, struct error *err);

/* Fills items, rows, packs, pack_items, pack_rows and rows_longest of out: greedily, in
 * order, a pack closing before the item that would take it past rows. */
MUST_CHECK enum status sequences_pack(const struct sequences *sequences, uint32_t rows,
                                      struct task_layout *out, struct error *err);

/* task_kind.split for all of them. */
MUST_CHECK enum status sequences_split(struct bytes input, uint64_t rows_max,
                                       struct blob **parts, uint32_t *count,
                                       struct error *err);

#endif
