/*
 * noisy_gemm_attempt.h - one product under one job: how it is mined, and what its
 * operands are committed to.
 *
 * Belongs to the run's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_NOISY_GEMM_ATTEMPT_H
#define MINERVA_POW_NOISY_GEMM_ATTEMPT_H

#include "miner/pow/commitment.h"
#include "miner/pow/noisy_gemm.h"

struct attempt {
    struct device *device;
    const struct matmul *product;
    struct job *job; /* NULL: there is none */
    /* The plan. */
    struct configuration configuration;
    struct target bound;
    uint8_t key[DIGEST_SIZE];
    /* What it is committed to. */
    uint8_t root_a[DIGEST_SIZE];
    struct noise a, b;
};

/* What is known of the left operand that was committed last. */
struct attempt_left {
    struct buffer *tree; /* its layers */
    bool is_set;         /* they are those of the last product's left operand */
    struct view a;
    uint64_t size;
    uint8_t key[DIGEST_SIZE];
};

/* noisy_gemm_plan.c: fills the plan.  asked: NULL, or what is dictated.  OK: the product
 * is mined so; NOT_SUPPORTED: it cannot carry a proof. */
MUST_CHECK enum status attempt_plan(struct attempt *attempt,
                                    const struct pow_limits *limits,
                                    const struct noisy_gemm_choice *asked);

/* noisy_gemm_commit.c: whether the weights still hold what is derived of B; then its seed
 * is known as well. */
bool attempt_keeps_b(struct attempt *attempt);
/* With the attempt's key in a buffer: B's root and noised copy, unless the weights still
 * hold them; then A's root; and the seeds of both. */
MUST_CHECK enum status attempt_commit_b(struct attempt *attempt, struct buffer *key);
MUST_CHECK enum status attempt_commit_a(struct attempt *attempt, struct buffer *key,
                                        struct attempt_left *left);

#endif
