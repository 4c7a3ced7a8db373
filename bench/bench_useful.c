/*
 * bench_useful.c - one product that is searched for tickets and handed back clean.
 *
 * In the clock: what bench_mining.c times, and the correction and the product's writing.
 * The right operand is hashed and noised beforehand; the left one is another one each
 * time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

struct bench {
    struct mined mined;
};

static void useful_close(struct bench *bench)
{
    if (bench)
        mined_close(&bench->mined);
    memory_free(bench);
}

static enum status useful_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    enum status status;

    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    status = mined_open(&(*out)->mined, setup, true, err);
    return status ? status : mined_check(&(*out)->mined, NULL, err);
}

static enum status useful_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->mined.operands.shape;
    enum status status = mined_renew(&bench->mined);
    const uint64_t start = clock_ns();

    if (!status)
        status = mined_run(&bench->mined);
    *value = (double)s.m * (double)s.n * (double)s.k / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

static void useful_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    mined_shape(&bench->mined, text);
}

const struct bench_kind bench_useful = {
    .name = "useful",
    .unit = "GMAC/s",
    .open = useful_open,
    .close = useful_close,
    .run = useful_run,
    .shape = useful_shape,
};
