/*
 * cuda_warp_hash.cu - blake3.cl with words loaded whole: a lane a chunk, or a parent.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_warp_hash.h"

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
