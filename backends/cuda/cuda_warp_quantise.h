/*
 * cuda_warp_quantise.h - quantise.cl for a row, done by a warp, of one limb or two.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_WARP_QUANTISE_H
#define MINERVA_BACKENDS_CUDA_WARP_QUANTISE_H

#include "backends/cuda/cuda_warp_row.h"

#include "kernels/rows/quantise.cl"

/* What the elements of a row with this largest magnitude are multiplied by. */
template <u32 LIMBS> DEVICE_FN f32 row_multiplier(u32 amax, f32 *scale)
{
    return LIMBS == 1 ? quantise_factor(amax, 63.0f, as_f32(0x3c820821u), scale)
                      : quantise_factor(amax, 8191.0f, as_f32(0x39000400u), scale);
}

/* The same; the row's scale is written, its fault told.  Columns from *seen on are zero.
 */
template <u32 LIMBS>
DEVICE_FN f32 row_factor(u32 amax, u32 k, u64 row, GLOBAL f32 *scale, GLOBAL u32 *fault,
                         u32 *seen)
{
    f32 s;
    const f32 factor = row_multiplier<LIMBS>(amax, &s);

    *seen = row_faults(amax, row, fault) ? 0 : k;
    if (lane_index() == 0)
        scale[row] = s;
    return factor;
}

template <u32 LIMBS> DEVICE_FN i32 row_value(f32 x, f32 factor)
{
    return quantise_value(x, factor, LIMBS == 1 ? 63 : 8191);
}

/* The high limb of two. */
DEVICE_FN i32 row_high(i32 value)
{
    return (value + 64) >> 7;
}

#endif
