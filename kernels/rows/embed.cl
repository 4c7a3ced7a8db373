/*
 * embed.cl - row i = snap((word[ids[i]] + type[0]) + position[positions[i]]); unit = row.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_math.h"

KERNEL_FN void kernel_embed(u64 first, u64 last, GLOBAL ci32 *ids, GLOBAL ci32 *positions,
                            GLOBAL cf32 *word, GLOBAL cf32 *position, GLOBAL cf32 *type,
                            GLOBAL f32 *out, u32 hidden)
{
    EACH (row, first, last) {
        GLOBAL cf32 *w = word + (u64)(u32)ids[row] * hidden;
        GLOBAL cf32 *p = position + (u64)(u32)positions[row] * hidden;
        GLOBAL f32 *y = out + row * hidden;

        for (u32 i = 0; i < hidden; i++)
            y[i] = det_snap(ADD(ADD(w[i], type[i]), p[i]));
    }
}
