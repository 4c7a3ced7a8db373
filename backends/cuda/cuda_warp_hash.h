/*
 * cuda_warp_hash.h - blake3.cl's chunks with words loaded whole.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_WARP_HASH_H
#define MINERVA_BACKENDS_CUDA_WARP_HASH_H

#include "backends/cuda/cuda_warp.h"

#include "kernels/hash/blake3.cl"

/* Sixteen words of a block that begins on 16 bytes. */
DEVICE_FN void hash_load(GLOBAL cu8 *from, u32 words[16])
{
    UNROLL
    for (u32 i = 0; i < 16; i += 4)
        load_16(words + i, from + 4 * i);
}

DEVICE_FN void hash_store(GLOBAL u8 *to, const u32 words[8])
{
    store_16(to, words);
    store_16(to + 16, words + 4);
}

/* Of any block, of which so many bytes are there: zeros behind them. */
DEVICE_FN void hash_load_part(GLOBAL cu8 *from, u32 size, u32 words[16])
{
    UNROLL
    for (u32 i = 0; i < 16; i++) {
        words[i] = 0;
        UNROLL
        for (u32 byte = 0; byte < 4; byte++)
            if (4 * i + byte < size)
                words[i] |= (u32)from[4 * i + byte] << 8 * byte;
    }
}

/* blake3_chunk_padded; is_whole: from begins on 16 bytes. */
DEVICE_FN void hash_chunk(GLOBAL cu8 *from, u32 size, u32 is_whole, u64 number, u32 root,
                          u32 cv[8])
{
    for (u32 block = 0; block < 16; block++) {
        const u32 start = 64 * block;
        const u32 edge = block == 0    ? BLAKE3_CHUNK_START
                         : block == 15 ? BLAKE3_CHUNK_END | root
                                       : 0;
        u32 words[16];

        if (is_whole && start + 64 <= size)
            hash_load(from + start, words);
        else
            hash_load_part(from + start, start < size ? size - start : 0, words);
        blake3_compress(cv, words, number, 64, BLAKE3_KEYED | edge);
    }
}

#endif
