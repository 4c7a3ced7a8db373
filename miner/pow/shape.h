/*
 * shape.h - which products can carry a proof (pow.md section 1), each limit with its
 * sentence.
 *
 * No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_SHAPE_H
#define MINERVA_POW_SHAPE_H

#include <stdint.h>

#include "miner/base/error.h"

enum { RANK_MIN = 32, RANK_MAX = 1024, TILE_WORK_MIN = 32, TILE_WORK_MAX = 256 };

struct pow_shape {
    uint64_t m, n, k, rank;
    uint64_t h, w; /* rows and columns of a tile */
};

/* BAD_PROOF and the first limit that does not hold. */
MUST_CHECK enum status pow_shape_check(const struct pow_shape *shape, uint32_t min_rank,
                                       struct error *err);
/* Bytes of a proof of it, at most: before base64, which adds a third. */
uint64_t pow_proof_size_max(const struct pow_shape *shape);

#endif
