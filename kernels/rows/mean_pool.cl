/*
 * mean_pool.cl - the mean of a sequence's rows, scaled to length 1; unit = sequence.
 *
 * Sums run over the tokens in ascending order, the one ordered float sum of DET-1.  A
 * sequence without tokens comes out as zeros.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_rows.h"

/* What brings n values with this mean of squares to length 1. */
DEVICE_FN f32 mean_pool_factor(f32 mean_square, u32 n)
{
    const f32 sum = MUL(mean_square, I2F((i32)n));

    /* Below 2^-80 nothing is left to scale up: 2^40. */
    return as_u32(sum) >= 0x17800000u ? det_rsqrt(sum) : as_f32(0x53800000u);
}

/* y = the sum of `count` rows of h. */
DEVICE_FN void mean_pool_sum(GLOBAL cf32 *h, u32 count, u32 n, GLOBAL f32 *y)
{
    for (u32 i = 0; i < n; i++)
        y[i] = count ? h[i] : 0.0f;
    for (u32 row = 1; row < count; row++) {
        INDEPENDENT
        for (u32 i = 0; i < n; i++)
            y[i] = ADD(y[i], h[(u64)row * n + i]);
    }
}

DEVICE_FN void mean_pool_scale(GLOBAL f32 *y, u32 n, f32 factor)
{
    for (u32 i = 0; i < n; i++)
        y[i] = MUL(y[i], factor);
}

KERNEL_FN void kernel_mean_pool(u64 first, u64 last, GLOBAL cf32 *h, GLOBAL cu32 *starts,
                                GLOBAL f32 *y, u32 hidden, f32 inv_hidden)
{
    EACH (sequence, first, last) {
        GLOBAL f32 *to = y + sequence * hidden;
        const u32 begin = starts[sequence];
        const u32 count = starts[sequence + 1] - begin;

        mean_pool_sum(h + (u64)begin * hidden, count, hidden, to);
        mean_pool_scale(to, hidden, det_rcp(I2F((i32)(count ? count : 1u))));
        const f32 mean_square = det_row_mean_square(to, hidden, inv_hidden);
        mean_pool_scale(to, hidden, mean_pool_factor(mean_square, hidden));
    }
}
