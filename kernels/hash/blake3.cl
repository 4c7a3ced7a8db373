/*
 * blake3.cl - one level of a keyed BLAKE3 tree: chunks to values, pairs of values to
 * parents.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/blake3_tree.h"

/* unit = chunk of 1024 bytes; bytes from `size` on are zeros that count as data */
KERNEL_FN void kernel_blake3_chunks(u64 first, u64 last, GLOBAL cu8 *data,
                                    GLOBAL cu8 *key, GLOBAL u8 *values, u64 size,
                                    u32 root)
{
    EACH (chunk, first, last) {
        const u64 start = 1024 * chunk;
        const u64 left = start < size ? size - start : 0;
        u32 cv[8];

        blake3_load(key, 8, cv);
        blake3_chunk_padded(data + start, left < 1024 ? (u32)left : 1024u, chunk,
                            BLAKE3_KEYED, root ? BLAKE3_ROOT : 0u, cv);
        blake3_store(cv, values + 32 * chunk);
    }
}

/* unit = parent; `count` values below; an odd last one moves up as it is */
KERNEL_FN void kernel_blake3_parents(u64 first, u64 last, GLOBAL cu8 *values,
                                     GLOBAL cu8 *key, GLOBAL u8 *parents, u64 count,
                                     u32 root)
{
    EACH (parent, first, last) {
        u32 m[16], cv[8];

        if (2 * parent + 1 < count) {
            blake3_load(values + 64 * parent, 16, m);
            blake3_load(key, 8, cv);
            blake3_parent(m, BLAKE3_KEYED | (root ? BLAKE3_ROOT : 0u), cv);
        } else {
            blake3_load(values + 64 * parent, 8, cv);
        }
        blake3_store(cv, parents + 32 * parent);
    }
}
