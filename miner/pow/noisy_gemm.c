/*
 * noisy_gemm.c - the run beside the device: commit, noise, multiply, look, hand back the
 * clean product.
 *
 * A run is a matmul port.  Each product is taken under the newest job, or computed
 * plainly where it cannot carry a proof.  What is derived of the right operand (its root,
 * its noised copy) stays beside the weights until job key or seed change; the left
 * operand is committed anew each time.
 *
 * Hits are read, and their chunks with them, before a product that is wanted is handed
 * back, so that the caller may overwrite its operands at once.  Where the device runs
 * ahead, one that is not wanted stays on its way: the next one's left operand is
 * committed and prepared beside it, only then is it waited for and looked at, and the
 * next one begins.  So there are two sides, used in turns: trees of the left operand, and
 * hits.
 *
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

enum { SIDES_MAX = 2 };

struct run_side { /* what the device writes of one product */
    struct attempt_left left;
    struct buffer *hits;
};

/* A product whose hits were not looked at yet. */
struct run_pending {
    bool is_set;
    struct attempt attempt; /* its job is held */
    struct matmul product;  /* the attempt's */
    const struct run_side *side;
    char task_id[TASK_ID_SIZE + 1];
};

struct pow_run {
    struct matmul_port port; /* first: a pointer to it is a pointer to the run */
    struct mailbox *jobs;
    struct pow_limits limits;
    struct findings_outlet outlet;
    char task_id[TASK_ID_SIZE + 1]; /* of products from now on */
    struct job *job;                /* of the current site; held, NULL: none */
    uint64_t generation;            /* of the mailbox when job was taken */
    struct matmul_site site;
    bool has_site;
    bool has_choice;
    struct noisy_gemm_choice choice;
    struct buffer *key; /* the job key, for the hashing kernels */
    struct run_side sides[SIDES_MAX];
    uint32_t side_count; /* one where no product stays on its way */
    struct run_pending pending;
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

/* Not that of the product on its way; of two, the one that knows the operand. */
static struct run_side *run_side(struct pow_run *run, const struct matmul *product)
{
    struct run_side *const sides = run->sides;

    if (run->side_count == 1)
        return &sides[0];
    if (run->pending.is_set)
        return &sides[run->pending.side == &sides[0]];
    return &sides[view_is_same(sides[1].left.a, product->a)];
}

/* What sides (but one) know of operands in this buffer is of what was there before. */
static void run_forget(struct pow_run *run, const struct buffer *a,
                       const struct run_side *but)
{
    for (uint32_t i = 0; i < run->side_count; i++)
        if (&run->sides[i] != but && run->sides[i].left.a.buffer == a)
            run->sides[i].left.is_set = false;
}

/* Sends what was found. */
static enum status pending_look(struct pow_run *run, const struct run_pending *pending)
{
    const struct attempt *attempt = &pending->attempt;
    const struct matmul *product = &pending->product;
    const struct weights *b = product->b;
    const struct findings_source source = {
        .device = run->port.device,
        .job = attempt->job,
        .task_id = pending->task_id,
        .site = {product->site.pack, product->site.pass, product->site.product,
                 product->site.item},
        .configuration = &attempt->configuration,
        .a = {product->a, {pending->side->left.tree, 0}, product->m, attempt->root_a},
        .b = {b->values, {b->commitment.tree, 0}, b->n, b->commitment.root},
    };

    return findings_send(&run->outlet, &source, pending->side->hits, run->limits.hits);
}

static void run_keep(struct pow_run *run, const struct attempt *attempt,
                     const struct run_side *side)
{
    struct run_pending *pending = &run->pending;

    assert(!pending->is_set);
    *pending = (struct run_pending){
        .is_set = true, .attempt = *attempt, .product = *attempt->product, .side = side};
    pending->product.made_by = NULL; /* it is made */
    pending->attempt.product = &pending->product;
    pending->attempt.job = job_keep(attempt->job);
    memcpy(pending->task_id, run->task_id, sizeof pending->task_id);
}

/* Whatever comes of it, nothing is on its way afterwards. */
static enum status run_settle(struct pow_run *run)
{
    struct run_pending *pending = &run->pending;
    enum status status;

