/*
 * noisy_gemm.c - the run beside the device: commit, noise, multiply, look, hand back the
 * clean product.
 *
 * A run is a matmul port.  Each product is taken under the newest job, or computed
 * plainly where it cannot carry a proof.  What is derived of the right operand (its root,
 * its noised copy) stays beside the weights until job key or seed change; the left
 * operand is committed anew each time.  Hits are read, and their chunks with them, before
 * the product is handed back, so that the caller may overwrite its operands at once.
 * Memory is taken at begin() and prepare(); a product allocates only for its findings.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/noisy_gemm.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"
#include "miner/pow/merkle.h"
#include "miner/pow/noisy_gemm_findings.h"
#include "miner/pow/noisy_gemm_proof.h"
#include "miner/pow/operand_tree.h"
#include "miner/pow/shape.h"

enum {
    RANK_RESERVED = 128
}; /* jobs ask for at most this one (job.h), and it serves every k */

struct pow_run {
    struct matmul_port port; /* first: a pointer to it is a pointer to the run */
    struct mailbox *jobs;
    struct pow_limits limits;
    struct findings_outlet outlet;
    struct job *job;     /* of the current site; held, NULL: none */
    uint64_t generation; /* of the mailbox when job was taken */
    struct matmul_site site;
    bool has_site;
    bool has_choice;
    struct noisy_gemm_choice choice;
    struct buffer *key;  /* the job key, for the hashing kernels */
    struct buffer *tree; /* of the left operand */
    struct left_commitment {
        bool is_set; /* tree holds the layers of the last product's left operand */
        struct view a;
        uint64_t size;
        uint8_t key[DIGEST_SIZE];
    } left;
    struct buffer *hits;
    uint32_t rank_reserved;
};

_Static_assert(offsetof(struct pow_run, port) == 0, "a run is found by its port");

/* One product under one job. */
struct attempt {
    const struct matmul *product;
    const struct job *job;
    struct configuration configuration;
    struct target bound;
    uint8_t key[DIGEST_SIZE];
    uint8_t root_a[DIGEST_SIZE];
    struct noise a, b;
};

/* Parts of a site come with ascending items; anything else begins a new product. */
static bool site_goes_on(const struct pow_run *run, const struct matmul_site *site)
{
    return run->has_site && run->site.pack == site->pack &&
           run->site.pass == site->pass && run->site.product == site->product &&
           run->site.item < site->item;
}

/* The newest job, but one and the same for all parts of a site. */
static void run_take_job(struct pow_run *run, const struct matmul_site *site)
{
    const bool goes_on = site_goes_on(run, site);

    run->site = *site;
    run->has_site = true;
    if (goes_on || !mailbox_newer(run->jobs, run->generation))
        return;
    job_release(run->job);
    run->job = mailbox_take(run->jobs, &run->generation);
}

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

/* The rank asked for, or the smallest, and the device's own tile. */
static enum status choose_tile(const struct pow_run *run, const struct attempt *attempt,
                               struct noisy_gemm_choice *choice)
{
    const struct matmul *product = attempt->product;
    const struct weights *b = product->b;
    uint32_t work_max = 0;

    choice->rank =
        run->has_choice ? run->choice.rank : pow_rank(b->k, attempt->job->min_rank);
    if (choice->rank)
        work_max = tile_work_max(&attempt->job->target, b->k, choice->rank);
    if (!work_max)
        return STATUS_NOT_SUPPORTED;
    return device_plan(run->port.device, product->m, b->n, b->k, work_max, &choice->plan);
}

/* Rank and tile: the pool's, the dictated ones, or the device's.  NOT_SUPPORTED: none. */
static enum status attempt_choose(const struct pow_run *run,
                                  const struct attempt *attempt,
                                  struct noisy_gemm_choice *choice)
{
    enum status status = STATUS_OK;

