/*
 * cuda_warp_hash.cu - blake3.cl with words loaded whole: a lane a chunk, or a parent.
 *
 * SPDX-License-Identifier: MIT
 */
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

KERNEL(hash_chunks, HASH_THREADS, 4, u64 first, u64 last, GLOBAL cu8 *data,
       GLOBAL cu8 *key, GLOBAL u8 *values, u64 size, u32 root)
{
    const u32 is_whole = ((u64)data | (u64)values) % 16 == 0;

    EACH (chunk, first, last) {
        const u64 start = 1024 * chunk;
        const u64 left = start < size ? size - start : 0;
        u32 cv[8];

        blake3_load(key, 8, cv);
        hash_chunk(data + start, left < 1024 ? (u32)left : 1024u, is_whole, chunk,
                   root ? BLAKE3_ROOT : 0u, cv);
        if (is_whole)
            hash_store(values + 32 * chunk, cv);
        else
            blake3_store(cv, values + 32 * chunk);
    }
}

KERNEL(hash_parents, HASH_THREADS, 4, u64 first, u64 last, GLOBAL cu8 *values,
       GLOBAL cu8 *key, GLOBAL u8 *parents, u64 count, u32 root)
{
    if (((u64)values | (u64)parents) % 16) {
        kernel_blake3_parents(first, last, values, key, parents, count, root);
        return;
    }
    EACH (parent, first, last) {
        u32 words[16], cv[8];

        if (2 * parent + 1 < count) {
            hash_load(values + 64 * parent, words);
            blake3_load(key, 8, cv);
            blake3_parent(words, BLAKE3_KEYED | (root ? BLAKE3_ROOT : 0u), cv);
        } else {
            load_16(cv, values + 64 * parent);
            load_16(cv + 4, values + 64 * parent + 16);
        }
        hash_store(parents + 32 * parent, cv);
    }
}