    if (!pending->is_set)
        return STATUS_OK;
    status = pending_look(run, pending);
    job_release(pending->attempt.job);
    pending->is_set = false;
    return status;
}

/* Beside a product on its way, unless something of the right operand is to be made, or
 * the left one, which may lie where that product has its own. */
static enum status attempt_commit(struct pow_run *run, struct attempt *attempt,
                                  struct run_side *side)
{
    const struct pow_limits *limits = &run->limits;
    const uint32_t rank = attempt->configuration.rank;
    enum status status = STATUS_OK;

    if (rank > run->rank_reserved || !attempt_keeps_b(attempt) ||
        attempt->product->made_by)
        status = run_settle(run);
    if (!status && rank > run->rank_reserved) {
        status = device_reserve(attempt->device, limits->m, limits->n, limits->k, rank);
        run->rank_reserved = status ? run->rank_reserved : rank;
    }
    if (!status)
        status = device_write(attempt->device, run->key, 0, attempt->key, DIGEST_SIZE);
    if (!status)
        status = attempt_commit_b(attempt, run->key);
    if (!status)
        status = attempt_commit_a(attempt, run->key, &side->left);
    return status;
}

/* The product before it ends, and what it found leaves, between this one's preparation
 * and its begin. */
static enum status attempt_multiply(struct pow_run *run, struct attempt *attempt,
                                    struct run_side *side)
{
    const struct matmul *product = attempt->product;
    enum status status = attempt_commit(run, attempt, side);
    struct mining mining = {.a = attempt->a,
                            .b = attempt->b,
                            .rows = &attempt->configuration.rows,
                            .columns = &attempt->configuration.columns,
                            .hits = {side->hits, 0},
                            .hits_max = run->limits.hits,
                            .count = mailbox_count(run->jobs),
                            .seen = run->generation};
    const struct multiply multiply = {.m = product->m,
                                      .a = product->a,
                                      .b = product->b->noised,
                                      .c = product->c,
                                      .mining = &mining};

    memcpy(mining.bound, attempt->bound.le, sizeof mining.bound);
    if (!status)
        status = device_prepare(attempt->device, &multiply);
    const enum status settled = run_settle(run);
    if (settled || status)
        return settled ? settled : status;
    return device_multiply(attempt->device, &multiply);
}

static enum status attempt_run(struct pow_run *run, struct attempt *attempt)
{
    const struct matmul *product = attempt->product;
    struct run_side *side = run_side(run, product);
    enum status status;

    run_forget(run, product->a.buffer, side);
    status = attempt_multiply(run, attempt, side);
    if (status && status != STATUS_STALE)
        return status;
    run_keep(run, attempt, side);
    if (status || product->c.buffer || run->side_count == 1) {
        /* A job that was replaced in the middle keeps what was found under it. */
        const enum status settled = run_settle(run);
        status = settled ? settled : status;
    }
    if (status)
        return status;
    run->port.proved_macs += (uint64_t)product->m * product->b->n * product->b->k;
    run->port.hashes +=
        (double)product->m * product->b->n *
        (double)pow_work_factor(1, 1, product->b->k, attempt->configuration.rank);
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
    if (is_plain)
        status = run_settle(run);
    else if (!status)
        status = attempt_run(run, &attempt);
    if (status || is_plain) /* this product's change was not hashed */
        run_forget(run, product->a.buffer, NULL);
    return is_plain && !status ? matmul_run(port->below, product) : status;
}

static enum status run_drain(struct matmul_port *port)
{
    const enum status status = run_settle((struct pow_run *)port);

    return status ? status : matmul_drain(port->below);
}

/* A product that is still on its way is one that nobody drained: it found nothing. */
static void run_end(struct pow_run *run)
{
    if (!run)
        return;
    if (run->pending.is_set)
        job_release(run->pending.attempt.job);
    device_buffer_free(run->port.device, run->key);
    for (uint32_t i = 0; i < SIDES_MAX; i++) {
        device_buffer_free(run->port.device, run->sides[i].left.tree);
        device_buffer_free(run->port.device, run->sides[i].hits);
    }
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
    run->side_count = device_info(device)->products_ahead ? SIDES_MAX : 1;
    for (uint32_t i = 0; !status && i < run->side_count; i++) {
        status = device_buffer_new(device, operand_tree_size(limits->m, limits->k),
                                   &run->sides[i].left.tree);
        if (!status)
            status = device_buffer_new(device, (size_t)hits_size, &run->sides[i].hits);
    }
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
    const size_t size = strlen(task_id);

    assert(size <= TASK_ID_SIZE);
    memcpy(run->task_id, task_id, size + 1);
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
