/*
 * ticket_hash.cl - ticket = H(sixteen words; seed_A), one compression; unit = tile.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/blake3_compress.h"

KERNEL_FN void kernel_ticket_hash(u64 first, u64 last, GLOBAL cu32 *words,
                                  GLOBAL cu8 *seed_a, GLOBAL u8 *tickets)
{
    EACH (tile, first, last) {
        u32 m[16], cv[8];

        for (u32 i = 0; i < 16; i++)
            m[i] = words[16 * tile + i];
        blake3_load(seed_a, 8, cv);
        blake3_compress(cv, m, 0, 64,
                        BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END |
                            BLAKE3_ROOT);
        blake3_store(cv, tickets + 32 * tile);
    }
}
