/*
 * exact_rows.h - what every text that works on rows needs: largest magnitude, faults,
 * integer sums.
 *
 * All reductions are integer, so their order cannot change a bit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_EXACT_ROWS_H
#define MINERVA_KERNELS_EXACT_ROWS_H

#include "kernels/exact_math.h"

#define FAULT_BITS                                                                       \
    0x53800000u            /* 2^40: from here on, infinities and NaN included, a fault */
#define EXPONENT_MIN (-40) /* smaller rows are scaled as if they reached 2^-40 */

/* The bit pattern of the largest magnitude. */
DEVICE_FN u32 det_row_amax(GLOBAL cf32 *x, u32 n)
{
    u32 amax = 0;

    for (u32 i = 0; i < n; i++)
        amax = det_max(amax, det_magnitude(x[i]));
    return amax;
}

/* Whether a row with this largest magnitude is out of range; the smallest such row is
 * kept. */
DEVICE_FN u32 det_row_faults(u32 amax, u64 row, GLOBAL u32 *fault)
{
    if (amax < FAULT_BITS)
        return 0;
    ATOMIC_MIN(fault, (u32)row);
    return 1;
}

/* A power-of-two scale that brings a row whose largest magnitude is `amax` to 22 bits. */
DEVICE_FN i32 det_fixed_shift(u32 amax)
{
    const i32 e = det_exponent(amax);

    return 21 - (e > EXPONENT_MIN ? e : EXPONENT_MIN);
}

/* Mean of squares out of their integer sum at that shift. */
DEVICE_FN f32 det_mean_square(u64 sum, i32 shift, f32 inv_n)
{
    return MUL(MUL(I2F((i64)sum), inv_n), det_p2(-2 * shift));
}

/* Mean of the squares of x, by an integer sum at a power-of-two scale. */
DEVICE_FN f32 det_row_mean_square(GLOBAL cf32 *x, u32 n, f32 inv_n)
{
    const i32 shift = det_fixed_shift(det_row_amax(x, n));
    const f32 scale = det_p2(shift);
    u64 sum = 0;

    for (u32 i = 0; i < n; i++) {
        const i32 q = det_rint(MUL(x[i], scale));
        const u32 size = q < 0 ? 0u - (u32)q : (u32)q;

        sum += (u64)size * size;
    }
    return det_mean_square(sum, shift, inv_n);
}

#endif
