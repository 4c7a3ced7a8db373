/*
 * bench_mining.c - products that are searched for tickets and not written.
 *
 * In the clock: hash and noise of the left operand, packing, product, folds, tickets. The
 * right operand is hashed and noised beforehand; the left one is another one each time.
 * One product at a time, or where the device runs ahead a stretch of them, one's left
 * operand prepared while the one before it runs, from the first one's hash to the end of
 * the last.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/mined_bench.h"

const struct bench_kind bench_mining = {
    .name = "mining",
    .unit = "GMAC/s",
    .open = mined_bench_open_tickets,
    .close = mined_bench_close,
    .run = mined_bench_run,
    .shape = mined_bench_shape,
};
