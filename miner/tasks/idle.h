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

struct idle;

/* The shape a device should multiply: about a quarter of its memory at most, and small
 * enough that an assignment need not wait long for the product before it.  NO_MEMORY with
 * a sentence. */
MUST_CHECK enum status idle_shape(const struct device *device, struct model_shape *out,
                                  struct error *err);
MUST_CHECK enum status idle_new(struct device *device, struct model_shape shape,
                                struct idle **out, struct error *err);
struct weights *idle_operand(const struct idle *idle); /* the right one, to prepare */
void idle_free(struct idle *idle);                     /* NULL is fine */
/* One product with a left matrix that never was before. */
MUST_CHECK enum status idle_run(struct idle *idle, struct matmul_port *port);

#endif
