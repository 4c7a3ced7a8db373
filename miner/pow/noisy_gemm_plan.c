/*
 * noisy_gemm_plan.c - which rank and which tile a product is mined with, or why not at
 * all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/noisy_gemm_attempt.h"
#include "miner/pow/shape.h"

/* The largest tile whose bound fits 256 bits; 0: not even the smallest does. */
static uint32_t tile_work_max(const struct target *target, uint64_t k, uint32_t rank)
{
    struct target bound;

    for (uint32_t work = TILE_WORK_MAX; work >= TILE_WORK_MIN; work -= 2) {
        if (target_scale(target, pow_work_factor(1, work, k, rank), &bound))
            return work;
    }
    return 0;
}

/* What the pool fixed, if the product is the one it wants. */
static enum status choose_dictated(const struct attempt *attempt,
                                   struct noisy_gemm_choice *choice)
{
    const struct job_shape *shape = &attempt->job->shape;
    const struct matmul *product = attempt->product;

    if (product->m != shape->m || product->b->n != shape->n || product->b->k != shape->k)
        return STATUS_NOT_SUPPORTED;
    *choice = (struct noisy_gemm_choice){shape->rank, {shape->rows, shape->columns}};
    return STATUS_OK;
}

/* The device's own tile for this rank; 0: none suits. */
static enum status choose_tile(const struct attempt *attempt, uint32_t rank,
                               struct noisy_gemm_choice *choice)
{
    const struct matmul *product = attempt->product;
    const struct weights *b = product->b;
    uint32_t work_max = 0;

    choice->rank = rank;
    if (choice->rank)
        work_max = tile_work_max(&attempt->job->target, b->k, choice->rank);
    if (!work_max)
        return STATUS_NOT_SUPPORTED;
    return device_plan(attempt->device, product->m, b->n, b->k, work_max, &choice->plan);
}

/* Rank and tile: the pool's, the dictated ones, or the device's.  NOT_SUPPORTED: none. */
static enum status attempt_choose(const struct attempt *attempt,
                                  const struct noisy_gemm_choice *asked,
                                  struct noisy_gemm_choice *choice)
{
    const uint32_t min_rank = attempt->job->min_rank;
    enum status status = STATUS_OK;

    if (attempt->job->shape.is_dictated)
        status = choose_dictated(attempt, choice);
    else if (asked && asked->plan.rows.count)
        *choice = *asked;
    else
        status = choose_tile(
            attempt, asked ? asked->rank : pow_rank(attempt->product->b->k, min_rank),
            choice);
    if (status)
        return status;
    return choice->rank >= min_rank ? STATUS_OK : STATUS_NOT_SUPPORTED;
}

static bool attempt_is_legal(const struct attempt *attempt)
{
    const struct configuration *c = &attempt->configuration;
    const struct pow_shape shape = {.m = attempt->product->m,
                                    .n = attempt->product->b->n,
                                    .k = c->k,
                                    .rank = c->rank,
                                    .h = c->rows.count,
                                    .w = c->columns.count};

    return !pow_shape_check(&shape, RANK_MIN, NULL) &&
           pattern_starts(&c->rows, shape.m) > 0 &&
           pattern_starts(&c->columns, shape.n) > 0;
}

enum status attempt_plan(struct attempt *attempt, const struct pow_limits *limits,
                         const struct noisy_gemm_choice *asked)
{
    const struct matmul *product = attempt->product;
    const struct job *job = attempt->job;
    struct configuration *c = &attempt->configuration;
    struct noisy_gemm_choice choice;
    enum status status;

    if (!job || job->cert_version < CERT_VERSION_MIN ||
        job->cert_version > CERT_VERSION_MAX)
        return STATUS_NOT_SUPPORTED;
    if (product->m > limits->m || product->b->n > limits->n || product->b->k > limits->k)
        return STATUS_NOT_SUPPORTED;
    status = attempt_choose(attempt, asked, &choice);
    if (status)
        return status;
    c->k = product->b->k;
    c->rank = choice.rank;
    c->rows = choice.plan.rows;
    c->columns = choice.plan.columns;
    if (!attempt_is_legal(attempt) ||
        !target_scale(&job->target,
                      pow_work_factor(c->rows.count, c->columns.count, c->k, c->rank),
                      &attempt->bound))
        return STATUS_NOT_SUPPORTED;
    commitment_job_key(job->header, c, attempt->key);
    return STATUS_OK;
}
