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
#include <string.h>

#include "miner/base/memory.h"
#include "miner/pow/noisy_gemm_attempt.h"
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
    struct buffer *key; /* the job key, for the hashing kernels */
    struct attempt_left left;
    struct buffer *hits;
    uint32_t rank_reserved;
};

_Static_assert(offsetof(struct pow_run, port) == 0, "a run is found by its port");

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
        .a = {product->a, {run->left.tree, 0}, product->m, attempt->root_a},
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
        status = attempt_commit_b(attempt, run->key);
    if (!status)
        status = attempt_commit_a(attempt, run->key, &run->left);
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
    enum status status;

    run_take_job(run, &product->site);
    struct attempt attempt = {
        .device = port->device, .product = product, .job = run->job};
    status = attempt_plan(&attempt, &run->limits, run->has_choice ? &run->choice : NULL);
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
    device_buffer_free(run->port.device, run->left.tree);
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
                                   &run->left.tree);
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
