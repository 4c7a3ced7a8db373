/*
 * worker.h - one thread per device: takes a task, steps it until done or cancelled, mines
 * between.
 *
 * The device is opened, tested and closed in its worker's own thread.  A worker that is
 * ready waits at a gate until worker_begin() gives it its ports.  It ends when it is
 * asked to stop or when the queue of assignments is closed.  A device that fails, or
 * whose findings do not verify, is closed, said and counted; it rests, is opened and
 * tested again, and works on.  When that does not help the worker ends and says why.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WORKER_H
#define MINERVA_MINER_WORKER_H

#include "miner/device_list.h"
#include "miner/round.h"

struct worker_options { /* copied; texts are lent */
    struct device_entry entry;
    uint32_t number; /* in findings and in the ledger, from 0 */
    struct device_options device;
    bool mines_idle;
    uint64_t rest_ms;   /* before a failed device is tried again; 0: the worker ends */
    uint64_t fail_at;   /* tests: the n-th call after the self-test fails; 0 never */
    uint64_t bytes_max; /* tests: the device's memory; 0: all it has */
};

enum worker_state { WORKER_STARTING, WORKER_READY, WORKER_RESTING, WORKER_ENDED };

struct worker;
MUST_CHECK enum status worker_start(const struct worker_options *options,
                                    struct worker **out);
enum worker_state worker_state(const struct worker *worker);
/* OK, or why the worker ended: NO_DEVICE, MISMATCH (self-test), DEVICE_LOST, ...  ENDED
 * only. */
enum status worker_outcome(const struct worker *worker, const char **sentence);
/* Opens the gate; once, when READY. */
void worker_begin(struct worker *worker, const struct worker_ports *ports);
/* Waits for its end and frees it; the gate is closed if it never was opened.  NULL is
 * fine. */
void worker_join(struct worker *worker);

#endif
