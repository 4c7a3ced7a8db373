/*
 * peers_share.c - a share of a shape too large to multiply here, verified.
 *
 * What a verifier does depends on the trees' depth, not on the product: one tile of two
 * generated operands is opened under a target that every ticket meets.  In the clock:
 * decoding the share's bytes and verifying all of it, on one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "bench/peers/peers.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/pow/noisy_gemm_findings.h"
#include "miner/pow/operand_tree.h"
#include "miner/pow/scheme.h"
#include "miner/work/plain_proof.h"

enum { SEED_A = 1, SEED_B = 2, WORK_MAX = 256, TILE_LINE = 77 };

struct bench {
    struct bench_setup shape;
    struct pow_check check;
    struct blob plain_proof;
};

/* What the share is made from, and gone before the clock starts. */
struct making {
    struct device *device;
    struct configuration configuration;
    struct job *job;
    struct buffer *key, *hits;
    struct buffer *operand[2], *tree[2];
    uint8_t root[2][DIGEST_SIZE];
    struct findings_outlet outlet;
    struct queue *findings;
};

static void making_end(struct making *making)
{
    for (int i = 0; i < 2; i++) {
        device_buffer_free(making->device, making->operand[i]);
        device_buffer_free(making->device, making->tree[i]);
    }
    device_buffer_free(making->device, making->key);
    device_buffer_free(making->device, making->hits);
    findings_outlet_close(&making->outlet);
    queue_free(making->findings);
    job_release(making->job);
}

static void large_share_close(struct bench *bench)
{
    if (bench)
        blob_free(&bench->plain_proof);
    memory_free(bench);
}

/* One operand of so many rows, generated, and its tree. */
static enum status operand_make(struct making *making, int side, uint64_t rows,
                                uint64_t seed)
{
    const uint64_t k = making->configuration.k;
    struct buffer **operand = &making->operand[side], **tree = &making->tree[side];
    enum status status = device_buffer_new(making->device, (size_t)(rows * k), operand);

    if (!status)
        status = device_buffer_new(making->device, operand_tree_size(rows, k), tree);
    if (status)
        return status;
    const struct launch launch = {.kernel = KERNEL_test_matrix,
                                  .last = rows * k,
                                  .views = {{*operand, 0}},
                                  .scalars = {{.u64 = seed}}};
    const struct operand_tree layers = {.device = making->device,
                                        .operand = {*operand, 0},
                                        .size = rows * k,
                                        .key = making->key,
                                        .tree = *tree};
    status = device_launch(making->device, &launch);
    return status ? status : operand_tree_make(&layers, NULL, making->root[side]);
}

static enum status hit_write(struct making *making, const struct bench *bench)
{
    const struct configuration *c = &making->configuration;
    const struct hits head = {.count = 1};
    const struct hit hit = {
        .row = (uint32_t)pattern_start(
            &c->rows, pattern_starts(&c->rows, bench->shape.m) * TILE_LINE / 100),
        .column = (uint32_t)pattern_start(
            &c->columns, pattern_starts(&c->columns, bench->shape.n) * TILE_LINE / 100),
    };
    enum status status =
        device_buffer_new(making->device, sizeof head + sizeof hit, &making->hits);

    if (!status)
        status = device_write(making->device, making->hits, 0, &head, sizeof head);
    return status ? status
                  : device_write(making->device, making->hits, sizeof head, &hit,
                                 sizeof hit);
}

/* Configuration, job and job key. */
static enum status making_begin(struct making *making, struct bench *bench)
{
    struct job job = {.cert_version = 3, .min_rank = bench->shape.rank};
    struct matmul_plan plan;
    uint8_t key[DIGEST_SIZE];
    enum status status = device_plan(making->device, bench->shape.m, bench->shape.n,
                                     bench->shape.k, WORK_MAX, &plan);

