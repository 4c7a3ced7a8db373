/*
 * merkle.h - the keyed chunk tree of one operand: its layers, its openings, its root.
 *
 * The tree is BLAKE3's own over 1024-byte chunks (pow.md sections 4 and 8).  Layers lie
 * one after the other, chunk layer first, root last, each value 32 bytes; a layer of c
 * values is followed by one of (c + 1) / 2.  No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_MERKLE_H
#define MINERVA_POW_MERKLE_H

#include "miner/work/proof.h"

/* Chunks of an operand of rows x k bytes, the padded last one included. */
uint64_t merkle_chunks(uint64_t rows, uint64_t k);
/* Values of all layers over that many chunks. */
uint64_t merkle_values(uint64_t chunks);

/* What an opening needs of the operand and of its tree.  Both arrays are owned. */
struct merkle_plan {
    uint64_t chunk_count, *chunks;     /* those that cover the rows, ascending */
    uint64_t sibling_count, *siblings; /* positions among the tree's values, wire order */
};
/* rows: ascending, below the operand's own.  total: chunks of the whole operand. */
MUST_CHECK enum status merkle_plan_new(const uint64_t *rows, uint64_t row_count,
                                       uint64_t k, uint64_t total,
                                       struct merkle_plan *out);
void merkle_plan_free(struct merkle_plan *plan);

/* The root that an opening's chunks and siblings lead to.  BAD_PROOF: siblings are
 * missing or left over, or the chunks are out of order. */
MUST_CHECK enum status merkle_root(const struct opening *opening,
                                   const uint8_t key[DIGEST_SIZE],
                                   uint8_t root[DIGEST_SIZE], struct error *err);

#endif
