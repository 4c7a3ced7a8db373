/*
 * product_check.h - whether c is a times b, without multiplying them.
 *
 * Freivalds: c v = a (b v) for a vector v of random 64-bit numbers, modulo 2^64.  An
 * element that is wrong by less than 2^32 passes with a chance below 2^-32.  Shares
 * nothing with any backend.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_PRODUCT_CHECK_H
#define MINERVA_BENCH_PRODUCT_CHECK_H

#include "miner/models/model.h"

/* c holds m x n int32 on the device; the operands are the generated ones of these seeds
 * (pow.md 11).  MISMATCH names the first row that is wrong. */
struct product_check {
    struct device *device;
    struct buffer *c;
    struct model_shape shape;
    uint64_t seed_a, seed_b;
};
MUST_CHECK enum status product_check(const struct product_check *check,
                                     struct error *err);

#endif
