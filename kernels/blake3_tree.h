/*
 * blake3_tree.h - the nodes of BLAKE3's tree: whole chunks and parents.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_BLAKE3_TREE_H
#define MINERVA_KERNELS_BLAKE3_TREE_H

#include "kernels/blake3_compress.h"

/* Chaining value of the chunk with this number; bytes from `size` on (size <= 1024) are
 * zero and count as data.  cv: the key on entry. */
DEVICE_FN void blake3_chunk_padded(GLOBAL cu8 *bytes, u32 size, u64 number, u32 flags,
                                   u32 root, u32 *cv)
{
    u32 m[16];

    for (u32 block = 0; block < 16; block++) {
        const u32 start = 64 * block;
        const u32 edge = block == 0    ? BLAKE3_CHUNK_START
                         : block == 15 ? BLAKE3_CHUNK_END | root
                                       : 0;

        if (start + 64 <= size)
            blake3_load(bytes + start, 16, m);
        else
            blake3_load_part(bytes + start, start < size ? size - start : 0, m);
        blake3_compress(cv, m, number, 64, flags | edge);
    }
}

/* cv: the key on entry; m: the two children, used up. */
DEVICE_FN void blake3_parent(u32 *m, u32 flags, u32 *cv)
{
    blake3_compress(cv, m, 0, 64, flags | BLAKE3_PARENT);
}

#endif
