/*
 * quantise.cl - rows to integers and one scale each: q = clamp(rint(x * (qmax / amax)));
 * unit = row.
 *
 * QUANT7 and QUANT14 of numerics.md 1.4.  Columns from k to k_padded are zero.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_rows.h"

/* What a row's elements are multiplied by (0: the row is nothing), and its scale. */
DEVICE_FN f32 quantise_factor(u32 amax, f32 qmax, f32 inv_qmax, f32 *scale)
{
    const u32 is_dead = amax < SNAP_BITS || amax >= FAULT_BITS;
    const f32 a = as_f32(is_dead ? 0x3f800000u : amax);

    *scale = is_dead ? 0.0f : MUL(a, inv_qmax);
    return is_dead ? 0.0f : MUL(qmax, det_rcp(a));
}

DEVICE_FN i32 quantise_value(f32 x, f32 factor, i32 qmax)
{
    const i32 q = det_rint(MUL(x, factor));
    const i32 low = q < -qmax ? -qmax : q;

    return low > qmax ? qmax : low;
}

DEVICE_FN void quantise_zero(GLOBAL i8 *q, u32 from, u32 to)
{
    for (u32 i = from; i < to; i++)
        q[i] = 0;
}

KERNEL_FN void kernel_quantise7(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL i8 *q,
                                GLOBAL f32 *scale, GLOBAL u32 *fault, u32 k, u32 k_padded,
                                u32 slot)
{
    EACH (row, first, last) {
        GLOBAL cf32 *from = x + row * k;
        GLOBAL i8 *to = q + row * k_padded;
        const u32 amax = det_row_amax(from, k);
        const u32 is_faulty = det_row_faults(amax, row, fault + slot);
        f32 s;
        const f32 factor = quantise_factor(amax, 63.0f, as_f32(0x3c820821u), &s);

        scale[row] = s;
        quantise_zero(to, is_faulty ? 0u : k, k_padded);
        if (is_faulty)
            continue;
        INDEPENDENT
        for (u32 i = 0; i < k; i++)
            to[i] = (i8)quantise_value(from[i], factor, 63);
    }
}

KERNEL_FN void kernel_quantise14(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL i8 *q,
                                 GLOBAL f32 *scale, GLOBAL u32 *fault, u32 k,
                                 u32 k_padded, u32 rows, u32 slot)
{
    EACH (row, first, last) {
        GLOBAL cf32 *from = x + row * k;
        GLOBAL i8 *high = q + row * k_padded;
        GLOBAL i8 *low = q + (rows + row) * k_padded;
        const u32 amax = det_row_amax(from, k);
        const u32 is_faulty = det_row_faults(amax, row, fault + slot);
        f32 s;
        const f32 factor = quantise_factor(amax, 8191.0f, as_f32(0x39000400u), &s);

        scale[row] = s;
        quantise_zero(high, is_faulty ? 0u : k, k_padded);
        quantise_zero(low, is_faulty ? 0u : k, k_padded);
        if (is_faulty)
            continue;
        INDEPENDENT
        for (u32 i = 0; i < k; i++) {
            const i32 v = quantise_value(from[i], factor, 8191);
            const i32 h = (v + 64) >> 7;

            high[i] = (i8)h;
            low[i] = (i8)(v - 128 * h);
        }
    }
}
