/*
 * workshop.h - what a worker keeps ready on its device from one task to the next.
 *
 * The station of the last kind and model, the proof-of-work run with room for the largest
 * product so far, and the ports stacked on each other: plain, proof of work, watch.
 * Belongs to the worker's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WORKSHOP_H
#define MINERVA_MINER_WORKSHOP_H

#include "miner/model_shelf.h"
#include "miner/pow/scheme.h"
#include "miner/tasks/idle.h"
#include "miner/watch_port.h"

struct workshop_ports { /* lent */
    struct mailbox *jobs;
    struct queue *findings;
    struct ledger *ledger;
    struct stop *stop;
    struct pool *pool; /* NULL: no pool to fetch from or to take tasks back */
    struct model_shelf *shelf;
    const char *proxy, *ca_file; /* or NULL */
};

struct workshop {
    struct device *device;
    uint32_t number; /* the device's, in findings and in the ledger */
    struct workshop_ports ports;
    struct matmul_port plain;
    struct pow_run *pow;
    struct pow_limits limits;
    struct watch_port watch;
    struct artifact *artifact; /* of the station */
    struct station *station;
    uint32_t products;    /* a pack of the assignment prepared for */
    uint64_t output_size; /* of its answer, in bytes */
    struct idle *idle;
    bool idle_is_fixed; /* its shape is a pool's */
    uint64_t
        idle_side; /* of the largest shape of its own that may be tried; 0: the first */
};

void workshop_begin(struct workshop *shop, struct device *device, uint32_t number,
                    const struct workshop_ports *ports);
void workshop_end(struct workshop *shop); /* a zeroed one is fine */

/* Makes ready for the assignment: model, station, ports.  The sentence suits a decline.
 */
MUST_CHECK enum status workshop_prepare(struct workshop *shop,
                                        const struct assignment *work, struct error *err);
/* Room for all that a job derives of the task's right operands, so that no step makes it.
 */
MUST_CHECK enum status workshop_equip(struct workshop *shop, const struct task *task,
                                      struct error *err);
/* What tasks multiply through; task_id is echoed in findings. */
struct matmul_port *workshop_port(struct workshop *shop, const char *task_id);
/* The counters of all products so far. */
const struct matmul_port *workshop_counters(const struct workshop *shop);

/* The last product ends and what it found leaves: before nobody, or somebody else, works
 * on the device.  workshop_prepare() begins with it. */
MUST_CHECK enum status workshop_rest(struct workshop *shop);
/* One product of generated matrices under this job: of the shape it dictates, or of the
 * best one for the device.  NO_MEMORY or NOT_SUPPORTED with a sentence: not under it. */
MUST_CHECK enum status workshop_idle(struct workshop *shop, const struct job *job,
                                     struct error *err);

#endif
