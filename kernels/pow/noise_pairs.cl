/*
 * noise_pairs.cl - a sparse noise factor: which dense values each position adds and takes
 * away; unit = 8 positions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/noise_stream.h"

KERNEL_FN void kernel_noise_pairs(u64 first, u64 last, GLOBAL cu8 *seed,
                                  GLOBAL u16 *pairs, u32 side, u32 rank, u32 k)
{
    EACH (unit, first, last) {
        u32 words[8];

        noise_stream(seed, side, 1, (u32)unit, words);
        for (u32 i = 0; i < 8 && 8 * unit + i < k; i++) {
            const u32 plus = words[i] & (rank - 1);
            const u32 apart = 1u + (u32)((u64)words[i] * (rank - 1) >> 32);

            pairs[16 * unit + 2 * i] = (u16)plus;
            pairs[16 * unit + 2 * i + 1] = (u16)(plus ^ apart);
        }
    }
}
