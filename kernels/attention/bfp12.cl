/*
 * bfp12.cl - heads to 12-bit integers and one power-of-two exponent each; unit = row of
 * all heads.
 *
 * x ~ q * 2^exponent with |q| <= 2047 (numerics.md 1.4, ATTN step 1).
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_rows.h"

DEVICE_FN i32 bfp12_value(f32 x, f32 scale)
{
    const i32 q = det_rint(MUL(x, scale));
    const i32 low = q < -2047 ? -2047 : q;

    return low > 2047 ? 2047 : low;
}

/* One head; the exponent.  A faulty one is nothing. */
DEVICE_FN i32 bfp12_head(GLOBAL cf32 *x, GLOBAL i16 *q, u32 n, u64 row, GLOBAL u32 *fault)
{
    const u32 amax = det_row_amax(x, n);
    const u32 is_faulty = det_row_faults(amax, row, fault);
    const i32 e = det_exponent(is_faulty ? 0u : amax);
    const i32 shift = 10 - (e > EXPONENT_MIN ? e : EXPONENT_MIN);
    const f32 scale = det_p2(shift);

    for (u32 i = 0; i < n; i++)
        q[i] = (i16)(is_faulty ? 0 : bfp12_value(x[i], scale));
    return -shift;
}

KERNEL_FN void kernel_bfp12(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL i16 *q,
                            GLOBAL i32 *exponents, GLOBAL u32 *fault, u32 heads,
                            u32 head_dim, u32 x_stride, u32 x_offset, u32 slot)
{
    EACH (row, first, last) {
        GLOBAL cf32 *from = x + row * x_stride + x_offset;

        for (u32 head = 0; head < heads; head++) {
            const u64 to = row * heads + head;

            exponents[to] = bfp12_head(from + (u64)head * head_dim, q + to * head_dim,
                                       head_dim, row, fault + slot);
        }
    }
}
