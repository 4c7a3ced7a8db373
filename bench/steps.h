/*
 * steps.h - what a useful product is made of, one thing at a time (kernels.md 4.4), on
 * any device.
 *
 * Operands are random, and too large together for a cache where the shape is; what a step
 * reads is made before its clock starts.  One thread, the device's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_STEPS_H
#define MINERVA_BENCH_STEPS_H

#include "bench/bench.h"
#include "miner/tasks/generated.h"
#include "miner/work/proof.h"

struct steps {
    struct device *device;
    struct generated operands; /* A and Bt */
    uint32_t rank;
    struct noise noise; /* of both sides */
    struct matmul_plan tile;
    struct buffer *floats, *scales, *fault; /* that A is quantised from */
    struct buffer *key, *tree;
    struct buffer *seed, *dense, *pairs; /* of A's noise */
    struct buffer *noised, *x, *y, *c, *hits;
    struct packed *packed;
    uint8_t root[DIGEST_SIZE];
    uint64_t seed_a;
};

enum steps_room { /* what else a step needs but operands, seed and factors */
                  STEPS_FLOATS = 1,
                  STEPS_TREE = 2,
                  STEPS_SUMS = 4,   /* noised, x, y */
                  STEPS_PRODUCT = 8 /* c, hits, packed */
};

MUST_CHECK enum status steps_open(const struct bench_setup *setup, unsigned rooms,
                                  struct steps *out, struct error *err);
void steps_close(struct steps *steps); /* its parts; a zeroed one is fine */

/* The useful product itself; mining: room for what it is told of its tickets. */
struct multiply steps_useful(const struct steps *steps, struct mining *mining);

/* One thing, queued. */
enum status steps_draw(struct steps *steps);
enum status steps_quantise(struct steps *steps);
enum status steps_hash_a(struct steps *steps);
enum status steps_quantise_hash(struct steps *steps);
enum status steps_noise_x(struct steps *steps);
enum status steps_y(struct steps *steps);
enum status steps_prepare(struct steps *steps);
enum status steps_product(struct steps *steps);
enum status steps_hash_b(struct steps *steps);
enum status steps_renoise(struct steps *steps);

/* steps_check.c: whether it was done right. */
enum status steps_check_factors(struct steps *steps, struct error *err);
enum status steps_check_values(struct steps *steps, struct error *err);
enum status steps_check_root_a(struct steps *steps, struct error *err);
enum status steps_check_root_b(struct steps *steps, struct error *err);
enum status steps_check_x(struct steps *steps, struct error *err);
enum status steps_check_y(struct steps *steps, struct error *err);
enum status steps_check_product(struct steps *steps, struct error *err);
enum status steps_check_useful(struct steps *steps, struct error *err);

#endif
