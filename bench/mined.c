/*
 * mined.c - a generated product under a job.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined.h"

#include <stdio.h>
#include <string.h>

#include "bench/product_check.h"
#include "miner/pow/noisy_gemm.h"
#include "miner/pow/shape.h"

enum {
    SEED_B = 2,
    HITS_MAX = 64,
    QUEUE_MAX = 256,
    WINS_EXPECTED = 6,
    STRETCH = 8,   /* the first one's preparation is an eighth of all */
    TRIES_MAX = 8, /* none wins in 8 products: e^-48 */
    RANK_ANY = 32,
    WORK_MAX = 256, /* of a tile (pow.md section 1) */
};

static void job_let_go(void *job)
{
    job_release(job);
}

void mined_close(struct mined *mined)
{
    if (mined->run)
        scheme_noisy_gemm.end(mined->run);
    if (mined->jobs)
        mailbox_free(mined->jobs);
    queue_free(mined->findings);
    generated_free(&mined->operands);
    device_buffer_free(mined->device, mined->c);
    *mined = (struct mined){.run = NULL};
}

enum status mined_job(struct mined *mined, uint64_t work)
{
    struct job job = {.cert_version = 3, .min_rank = RANK_ANY};
    struct job *made;

    mined->headers++;
    memcpy(job.header, &mined->headers, sizeof mined->headers);
    job.target.le[0] = 1; /* one chance in 2^256, times the work */
    if (work)
        job.target = target_from_work(work);
    made = job_new(&job);
    if (!made)
        return STATUS_NO_MEMORY;
    mailbox_put(mined->jobs, made);
    return STATUS_OK;
}

static enum status left_renew(struct mined *mined)
{
    return generated_left(&mined->operands, ++mined->seed_a, mined->operands.shape.m);
}

enum status mined_renew(struct mined *mined)
{
    enum status status = STATUS_OK;

    if (mined->operands.spare) {
        status = left_renew(mined);
        generated_turn(&mined->operands);
    }
    if (!status)
        status = left_renew(mined);
    return status ? status : device_finish(mined->device);
}

static enum status run_many(struct mined *mined, uint32_t count)
{
    struct matmul_port *port = scheme_noisy_gemm.port(mined->run);
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && i < count; i++) {
        if (i)
            generated_turn(&mined->operands);
        status = generated_run(&mined->operands, port, (struct view){mined->c, 0});
    }
    if (!status) /* the last one may have been on its way */
        status = matmul_drain(port);
    return status ? status : device_finish(mined->device);
}

enum status mined_run(struct mined *mined)
{
    return run_many(mined, 1);
}

enum status mined_run_stretch(struct mined *mined)
{
    return run_many(mined, mined->stretch);
}

/* Rank and tile as asked, or the device's own tile, whatever the job would choose. */
static enum status mined_dictate(struct mined *mined, const struct bench_setup *setup,
                                 struct error *err)
{
    struct noisy_gemm_choice choice = {.rank = setup->rank, .plan = setup->tile};
    enum status status = STATUS_OK;

    if (!choice.plan.rows.count)
        status = device_plan(setup->device, setup->m, setup->n, setup->k, WORK_MAX,
                             &choice.plan);
    if (status)
        return error_set(err, status, "no tile fits %u x %u: %s", setup->m, setup->n,
                         status_text(status));
    const struct pow_shape shape = {.m = setup->m,
                                    .n = setup->n,
                                    .k = setup->k,
                                    .rank = setup->rank,
                                    .h = choice.plan.rows.count,
                                    .w = choice.plan.columns.count};
    noisy_gemm_dictate(mined->run, &choice);
    return pow_shape_check(&shape, RANK_ANY, err);
}

enum status mined_open(struct mined *mined, const struct bench_setup *setup,
                       bool wants_product, struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    const struct pow_limits limits = {setup->m, setup->n, setup->k, HITS_MAX};
    struct pow_outlet outlet = {.device = 0};
    enum status status;

    *mined = (struct mined){.device = setup->device, .rank = setup->rank, .stretch = 1};
    matmul_port_plain(&mined->plain, setup->device);
    status = generated_new(&mined->operands, setup->device, shape, err);
    if (status)
        return status;
    if (wants_product) {
        status =
            device_buffer_new(setup->device, (size_t)setup->m * setup->n * 4, &mined->c);
    } else if (device_info(setup->device)->products_ahead) {
        mined->stretch = STRETCH;
        status = generated_spare_new(&mined->operands);
    }
    if (!status)
        status = generated_right(&mined->operands, SEED_B);
    if (!status)
        status = mailbox_new(job_hold, job_let_go, &mined->jobs);
    if (!status)
        status = queue_new(QUEUE_MAX, outgoing_free, &mined->findings);
    if (status)
        return error_set(err, status, "no operands: %s", status_text(status));
    outlet.findings = mined->findings;
    status = scheme_noisy_gemm.begin(mined->jobs, &mined->plain, &limits, &outlet,
                                     &mined->run, err);
    if (!status)
        status = scheme_noisy_gemm.prepare(mined->run, mined->operands.weights, err);
    return status ? status : mined_dictate(mined, setup, err);
}

/* All that wait are proved; the first one goes to share when there is none yet. */
static enum status findings_check(struct mined *mined, uint32_t *count,
                                  struct share **share, struct error *err)
{
    void *thing;
    enum status status = STATUS_OK;

    while (!status && !queue_take(mined->findings, 0, &thing)) {
        struct outgoing *outgoing = thing;
        struct share *made = NULL;

        status = scheme_noisy_gemm.prove(outgoing->as.finding, &made, err);
        outgoing_free(outgoing);
        ++*count;
        if (share && !*share)
            *share = made;
        else
            share_free(made);
    }
    if (status) {
        error_prefix(err, "a finding does not hold");
        err->status = status = STATUS_MISMATCH;
    }
    return status;
}

static enum status check_under(struct mined *mined, uint64_t work, struct share **share,
                               struct error *err)
{
    uint32_t count = 0;
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && !count && i < TRIES_MAX; i++) {
        status = mined_job(mined, work);
        if (!status)
            status = mined_renew(mined);
        if (!status)
            status = mined_run(mined);
        if (status)
            return error_set(err, status, "the product failed: %s", status_text(status));
        status = findings_check(mined, &count, share, err);
    }
    if (!status && !count)
        return error_set(err, STATUS_MISMATCH,
                         "no ticket won under a job that %d of them should",
                         WINS_EXPECTED);
    return status;
}

enum status mined_check(struct mined *mined, struct share **share, struct error *err)
{
    const struct model_shape s = mined->operands.shape;
    const uint64_t credited = mined->rank < 128 ? mined->rank : 128;
    const uint64_t all = s.m * s.n * (s.k / mined->rank) * credited;
    enum status status = check_under(mined, all / WINS_EXPECTED, share, err);
    const struct product_check check = {.device = mined->device,
                                        .c = mined->c,
                                        .shape = s,
                                        .seed_a = mined->seed_a,
                                        .seed_b = SEED_B};

    if (!status && mined->c)
        status = product_check(&check, err);
    if (status)
        return status;
    status = mined_job(mined, 0);
    if (!status)
        status = mined_run(mined);
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

void mined_shape(const struct mined *mined, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = mined->operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k, mined->rank);
}
