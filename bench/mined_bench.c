/*
 * mined_bench.c - one product under a job, opened, timed and closed as a benchmark.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined_bench.h"

#include "miner/base/clock.h"
#include "miner/base/memory.h"

static enum status open_any(const struct bench_setup *setup, bool wants_product,
                            struct bench **out, struct error *err)
{
    enum status status;

    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    status = mined_open(&(*out)->mined, setup, wants_product, err);
    return status ? status : mined_check(&(*out)->mined, NULL, err);
}

enum status mined_bench_open_tickets(const struct bench_setup *setup, struct bench **out,
                                     struct error *err)
{
    return open_any(setup, false, out, err);
}

enum status mined_bench_open_product(const struct bench_setup *setup, struct bench **out,
                                     struct error *err)
{
    return open_any(setup, true, out, err);
}

void mined_bench_close(struct bench *bench)
{
    if (bench)
        mined_close(&bench->mined);
    memory_free(bench);
}

enum status mined_bench_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->mined.operands.shape;
    enum status status = mined_renew(&bench->mined);
    const uint64_t start = clock_ns();

    if (!status)
        status = mined_run_stretch(&bench->mined);
    *value = bench->mined.stretch * (double)s.m * (double)s.n * (double)s.k /
             (double)(clock_ns() - start);
    return mined_bench_judge(status, err);
}

void mined_bench_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    mined_shape(&bench->mined, text);
}

enum status mined_bench_judge(enum status status, struct error *err)
{
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}
