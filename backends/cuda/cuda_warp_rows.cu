/*
 * cuda_warp_rows.cu - the texts of kernels/rows, and bfp12, with a warp a row.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_warp_quantise.h"

#include "kernels/attention/bfp12.cl"
#include "kernels/rows/dequantise.cl"
#include "kernels/rows/layer_norm.cl"
#include "kernels/rows/mean_pool.cl"

#define ROW_KERNEL(name, ...)                                                            \
    KERNEL(name, ROW_THREADS, 4, u64 first, u64 last, __VA_ARGS__)

ROW_KERNEL(row_embed, GLOBAL ci32 *ids, GLOBAL ci32 *positions, GLOBAL cf32 *word,
           GLOBAL cf32 *position, GLOBAL cf32 *type, GLOBAL f32 *out, u32 hidden)
{
    EACH_WARP (row, first, last) {
        GLOBAL cf32 *w = word + (u64)(u32)ids[row] * hidden;
        GLOBAL cf32 *p = position + (u64)(u32)positions[row] * hidden;
        GLOBAL f32 *y = out + row * hidden;

        EACH_LANE (i, hidden)
            y[i] = det_snap(ADD(ADD(w[i], type[i]), p[i]));
    }
}

ROW_KERNEL(row_quantise7, GLOBAL cf32 *x, GLOBAL i8 *q, GLOBAL f32 *scale,
           GLOBAL u32 *fault, u32 k, u32 k_padded, u32 slot)
{
    EACH_WARP (row, first, last) {
        GLOBAL cf32 *from = x + row * k;
        GLOBAL i8 *to = q + row * k_padded;
        u32 seen;
        const f32 factor =
            row_factor<1>(row_amax(from, k), k, row, scale, fault + slot, &seen);

        EACH_LANE (i, k_padded)
            to[i] = i < seen ? (i8)row_value<1>(from[i], factor) : (i8)0;
    }
}

ROW_KERNEL(row_quantise14, GLOBAL cf32 *x, GLOBAL i8 *q, GLOBAL f32 *scale,
           GLOBAL u32 *fault, u32 k, u32 k_padded, u32 rows, u32 slot)
{
    EACH_WARP (row, first, last) {
        GLOBAL cf32 *from = x + row * k;
        GLOBAL i8 *high = q + row * k_padded;
        GLOBAL i8 *low = q + (rows + row) * k_padded;
        u32 seen;
        const f32 factor =
            row_factor<2>(row_amax(from, k), k, row, scale, fault + slot, &seen);

        EACH_LANE (i, k_padded) {
            const i32 v = i < seen ? row_value<2>(from[i], factor) : 0;
            const i32 h = row_high(v);

            high[i] = (i8)h;
            low[i] = (i8)(v - 128 * h);
        }
    }
}

DEVICE_FN f32 row_mean(GLOBAL cf32 *x, u32 n, f32 inv_n, u32 amax)
{
    const i32 shift = det_fixed_shift(amax);
    const f32 scale = det_p2(shift);
    i64 sum = 0;

    EACH_LANE (i, n)
        sum += det_rint(MUL(x[i], scale));
    return MUL(MUL(I2F((i64)warp_sum_64((u64)sum)), inv_n), det_p2(-shift));
}

/* y = x - mean; the largest magnitude of it. */
DEVICE_FN u32 row_centre(GLOBAL cf32 *x, u32 n, f32 mean, GLOBAL f32 *y)
{
    u32 amax = 0;

    EACH_LANE (i, n) {
        const f32 centred = SUB(x[i], mean);

        y[i] = centred;
        amax = det_max(amax, det_magnitude(centred));
    }
    return warp_max(amax);
}

ROW_KERNEL(row_layer_norm, GLOBAL cf32 *x, GLOBAL cf32 *weight, GLOBAL cf32 *bias,
           GLOBAL f32 *y, GLOBAL u32 *fault, u32 n, f32 inv_n, f32 eps, u32 slot)
{
    EACH_WARP (row, first, last) {
        GLOBAL cf32 *from = x + row * n;
        GLOBAL f32 *to = y + row * n;
        const u32 amax = row_amax(from, n);

        if (row_faults(amax, row, fault + slot)) {
            EACH_LANE (i, n)
                to[i] = 0.0f;
            continue;
        }
        const u32 centred = row_centre(from, n, row_mean(from, n, inv_n, amax), to);
        const f32 r = det_rsqrt(ADD(row_mean_square(to, n, inv_n, centred), eps));

        EACH_LANE (i, n)
            to[i] = ADD(MUL(MUL(to[i], r), weight[i]), bias[i]);
    }
}

