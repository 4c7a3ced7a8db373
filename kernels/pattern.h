/*
 * pattern.h - which rows (or columns) make one ticket: a three-fold arithmetic
 * progression.
 *
 * pow.md section 3.  Plain C, open to every rank like blake3_host.h: backends enumerate
 * tiles with it, proofs encode it.  No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_PATTERN_H
#define MINERVA_KERNELS_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

enum { PATTERN_COUNT_MAX = 128, PATTERN_BYTES = 6 };

struct pattern {
    uint32_t count;                      /* h or w: 1..PATTERN_COUNT_MAX */
    uint32_t offsets[PATTERN_COUNT_MAX]; /* ascending from 0 */
    uint32_t stride[3], length[3]; /* first pair first; unused pairs are (period, 1) */
};

/* From a list that starts at 0 and ascends; false when it is not an up to three-fold
 * progression whose strides nest and fit their bytes. */
bool pattern_from_offsets(const uint32_t *offsets, uint32_t count, struct pattern *out);
/* All sums of three pairs, each a stride up to so many times less one; the smallest
 * stride first, unused pairs (any, 1).  false as above, or more than PATTERN_COUNT_MAX.
 */
bool pattern_from_pairs(const uint32_t length[3], const uint32_t stride[3],
                        struct pattern *out);
bool pattern_is_same(const struct pattern *a, const struct pattern *b);
/* 0, 1, ..., count - 1. */
struct pattern pattern_range(uint32_t count);
void pattern_encode(const struct pattern *pattern, uint8_t out[PATTERN_BYTES]);
bool pattern_is_start(const struct pattern *pattern, uint64_t offset);
/* How many legal starts have their last element below size. */
uint64_t pattern_starts(const struct pattern *pattern, uint64_t size);
/* The index-th legal start, ascending (the inverse of counting pattern_is_start). */
uint64_t pattern_start(const struct pattern *pattern, uint64_t index);

#endif
