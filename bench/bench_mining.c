/*
 * bench_mining.c - one product that is searched for tickets and not written.
 *
 * In the clock: hash and noise of the left operand, packing, product, folds, tickets. The
 * right operand is hashed and noised beforehand; the left one is another one each time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

struct bench {
    struct mined mined;
};

static void mining_close(struct bench *bench)
{
    if (bench)
        mined_close(&bench->mined);
    memory_free(bench);
}

static enum status mining_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    enum status status;

    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    status = mined_open(&(*out)->mined, setup, false, err);
    return status ? status : mined_check(&(*out)->mined, NULL, err);
}

static enum status mining_run(struct bench *bench, double *value, struct error *err)
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

static void mining_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    mined_shape(&bench->mined, text);
}

const struct bench_kind bench_mining = {
    .name = "mining",
    .unit = "GMAC/s",
    .open = mining_open,
    .close = mining_close,
    .run = mining_run,
    .shape = mining_shape,
};
