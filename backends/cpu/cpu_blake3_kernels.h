/*
 * cpu_blake3_kernels.h - the kernels that hash, out of cpu_blake3_lanes.h.
 *
 * Before including it a file defines what that header wants, and vec_dense (of random
 * words the dense noise, 4 values each) and vec_pairs (the pairs of positions that they
 * choose; mask: rank - 1).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_BLAKE3_KERNELS_H
#define MINERVA_BACKENDS_CPU_BLAKE3_KERNELS_H

#include "backends/cpu/cpu_blake3_lanes.h"

#define ONE_BLOCK (BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT)

INLINE uint64_t lanes_of(uint64_t first, uint64_t last)
{
    return last - first < LANES ? last - first : LANES;
}

void LANES_KERNEL(blake3_chunks)(uint64_t first, uint64_t last, void *const *views,
                                 const union scalar *scalars)
{
    const uint64_t size = scalars[0].u64, whole = scalars[1].u32 ? 0 : size / 1024;
    const uint64_t end = last < whole ? last : whole;

    for (; first < end; first += LANES)
        chunks_hash(views[0], views[1], first, lanes_of(first, end), views[2]);
    if (first > end)
        first = end;
    if (first < last)
        kernel_table[KERNEL_blake3_chunks].run(first, last, views, scalars);
}

void LANES_KERNEL(blake3_parents)(uint64_t first, uint64_t last, void *const *views,
                                  const union scalar *scalars)
{
    const uint64_t whole = scalars[1].u32 ? 0 : scalars[0].u64 / 2;
    const uint64_t end = last < whole ? last : whole;
    const uint8_t *values = views[0];
    uint8_t *parents = views[2];

    for (; first < end; first += LANES)
        blocks_hash(values + 64 * first, views[1], lanes_of(first, end),
                    BLAKE3_KEYED | BLAKE3_PARENT, parents + 32 * first);
    if (first > end)
        first = end;
    if (first < last)
        kernel_table[KERNEL_blake3_parents].run(first, last, views, scalars);
}

void LANES_KERNEL(ticket_hash)(uint64_t first, uint64_t last, void *const *views,
                               const union scalar *scalars)
{
    const uint8_t *words = views[0];
    uint8_t *tickets = views[2];

    (void)scalars;
    for (uint64_t tile = first; tile < last; tile += LANES)
        blocks_hash(words + 64 * tile, views[1], lanes_of(tile, last), ONE_BLOCK,
                    tickets + 32 * tile);
}

/* As many streams from number `first` on as there are lanes: word i of each in cv[i]. */
INLINE void stream(const uint8_t *seed, uint32_t side, uint32_t slot, uint64_t first,
                   vec cv[8])
{
    const vec counter[2] = {vec_spread(0), vec_spread(0)};
    uint32_t numbers[LANES];
    vec m[16];

    for (uint32_t i = 0; i < LANES; i++)
        numbers[i] = (uint32_t)(first + i + 1);
    for (int i = 0; i < 16; i++)
        m[i] = vec_spread(0);
    m[slot] = vec_load(numbers);
    m[8] = vec_spread(0x65745f41u + side); /* "A_te" */
    m[9] = vec_spread(0x726f736eu);        /* "nsor" */
    key_load(seed, cv);
    compress(cv, m, counter, ONE_BLOCK);
}

void LANES_KERNEL(noise_dense)(uint64_t first, uint64_t last, void *const *views,
                               const union scalar *scalars)
{
    const uint64_t base = scalars[1].u64;
    uint8_t *out = views[1];

    for (uint64_t unit = first; unit < last; unit += LANES) {
        vec cv[8];

        stream(views[0], scalars[0].u32, 0, unit, cv);
        for (int i = 0; i < 8; i++)
            cv[i] = vec_dense(cv[i]);
        hashes_store(cv, lanes_of(unit, last), out + 32 * (unit - base));
    }
}

void LANES_KERNEL(noise_pairs)(uint64_t first, uint64_t last, void *const *views,
                               const union scalar *scalars)
{
    const uint32_t side = scalars[0].u32, rank = scalars[1].u32, k = scalars[2].u32;
    const uint64_t end = last < k / 8 ? last : k / 8;
    uint8_t *pairs = views[1];

    for (uint64_t unit = first; unit < end; unit += LANES) {
        vec cv[8];

        stream(views[0], side, 1, unit, cv);
        for (int i = 0; i < 8; i++)
            cv[i] = vec_pairs(cv[i], vec_spread(rank - 1));
        hashes_store(cv, lanes_of(unit, end), pairs + 32 * unit);
    }
    if (end < last && first < last)
        kernel_table[KERNEL_noise_pairs].run(first > end ? first : end, last, views,
                                             scalars);
}

#endif
