/*
 * bench_verify_share.c - what a pool does with one share: decode its bytes, verify all of
 * it.
 *
 * On one thread of the CPU, whatever the device: the device only finds the share.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "bench/mined.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/work/plain_proof.h"

struct bench {
    struct mined mined;
    struct share *share;
    struct pow_check check;
};

static void verify_share_close(struct bench *bench)
{
    if (!bench)
        return;
    share_free(bench->share);
    mined_close(&bench->mined);
    memory_free(bench);
}

static enum status verify(const struct bench *bench, struct error *err)
{
    struct proof proof = {.m = 0};
    uint8_t ticket[32];
    enum status status =
        plain_proof_decode(blob_bytes(&bench->share->plain_proof), &proof, err);

    if (!status)
        status = scheme_noisy_gemm.verify(&proof, &bench->check, ticket, err);
    proof_free(&proof);
    return status;
}

/* One bit of the first opened chunk: the proof must fall, or the clock would time
 * nothing. */
static enum status tamper_check(struct bench *bench, struct error *err)
{
    enum { IN_FIRST_CHUNK = 4 * 8 + 8 + 8 + 100 };
    uint8_t *byte = &bench->share->plain_proof.data[IN_FIRST_CHUNK];
    struct error ignored;
    enum status status;

    *byte ^= 1;
    status = verify(bench, &ignored);
    *byte ^= 1;
    return status ? STATUS_OK
                  : error_set(err, STATUS_MISMATCH,
                              "a proof with one bit changed is accepted");
}

static enum status verify_share_open(const struct bench_setup *setup, struct bench **out,
                                     struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);
    enum status status;

    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    status = mined_open(&bench->mined, setup, false, err);
    if (!status)
        status = mined_check(&bench->mined, &bench->share, err);
    if (status)
        return status;
    memcpy(bench->check.header, bench->share->job->header, JOB_HEADER_SIZE);
    bench->check.cert_version = bench->share->job->cert_version;
    bench->check.min_rank = bench->share->job->min_rank;
    bench->check.target = bench->share->job->target;
    return tamper_check(bench, err);
}

static enum status verify_share_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t start = clock_ns();
    const enum status status = verify(bench, err);

    *value = (double)(clock_ns() - start) / 1e6;
    return status;
}

static void verify_share_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    mined_shape(&bench->mined, text);
}

const struct bench_kind bench_verify_share = {
    .name = "verify_share",
    .unit = "ms",
    .open = verify_share_open,
    .close = verify_share_close,
    .run = verify_share_run,
    .shape = verify_share_shape,
};
