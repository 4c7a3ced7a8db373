/*
 * noise_dense.cl - a dense noise factor: stream bytes as (byte & 63) - 32; unit = 32
 * bytes of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/noise_stream.h"

KERNEL_FN void kernel_noise_dense(u64 first, u64 last, GLOBAL cu8 *seed, GLOBAL i8 *out,
                                  u32 side, u64 base)
{
    EACH (unit, first, last) {
        GLOBAL i8 *to = out + 32 * (unit - base);
        u32 words[8];

        noise_stream(seed, side, 0, (u32)unit, words);
        for (u32 i = 0; i < 32; i++)
            to[i] = (i8)((i32)(words[i / 4] >> 8 * (i % 4) & 63u) - 32);
    }
}
