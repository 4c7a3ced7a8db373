/*
 * task_prove.h - proof of work beside a local task: every proof becomes two files.
 *
 * begin() gives a port that mines under one fixed job; a thread of its own proves what
 * the port finds and leaves `<ticket>.proof` and `<ticket>.json` in a folder that it
 * makes.  All functions of the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_TASK_PROVE_H
#define MINERVA_MINER_TASK_PROVE_H

#include "miner/models/model.h"
#include "miner/pow/scheme.h"

struct task_prove;

/* largest sizes the port's scratch; below is lent. */
MUST_CHECK enum status task_prove_begin(const char *folder, const struct job *job,
                                        struct matmul_port *below,
                                        struct model_shape largest,
                                        struct task_prove **out, struct error *err);
struct matmul_port *task_prove_port(struct task_prove *prove);
/* Room for what the port derives of these weights, before any step. */
MUST_CHECK enum status task_prove_prepare(struct task_prove *prove,
                                          struct weights *weights, struct error *err);
/* Waits until all that was found is on disk and says how many proofs that is; the first
 * thing that went wrong, if any.  Nothing may go through the port afterwards. */
MUST_CHECK enum status task_prove_finish(struct task_prove *prove, uint64_t *proofs,
                                         struct error *err);
void task_prove_end(struct task_prove *prove); /* NULL is fine; without finish too */

#endif
