/*
 * bench_new_header.c - from a header that comes in to the end of the first product under
 * it.
 *
 * In the clock: hash and noise of both operands, packing, the product under the new job,
 * handed back clean.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

struct bench {
    struct mined mined;
};

static void new_header_close(struct bench *bench)
{
    if (bench)
        mined_close(&bench->mined);
    memory_free(bench);
}

static enum status new_header_open(const struct bench_setup *setup, struct bench **out,
                                   struct error *err)
{
    enum status status;

    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    status = mined_open(&(*out)->mined, setup, true, err);
    return status ? status : mined_check(&(*out)->mined, NULL, err);
}

static enum status new_header_run(struct bench *bench, double *value, struct error *err)
{
    enum status status = mined_renew(&bench->mined);
    const uint64_t start = clock_ns();

    if (!status)
        status = mined_job(&bench->mined, 0);
    if (!status)
        status = mined_run(&bench->mined);
    *value = (double)(clock_ns() - start) / 1e6;
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

static void new_header_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    mined_shape(&bench->mined, text);
}

const struct bench_kind bench_new_header = {
    .name = "new_header",
    .unit = "ms",
    .open = new_header_open,
    .close = new_header_close,
    .run = new_header_run,
    .shape = new_header_shape,
};
