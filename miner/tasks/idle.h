/*
 * idle.h - products of nothing, for a worker without an assignment.
 *
 * Generated matrices, multiplied over and over through a port that looks for tickets; the
 * product itself is never written.  Its hashes never count as useful.  Belongs to its
 * device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TASKS_IDLE_H
#define MINERVA_TASKS_IDLE_H

#include "miner/tasks/task.h"

/* One product takes about this long at most, so that a new header, or an assignment, need
 * not wait for it. */
enum { IDLE_ATTEMPT_MS = 80 };

struct idle;

/* The shape a device should multiply: of a k that suits every rank to 128, no larger than
 * `side` a side, and within a quarter of the memory that is free.  NO_MEMORY with a
 * sentence. */
enum { IDLE_SIDE_FIRST = 2048, IDLE_SIDE_MAX = 16384 };
MUST_CHECK enum status idle_shape(const struct device *device, uint64_t side, uint64_t k,
                                  struct model_shape *out, struct error *err);
/* Whether a shape that a pool dictates is within three quarters of the memory that is
 * free: a sentence with both figures where it is not. */
MUST_CHECK enum status idle_fits(const struct device *device, struct model_shape shape,
                                 struct error *err);
/* is_fixed: every attempt has all m rows; else as many as take IDLE_ATTEMPT_MS. */
MUST_CHECK enum status idle_new(struct device *device, struct model_shape shape,
                                bool is_fixed, struct idle **out, struct error *err);
struct model_shape idle_shape_of(const struct idle *idle);
struct weights *idle_operand(const struct idle *idle); /* the right one, to prepare */
void idle_free(struct idle *idle); /* its port was drained; NULL is fine */
/* One product with a left matrix that never was before; it may still be on its way. */
MUST_CHECK enum status idle_run(struct idle *idle, struct matmul_port *port);
/* Whether products of this shape are over so soon that a larger one is worth its memory.
 */
bool idle_is_quick(const struct idle *idle);

#endif
