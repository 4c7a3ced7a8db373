/*
 * dequantise.cl - y = snap(acc * s_a[row] * s_w[column] + bias[column]); unit = row of y.
 *
 * acc joins the limbs: high rows of a first, then low ones; high columns of w first, then
 * low ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_math.h"

DEVICE_FN f32 dequantise_value(f32 acc, f32 s_a, f32 s_w, u32 has_bias, f32 bias)
{
    const f32 value = MUL(MUL(acc, s_a), s_w);

    return det_snap(has_bias ? ADD(value, bias) : value);
}

/* One limb each. */
DEVICE_FN void dequantise_plain(GLOBAL ci32 *acc, f32 s_a, GLOBAL cf32 *s_w,
                                GLOBAL cf32 *bias, GLOBAL f32 *y, u32 n, u32 has_bias)
{
    INDEPENDENT
    for (u32 j = 0; j < n; j++)
        y[j] = dequantise_value(I2F(acc[j]), s_a, s_w[j], has_bias,
                                has_bias ? bias[j] : 0.0f);
}

/* A high limb counts 128. */
DEVICE_FN i64 dequantise_join(i64 high, i64 low)
{
    return high * 128 + low;
}

KERNEL_FN void kernel_dequantise(u64 first, u64 last, GLOBAL ci32 *acc, GLOBAL cf32 *s_a,
                                 GLOBAL cf32 *s_w, GLOBAL cf32 *bias, GLOBAL f32 *y,
                                 u32 rows, u32 n, u32 limbs_a, u32 limbs_w, u32 has_bias)
{
    const u64 stride = (u64)n * limbs_w;

    EACH (row, first, last) {
        GLOBAL ci32 *high = acc + row * stride;
        GLOBAL ci32 *low = high + (limbs_a - 1) * rows * stride;
        GLOBAL f32 *to = y + row * n;
        const f32 s = s_a[row];

        if (limbs_a == 1 && limbs_w == 1) {
            dequantise_plain(high, s, s_w, bias, to, n, has_bias);
            continue;
        }
        INDEPENDENT
        for (u32 j = 0; j < n; j++) {
            const u32 k = (limbs_w - 1) * n + j;
            const i64 h = limbs_w == 2 ? dequantise_join(high[j], high[k]) : high[j];
            const i64 l = limbs_w == 2 ? dequantise_join(low[j], low[k]) : low[j];
            const i64 value = limbs_a == 2 ? dequantise_join(h, l) : h;

            to[j] = dequantise_value(I2F(value), s, s_w[j], has_bias,
                                     has_bias ? bias[j] : 0.0f);
        }
    }
}
