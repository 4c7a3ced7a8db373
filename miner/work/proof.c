/*
 * proof.c - room for a proof's arrays.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/proof.h"

#include "miner/base/memory.h"

enum status opening_reserve(struct opening *opening)
{
    opening->chunks = memory_array(opening->chunk_count, CHUNK_SIZE);
    opening->chunk_indices = memory_array(opening->chunk_count, sizeof(uint64_t));
    opening->siblings = memory_array(opening->sibling_count, DIGEST_SIZE);
    opening->rows = memory_array(opening->row_count, sizeof(uint64_t));
    if (opening->chunks && opening->chunk_indices && opening->siblings && opening->rows)
        return STATUS_OK;
    opening_free(opening);
    return STATUS_NO_MEMORY;
}

void opening_free(struct opening *opening)
{
    memory_free(opening->chunks);
    memory_free(opening->chunk_indices);
    memory_free(opening->siblings);
    memory_free(opening->rows);
    *opening = (struct opening){0};
}

void proof_free(struct proof *proof)
{
    opening_free(&proof->a);
    opening_free(&proof->b);
}