    if (attempt->job->shape.is_dictated)
        status = choose_dictated(attempt, choice);
    else if (run->has_choice && run->choice.plan.rows.count)
        *choice = run->choice;
    else
        status = choose_tile(run, attempt, choice);
    if (status)
        return status;
    return choice->rank >= attempt->job->min_rank ? STATUS_OK : STATUS_NOT_SUPPORTED;
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

/* OK: the product is mined with what attempt says now.  NOT_SUPPORTED: plainly. */
static enum status attempt_plan(const struct pow_run *run, struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    const struct job *job = attempt->job;
    struct configuration *c = &attempt->configuration;
    struct noisy_gemm_choice choice;
    enum status status;

    if (!job || job->cert_version < CERT_VERSION_MIN ||
        job->cert_version > CERT_VERSION_MAX)
        return STATUS_NOT_SUPPORTED;
    if (product->m > run->limits.m || product->b->n > run->limits.n ||
        product->b->k > run->limits.k)
        return STATUS_NOT_SUPPORTED;
    status = attempt_choose(run, attempt, &choice);
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

/* B's root and noised copy, unless the weights still hold them. */
static enum status attempt_commit_b(struct pow_run *run, struct attempt *attempt)
{
    struct weights *b = attempt->product->b;
    struct weights_commitment *kept = &b->commitment;
    enum status status = weights_reserve_noised(b, operand_tree_size(b->n, b->k));

    if (!status && (!kept->is_set || memcmp(kept->key, attempt->key, DIGEST_SIZE) != 0)) {
        const struct operand_tree tree = {.device = run->port.device,
                                          .operand = b->values,
                                          .size = (uint64_t)b->n * b->k,
                                          .key = run->key,
                                          .tree = kept->tree};
        kept->is_set = kept->is_noised = false;
        status = operand_tree_make(&tree, kept->root);
        memcpy(kept->key, attempt->key, DIGEST_SIZE);
        kept->is_set = !status;
    }
    if (status)
        return status;
    attempt->b.rank = attempt->configuration.rank;
    commitment_seed_b(attempt->key, kept->root, b->n, attempt->job->cert_version,
                      attempt->b.seed);
    if (kept->is_noised && kept->noise.rank == attempt->b.rank &&
        memcmp(kept->noise.seed, attempt->b.seed, DIGEST_SIZE) == 0)
        return STATUS_OK;
    kept->is_noised = false;
    status = device_pack(run->port.device, b->noised, b->values, &attempt->b);
    kept->noise = attempt->b;
    kept->is_noised = !status;
    return status;
}

/* Whether all but the product's change is hashed already, for this job. */
static bool left_is_kept(const struct left_commitment *left,
                         const struct attempt *attempt, uint64_t size)
{
    const struct matmul *product = attempt->product;

    return left->is_set && product->change.size && product->change.size <= size &&
           product->change.first <= size - product->change.size &&
           left->a.buffer == product->a.buffer && left->a.offset == product->a.offset &&
           left->size == size && memcmp(left->key, attempt->key, DIGEST_SIZE) == 0;
}

static enum status attempt_commit_a(struct pow_run *run, struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    struct left_commitment *left = &run->left;
    const struct operand_tree tree = {.device = run->port.device,
                                      .operand = product->a,
                                      .size = (uint64_t)product->m * product->b->k,
                                      .key = run->key,
                                      .tree = run->tree};
    enum status status;

    if (left_is_kept(left, attempt, tree.size)) {
        left->is_set = false;
        status = operand_tree_renew(&tree, product->change.first, product->change.size,
                                    attempt->root_a);
    } else {
        left->is_set = false;
        status = operand_tree_make(&tree, attempt->root_a);
    }
    if (status)
        return status;
    *left = (struct left_commitment){true, product->a, tree.size, {0}};
    memcpy(left->key, attempt->key, DIGEST_SIZE);
    attempt->a.rank = attempt->configuration.rank;
    commitment_seed_a(attempt->b.seed, attempt->root_a, product->m,
                      attempt->job->cert_version, attempt->a.seed);
    return STATUS_OK;
}

static enum status attempt_multiply(struct pow_run *run, const struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    struct mining mining = {.a = attempt->a,
                            .b = attempt->b,
                            .rows = &attempt->configuration.rows,
                            .columns = &attempt->configuration.columns,
                            .hits = {run->hits, 0},
                            .hits_max = run->limits.hits,
                            .count = mailbox_count(run->jobs),
                            .seen = run->generation};
    const struct multiply multiply = {.m = product->m,
                                      .a = product->a,
                                      .b = product->b->noised,
                                      .c = product->c,
                                      .mining = &mining};

    memcpy(mining.bound, attempt->bound.le, sizeof mining.bound);
    return device_multiply(run->port.device, &multiply);
}

static enum status attempt_look(struct pow_run *run, const struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    const struct weights *b = product->b;
    const struct findings_source source = {
        .device = run->port.device,
        .job = run->job,
        .site = {product->site.pack, product->site.pass, product->site.product,
                 product->site.item},
        .configuration = &attempt->configuration,
        .a = {product->a, {run->tree, 0}, product->m, attempt->root_a},
        .b = {b->values, {b->commitment.tree, 0}, b->n, b->commitment.root},
    };

    return findings_send(&run->outlet, &source, run->hits, run->limits.hits);
}

static enum status attempt_run(struct pow_run *run, struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    const uint32_t rank = attempt->configuration.rank;
    struct device *device = run->port.device;
    enum status status = STATUS_OK;

    if (rank > run->rank_reserved) {
        status =
            device_reserve(device, run->limits.m, run->limits.n, run->limits.k, rank);
        run->rank_reserved = status ? run->rank_reserved : rank;
    }
    if (!status)
        status = device_write(device, run->key, 0, attempt->key, DIGEST_SIZE);
    if (!status)
        status = attempt_commit_b(run, attempt);
    if (!status)
        status = attempt_commit_a(run, attempt);
    if (!status)
        status = attempt_multiply(run, attempt);
    if (!status || status == STATUS_STALE) {
        /* A job that was replaced in the middle keeps what was found under it. */
        const enum status looked = attempt_look(run, attempt);
        status = looked ? looked : status;
    }
    if (status)
        return status;
    run->port.proved_macs += (uint64_t)product->m * product->b->n * product->b->k;
    run->port.hashes += (double)product->m * product->b->n *
                        (double)pow_work_factor(1, 1, product->b->k, rank);
    return STATUS_OK;
}

static enum status run_product(struct matmul_port *port, const struct matmul *product)
{
    struct pow_run *run = (struct pow_run *)port;
    struct attempt attempt = {.product = product};
    enum status status;

    run_take_job(run, &product->site);
    attempt.job = run->job;
    status = attempt_plan(run, &attempt);
    const bool is_plain = status == STATUS_NOT_SUPPORTED;
    if (!status)
        status = attempt_run(run, &attempt);
    if (status)
        run->left.is_set = false; /* this product's change was not hashed */
    return is_plain ? matmul_run(port->below, product) : status;
}

/* Findings left with their product. */
static enum status run_drain(struct matmul_port *port)
{
    return matmul_drain(port->below);
}

static void run_end(struct pow_run *run)
{
    if (!run)
        return;
    device_buffer_free(run->port.device, run->key);
    device_buffer_free(run->port.device, run->tree);
    device_buffer_free(run->port.device, run->hits);
    findings_outlet_close(&run->outlet);
    job_release(run->job);
    memory_free(run);
}

static enum status run_reserve(struct pow_run *run, const struct pow_outlet *outlet)
{
    struct device *device = run->port.device;
    const struct pow_limits *limits = &run->limits;
    const uint64_t hits_size = sizeof(struct hits) + limits->hits * sizeof(struct hit);
    enum status status = findings_outlet_open(&run->outlet, outlet, limits->hits);

    if (!status)
        status = device_reserve(device, limits->m, limits->n, limits->k, RANK_RESERVED);
    run->rank_reserved = RANK_RESERVED;
    if (!status)
        status = device_buffer_new(device, DIGEST_SIZE, &run->key);
    if (!status)
        status = device_buffer_new(device, operand_tree_size(limits->m, limits->k),
                                   &run->tree);
    if (!status)
        status = device_buffer_new(device, (size_t)hits_size, &run->hits);
    return status;
}

static enum status run_begin(struct mailbox *jobs, struct matmul_port *below,
                             const struct pow_limits *limits,
                             const struct pow_outlet *outlet, struct pow_run **out,
                             struct error *err)
{
    struct pow_run *run;
    enum status status = STATUS_NO_MEMORY;

    *out = NULL;
    if (!limits->m || !limits->n || !limits->k || !limits->hits)
        return error_set(err, STATUS_BAD_CONFIG,
                         "limits of m %u, n %u, k %u, hits %u, expected at least 1 each",
                         limits->m, limits->n, limits->k, limits->hits);
    run = memory_new(struct pow_run);
    if (run) {
        run->port = (struct matmul_port){.run = run_product,
                                         .drain = run_drain,
                                         .below = below,
                                         .device = below->device};
        run->jobs = jobs;
        run->limits = *limits;
        run->job = mailbox_take(jobs, &run->generation);
        status = run_reserve(run, outlet);
    }
    if (status) {
        run_end(run);
        return error_set(err, status, "mining products of up to %u x %u x %u: %s",
                         limits->m, limits->n, limits->k, status_text(status));
    }
    *out = run;
    return STATUS_OK;
}

static struct matmul_port *run_port(struct pow_run *run)
{
    return &run->port;
}

static enum status run_prepare(struct pow_run *run, struct weights *weights,
                               struct error *err)
{
    enum status status;

    assert(weights->device == run->port.device);
    if (!pow_rank(weights->k, RANK_MIN))
        return STATUS_OK; /* no job can mine it */
    status = weights_reserve_noised(weights, operand_tree_size(weights->n, weights->k));
    return status ? error_set(err, status, "a noised copy of weights of %u x %u: %s",
                              weights->n, weights->k, status_text(status))
                  : STATUS_OK;
}

static void run_assign(struct pow_run *run, const char *task_id)
{
    findings_outlet_assign(&run->outlet, task_id);
    run->has_site = false;
}

void noisy_gemm_dictate(struct pow_run *run, const struct noisy_gemm_choice *choice)
{
    run->has_choice = choice != NULL;
    if (choice)
        run->choice = *choice;
}

const struct pow_scheme scheme_noisy_gemm = {
    .name = "noisy_gemm",
    .begin = run_begin,
    .end = run_end,
    .port = run_port,
    .prepare = run_prepare,
    .assign = run_assign,
    .prove = noisy_gemm_prove,
    .verify = noisy_gemm_verify,
};
