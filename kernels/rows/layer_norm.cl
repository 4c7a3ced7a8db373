/*
 * layer_norm.cl - y = (x - mean) / sqrt(var + eps) * weight + bias, two passes; unit =
 * row.
 *
 * Mean and variance come from integer sums at power-of-two scales (numerics.md 1.4).
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_rows.h"

DEVICE_FN f32 layer_norm_mean(GLOBAL cf32 *x, u32 n, f32 inv_n, u32 amax)
{
    const i32 shift = det_fixed_shift(amax);
    const f32 scale = det_p2(shift);
    i64 sum = 0;

    for (u32 i = 0; i < n; i++)
        sum += det_rint(MUL(x[i], scale));
    return MUL(MUL(I2F(sum), inv_n), det_p2(-shift));
}

DEVICE_FN void layer_norm_centre(GLOBAL cf32 *x, u32 n, f32 mean, GLOBAL f32 *y)
{
    INDEPENDENT
    for (u32 i = 0; i < n; i++)
        y[i] = SUB(x[i], mean);
}

DEVICE_FN void layer_norm_zero(GLOBAL f32 *y, u32 n)
{
    for (u32 i = 0; i < n; i++)
        y[i] = 0.0f;
}

KERNEL_FN void kernel_layer_norm(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL cf32 *weight,
                                 GLOBAL cf32 *bias, GLOBAL f32 *y, GLOBAL u32 *fault,
                                 u32 n, f32 inv_n, f32 eps, u32 slot)
{
    EACH (row, first, last) {
        GLOBAL cf32 *from = x + row * n;
        GLOBAL f32 *to = y + row * n;
        const u32 amax = det_row_amax(from, n);

        if (det_row_faults(amax, row, fault + slot)) {
            layer_norm_zero(to, n);
            continue;
        }
        layer_norm_centre(from, n, layer_norm_mean(from, n, inv_n, amax), to);

        const f32 r = det_rsqrt(ADD(det_row_mean_square(to, n, inv_n), eps));

        INDEPENDENT
        for (u32 i = 0; i < n; i++)
            to[i] = ADD(MUL(MUL(to[i], r), weight[i]), bias[i]);
    }
}
