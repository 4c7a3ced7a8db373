/*
 * cuda_warp_row.h - what exact_rows.h does for a row, done by a warp.
 *
 * Lanes take every 32nd element, in every pass the same ones.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_WARP_ROW_H
#define MINERVA_BACKENDS_CUDA_WARP_ROW_H

#include "backends/cuda/cuda_warp.h"
#include "kernels/exact_rows.h"

DEVICE_FN u32 row_amax(GLOBAL cf32 *x, u32 n)
{
    u32 amax = 0;

    EACH_LANE (i, n)
        amax = det_max(amax, det_magnitude(x[i]));
    return warp_max(amax);
}

/* det_row_faults, told once. */
DEVICE_FN u32 row_faults(u32 amax, u64 row, GLOBAL u32 *fault)
{
    if (amax < FAULT_BITS)
        return 0;
    if (lane_index() == 0)
        (void)atomic_min(fault, (u32)row);
    return 1;
}

/* The mean of squares of a row with this largest magnitude. */
DEVICE_FN f32 row_mean_square(GLOBAL cf32 *x, u32 n, f32 inv_n, u32 amax)
{
    const i32 shift = det_fixed_shift(amax);
    const f32 scale = det_p2(shift);
    u64 sum = 0;

    EACH_LANE (i, n) {
        const i32 q = det_rint(MUL(x[i], scale));
        const u32 size = q < 0 ? 0u - (u32)q : (u32)q;

        sum += (u64)size * size;
    }
    return det_mean_square(warp_sum_64(sum), shift, inv_n);
}

#endif
