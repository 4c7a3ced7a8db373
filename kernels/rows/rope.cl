/*
 * rope.cl - rotates the pairs (x[j], x[j + half]) by position * increment[j]; unit = row
 * * heads + head.
 *
 * Angles are u64 phases that wrap around by themselves, turns * 2^64.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_angle.h"

KERNEL_FN void kernel_rope(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL cu64 *increments,
                           GLOBAL cu32 *positions, GLOBAL f32 *y, u32 heads, u32 head_dim)
{
    const u32 half_dim = head_dim / 2;
    const f32 unit = as_f32(0x30800000u); /* 2^-30 */

    EACH (head, first, last) {
        GLOBAL cf32 *from = x + head * head_dim;
        GLOBAL f32 *to = y + head * head_dim;
        const u64 position = positions[head / heads];

        for (u32 j = 0; j < half_dim; j++) {
            const u32 phase = (u32)((position * increments[j]) >> 32);
            const f32 s = MUL(I2F(det_sin_q30(phase)), unit);
            const f32 c = MUL(I2F(det_cos_q30(phase)), unit);
            const f32 a = from[j], b = from[j + half_dim];

            to[j] = SUB(MUL(a, c), MUL(b, s));
            to[j + half_dim] = ADD(MUL(b, c), MUL(a, s));
        }
    }
}
