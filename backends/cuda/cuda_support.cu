/*
 * cuda_support.cu - the small kernels that the host half needs beside the texts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_product.h"
#include "backends/cuda/ptx.h"

/* Every lane's share of [first, last). */
#define SHARE(index, from, to)                                                           \
    for (u64 index = (from) + (u64)block_index() * thread_count() + thread_index();      \
         index < (to); index += (u64)block_count() * thread_count())

/* to[row][l] = from[row][l], l < k, rows of `to` stride bytes apart; unit = byte. */
KERNEL(cuda_rows_pad, 256, 4, u64 first, u64 last, ci8 *from, i8 *to, u32 k, u32 stride)
{
    SHARE (i, first, last) {
        to[i / k * stride + i % k] = from[i];
    }
}

/* Little-endian words: the last one weighs most. */
DEVICE_FN u32 ticket_wins(cu32 *ticket, cu32 *bound)
{
    for (int i = 7; i >= 0; i--)
        if (ticket[i] != bound[i])
            return ticket[i] < bound[i];
    return 1;
}

/* Tickets of the tiles from `first` on; those that win go to the ring; unit = tile. */
KERNEL(cuda_hits_take, 256, 4, u64 first, u64 last, cuda_product product, cu32 *tickets)
{
    SHARE (tile, first, last) {
        cu32 *ticket = tickets + 8 * (tile - first);

        if (!ticket_wins(ticket, product.bound))
            continue;
        const u32 index = atomic_add(&product.ring->count, 1);

        if (index >= product.hits_max)
            continue;
        cuda_hit *hit = &product.ring->hit[index];
        hit->row = product.rows[tile / product.tile_columns * product.h];
        hit->column = product.columns[tile % product.tile_columns * product.w];
        for (u32 i = 0; i < 8; i++)
            ((u32 *)hit->ticket)[i] = ticket[i];
    }
}

DEVICE_FN u32 hit_before(const cuda_hit *a, const cuda_hit *b)
{
    return a->row != b->row ? a->row < b->row : a->column < b->column;
}

/* Puts two hits in order; those at and beyond count stand behind all others as they are. */
DEVICE_FN void hits_settle(cuda_ring *ring, u32 count, u32 low, u32 high)
{
    if (high >= count || !hit_before(&ring->hit[high], &ring->hit[low]))
        return;
    u32 *a = (u32 *)&ring->hit[low], *b = (u32 *)&ring->hit[high];

    for (u32 i = 0; i < sizeof(cuda_hit) / sizeof(u32); i++) {
        const u32 word = a[i];
        a[i] = b[i];
        b[i] = word;
    }
}

/* By row, then column, ascending, in one block: a merge network whose comparisons all
 * point upwards, so that any count will do. */
KERNEL(cuda_hits_order, 256, 1, cuda_ring *ring, u32 hits_max)
{
    const u32 count = ring->count < hits_max ? ring->count : hits_max;

    for (u32 size = 2; size < 2 * count; size *= 2)
        for (u32 apart = size / 2; apart > 0; apart /= 2) {
            const u32 pairs = (count + size - 1) / size * (size / 2);

            for (u32 i = thread_index(); i < pairs; i += thread_count()) {
                const u32 begin = i / apart * 2 * apart, at = i % apart;

                hits_settle(ring, count, begin + at,
                            apart == size / 2 ? begin + 2 * apart - 1 - at
                                              : begin + apart + at);
            }
            block_sync();
        }
}
