/*
 * bench_new_header.c - from a header that comes in to the end of the first product under
 * it.
 *
 * In the clock: hash and noise of both operands, packing, the product under the new job,
 * handed back clean.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined_bench.h"
#include "miner/base/clock.h"

static enum status new_header_run(struct bench *bench, double *value, struct error *err)
{
    enum status status = mined_renew(&bench->mined);
    const uint64_t start = clock_ns();

    if (!status)
        status = mined_job(&bench->mined, 0);
    if (!status)
        status = mined_run(&bench->mined);
    *value = (double)(clock_ns() - start) / 1e6;
    return mined_bench_judge(status, err);
}

const struct bench_kind bench_new_header = {
    .name = "new_header",
    .unit = "ms",
    .open = mined_bench_open_product,
    .close = mined_bench_close,
    .run = new_header_run,
    .shape = mined_bench_shape,
};
