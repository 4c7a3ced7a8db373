/*
 * cuda_ticket.h - sixteen words to a ticket, and a winning one into the ring.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_TICKET_H
#define MINERVA_BACKENDS_CUDA_TICKET_H

#include "backends/cuda/cuda_product.h"
#include "backends/cuda/ptx.h"
#include "kernels/blake3_compress.h"

/* ticket <= bound, both little-endian. */
DEVICE_FN u32 ticket_wins(const u32 ticket[8], const u32 bound[8])
{
    u32 wins = 1;

    UNROLL
    for (u32 i = 0; i < 8; i++)
        wins = ticket[i] < bound[i] || (ticket[i] == bound[i] && wins);
    return wins;
}

DEVICE_FN void ticket_store(const struct cuda_product *product, const u32 ticket[8],
                            u32 row, u32 column)
{
    const u32 at = atomic_add(&product->ring->count, 1);
    struct cuda_hit *hit = product->ring->hit + at;

    if (at >= product->hits_max)
        return;
    hit->row = row;
    hit->column = column;
    blake3_store(ticket, hit->ticket);
}

/* words are used up.  row and column: the tile's start. */
DEVICE_FN void ticket_draw(const struct cuda_product *product, u32 words[16], u32 row,
                           u32 column)
{
    u32 ticket[8];

    UNROLL
    for (u32 i = 0; i < 8; i++)
        ticket[i] = product->seed[i];
    blake3_compress(ticket, words, 0, 64,
                    BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT);
    if (ticket_wins(ticket, product->bound))
        ticket_store(product, ticket, row, column);
}

#endif
