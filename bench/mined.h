/*
 * mined.h - a generated product under a job, as the benchmarks of the proof of work need
 * it.
 *
 * Goes through the scheme's own port, so that what is timed is what a worker does.
 * Belongs to the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_MINED_H
#define MINERVA_BENCH_MINED_H

#include "bench/bench.h"
#include "miner/pow/scheme.h"
#include "miner/tasks/generated.h"

struct mined {
    struct device *device;
    struct generated operands;
    struct buffer *c; /* NULL: the product is not wanted */
    struct matmul_port plain;
    struct mailbox *jobs;
    struct queue *findings;
    struct pow_run *run;
    uint32_t rank;
    uint64_t seed_a, headers;
    uint32_t stretch; /* products that are timed together: more than one where the device
                         runs ahead and none is wanted, of two left operands in turns */
};

/* Everything made ready; nothing is multiplied yet. */
MUST_CHECK enum status mined_open(struct mined *mined, const struct bench_setup *setup,
                                  bool wants_product, struct error *err);
void mined_close(struct mined *mined); /* its parts; a zeroed one is fine */
/* A job with a header that never was before.  work: multiply-accumulates a win takes; 0:
 * so many that none will. */
MUST_CHECK enum status mined_job(struct mined *mined, uint64_t work);
/* Other left operands, not multiplied yet. */
MUST_CHECK enum status mined_renew(struct mined *mined);
/* One product under the newest job, to its end. */
MUST_CHECK enum status mined_run(struct mined *mined);
/* A stretch, each product asked for when the one before it may still run, as a worker
 * does, to the end of the last one. */
MUST_CHECK enum status mined_run_stretch(struct mined *mined);
/* What one product under an easy job gives: the CPU verifier accepts every finding (there
 * must be one) and the product, if wanted, is right; a job that cannot be won is in place
 * afterwards and the right operand noised for it.  share: NULL, or the first one, for the
 * caller to free. */
MUST_CHECK enum status mined_check(struct mined *mined, struct share **share,
                                   struct error *err);
void mined_shape(const struct mined *mined, char text[BENCH_SHAPE_MAX]);

#endif
