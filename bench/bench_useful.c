/*
 * bench_useful.c - one product that is searched for tickets and handed back clean.
 *
 * In the clock: what bench_mining.c times, and the correction and the product's writing.
 * The right operand is hashed and noised beforehand; the left one is another one each
 * time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined_bench.h"

const struct bench_kind bench_useful = {
    .name = "useful",
    .unit = "GMAC/s",
    .open = mined_bench_open_product,
    .close = mined_bench_close,
    .run = mined_bench_run,
    .shape = mined_bench_shape,
};
