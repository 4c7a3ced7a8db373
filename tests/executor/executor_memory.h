/*
 * executor_memory.h - device memory as the executor's other files see it: the cells of
 * its bytes, and copies of all of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_EXECUTOR_MEMORY_H
#define MINERVA_TESTS_EXECUTOR_EXECUTOR_MEMORY_H

#include "tests/executor/executor_state.h"

struct global_cell *executor_memory_cells(const u8 *at);
bool executor_memory_near(const void *at); /* in the range that memory is taken from */

/* Copies the small allocations out, back, or says where they differ from the copy. */
struct snapshot;
struct snapshot *executor_snapshot_new(void);
void executor_snapshot_free(struct snapshot *snapshot);
void executor_snapshot_restore(const struct snapshot *snapshot);
/* NULL, or the first byte that differs. */
const void *executor_snapshot_differs(const struct snapshot *a, const struct snapshot *b);

#endif