    if (status)
        return status;
    /* One ticket in as many as the tile has work is above the bound. */
    job.target = target_from_work(1 + pow_work_factor(plan.rows.count, plan.columns.count,
                                                      bench->shape.k, bench->shape.rank));
    memcpy(bench->check.header, job.header, JOB_HEADER_SIZE);
    bench->check.cert_version = job.cert_version;
    bench->check.min_rank = job.min_rank;
    bench->check.target = job.target;
    making->configuration = (struct configuration){
        .k = bench->shape.k,
        .rank = bench->shape.rank,
        .rows = plan.rows,
        .columns = plan.columns,
    };
    commitment_job_key(job.header, &making->configuration, key);
    making->job = job_new(&job);
    status = making->job ? device_buffer_new(making->device, sizeof key, &making->key)
                         : STATUS_NO_MEMORY;
    return status ? status
                  : device_write(making->device, making->key, 0, key, sizeof key);
}

static enum status finding_make(struct making *making, const struct bench *bench)
{
    const struct pow_outlet *to;
    enum status status = queue_new(1, outgoing_free, &making->findings);

    if (status)
        return status;
    to = &(struct pow_outlet){.findings = making->findings};
    status = findings_outlet_open(&making->outlet, to, 1);
    if (!status)
        status = operand_make(making, 0, bench->shape.m, SEED_A);
    if (!status)
        status = operand_make(making, 1, bench->shape.n, SEED_B);
    if (!status)
        status = hit_write(making, bench);
    const struct findings_source source = {
        .device = making->device,
        .job = making->job,
        .task_id = "",
        .configuration = &making->configuration,
        .a = {{making->operand[0], 0},
              {making->tree[0], 0},
              bench->shape.m,
              making->root[0]},
        .b = {{making->operand[1], 0},
              {making->tree[1], 0},
              bench->shape.n,
              making->root[1]},
    };
    return status ? status : findings_send(&making->outlet, &source, making->hits, 1);
}

static enum status share_make(struct making *making, struct bench *bench)
{
    void *thing;
    enum status status = making_begin(making, bench);

    if (!status)
        status = finding_make(making, bench);
    if (!status)
        status = queue_take(making->findings, 0, &thing);
    if (status)
        return status;
    const struct outgoing *outgoing = thing;
    status = plain_proof_encode(&outgoing->as.finding->proof, &bench->plain_proof);
    outgoing_free(thing);
    return status;
}

static enum status verify(const struct bench *bench, struct error *err)
{
    struct proof proof = {.m = 0};
    uint8_t ticket[DIGEST_SIZE];
    enum status status = plain_proof_decode(blob_bytes(&bench->plain_proof), &proof, err);

    if (!status)
        status = scheme_noisy_gemm.verify(&proof, &bench->check, ticket, err);
    proof_free(&proof);
    return status;
}

/* The middle of the bytes is an opened chunk: the proof must fall. */
static enum status tamper_check(struct bench *bench, struct error *err)
{
    uint8_t *byte = &bench->plain_proof.data[bench->plain_proof.size / 2];
    struct error ignored;
    enum status status;

    *byte ^= 1;
    status = verify(bench, &ignored);
    *byte ^= 1;
    return status ? STATUS_OK
                  : error_set(err, STATUS_MISMATCH,
                              "a proof with one bit changed is accepted");
}

static enum status large_share_open(const struct bench_setup *setup, struct bench **out,
                                    struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);
    struct making making = {.device = setup->device};
    enum status status = bench ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status) {
        bench->plain_proof = blob_empty(PLAIN_PROOF_SIZE_MAX);
        bench->shape = *setup;
        status = share_make(&making, bench);
    }
    making_end(&making);
    if (status)
        return error_set(err, status, "no share of %u x %u x %u: %s", setup->m, setup->n,
                         setup->k, status_text(status));
    status = verify(bench, err);
    if (status) {
        err->status = STATUS_MISMATCH;
        return STATUS_MISMATCH;
    }
    return tamper_check(bench, err);
}

static enum status large_share_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t start = clock_ns();
    const enum status status = verify(bench, err);

    *value = (double)(clock_ns() - start) / 1e6;
    return status;
}

static void large_share_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u,%u", bench->shape.m, bench->shape.n,
             bench->shape.k, bench->shape.rank);
}

const struct bench_kind large_share = {
    .name = "verify_share",
    .unit = "ms",
    .open = large_share_open,
    .close = large_share_close,
    .run = large_share_run,
    .shape = large_share_shape,
};