ROW_KERNEL(row_rms_norm, GLOBAL cf32 *x, GLOBAL cf32 *weight, GLOBAL f32 *y,
           GLOBAL u32 *fault, u32 n, f32 inv_n, f32 eps, u32 slot)
{
    EACH_WARP (row, first, last) {
        GLOBAL cf32 *from = x + row * n;
        GLOBAL f32 *to = y + row * n;
        const u32 amax = row_amax(from, n);
        const u32 is_faulty = row_faults(amax, row, fault + slot);
        const f32 square = is_faulty ? 1.0f : row_mean_square(from, n, inv_n, amax);
        const f32 r = det_rsqrt(ADD(square, eps));

        EACH_LANE (i, n)
            to[i] = is_faulty ? 0.0f : MUL(MUL(from[i], r), weight[i]);
    }
}

ROW_KERNEL(row_dequantise, GLOBAL ci32 *acc, GLOBAL cf32 *s_a, GLOBAL cf32 *s_w,
           GLOBAL cf32 *bias, GLOBAL f32 *y, u32 rows, u32 n, u32 limbs_a, u32 limbs_w,
           u32 has_bias)
{
    const u64 stride = (u64)n * limbs_w;

    EACH_WARP (row, first, last) {
        GLOBAL ci32 *high = acc + row * stride;
        GLOBAL ci32 *low = high + (limbs_a - 1) * rows * stride;
        GLOBAL f32 *to = y + row * n;
        const f32 s = s_a[row];

        EACH_LANE (j, n) {
            const u32 k = (limbs_w - 1) * n + j;
            const f32 b = has_bias ? bias[j] : 0.0f;

            if (limbs_a == 1 && limbs_w == 1) {
                to[j] = dequantise_value(I2F(high[j]), s, s_w[j], has_bias, b);
                continue;
            }
            const i64 h = limbs_w == 2 ? dequantise_join(high[j], high[k]) : high[j];
            const i64 l = limbs_w == 2 ? dequantise_join(low[j], low[k]) : low[j];
            const i64 value = limbs_a == 2 ? dequantise_join(h, l) : h;

            to[j] = dequantise_value(I2F(value), s, s_w[j], has_bias, b);
        }
    }
}

/* A lane adds its own columns token by token: the order of the sum is the text's. */
ROW_KERNEL(row_mean_pool, GLOBAL cf32 *h, GLOBAL cu32 *starts, GLOBAL f32 *y, u32 hidden,
           f32 inv_hidden)
{
    EACH_WARP (sequence, first, last) {
        GLOBAL f32 *to = y + sequence * hidden;
        const u32 begin = starts[sequence];
        const u32 count = starts[sequence + 1] - begin;
        const f32 inverse = det_rcp(I2F((i32)(count ? count : 1u)));

        EACH_LANE (i, hidden) {
            GLOBAL cf32 *from = h + (u64)begin * hidden + i;
            f32 sum = count ? from[0] : 0.0f;

            for (u32 row = 1; row < count; row++)
                sum = ADD(sum, from[(u64)row * hidden]);
            to[i] = MUL(sum, inverse);
        }
        const f32 mean_square =
            row_mean_square(to, hidden, inv_hidden, row_amax(to, hidden));
        const f32 factor = mean_pool_factor(mean_square, hidden);

        EACH_LANE (i, hidden)
            to[i] = MUL(to[i], factor);
    }
}

/* A warp a head. */
ROW_KERNEL(row_bfp12, GLOBAL cf32 *x, GLOBAL i16 *q, GLOBAL i32 *exponents,
           GLOBAL u32 *fault, u32 heads, u32 head_dim, u32 x_stride, u32 x_offset,
           u32 slot)
{
    EACH_WARP (unit, first * heads, last * heads) {
        const u64 row = unit / heads, head = unit % heads;
        GLOBAL cf32 *from = x + row * x_stride + x_offset + head * head_dim;
        const u32 amax = row_amax(from, head_dim);
        const u32 is_faulty = row_faults(amax, row, fault + slot);
        const i32 e = det_exponent(is_faulty ? 0u : amax);
        const i32 shift = 10 - (e > EXPONENT_MIN ? e : EXPONENT_MIN);
        const f32 scale = det_p2(shift);

        EACH_LANE (i, head_dim)
            q[unit * head_dim + i] = (i16)(is_faulty ? 0 : bfp12_value(from[i], scale));
        if (lane_index() == 0)
            exponents[unit] = -shift;
    }
}
