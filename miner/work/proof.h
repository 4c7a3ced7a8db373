/*
 * proof.h - a proof taken apart: the opened chunks of both operands and where the tile
 * lies.
 *
 * The bytes on the wire are plain_proof.h's business, building and judging one is
 * miner/pow's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_PROOF_H
#define MINERVA_WORK_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

enum { CHUNK_SIZE = 1024, DIGEST_SIZE = 32 };

/* One operand's opening.  All arrays are owned. */
struct opening {
    uint64_t chunk_count;
    uint8_t *chunks; /* chunk_count * CHUNK_SIZE bytes, ascending */
    uint64_t *chunk_indices;
    uint64_t chunk_total;      /* ceil(rows * k / CHUNK_SIZE) of the whole operand */
    uint8_t root[DIGEST_SIZE]; /* raw, before salting */
    uint64_t sibling_count;
    uint8_t *siblings;  /* sibling_count * DIGEST_SIZE */
    uint64_t row_count; /* h or w */
    uint64_t *rows;     /* absolute, ascending: rows of A, columns of B */
};

struct proof {
    uint64_t m, n, k, rank;
    struct opening a, b;
};

/* Room for the counts already set in opening; NO_MEMORY frees what was had. */
MUST_CHECK enum status opening_reserve(struct opening *opening);
void opening_free(struct opening *opening);
void proof_free(struct proof *proof); /* the arrays, not the struct */

#endif
