/*
 * exact_angle.h - sine and cosine of DET-1 (numerics.md 1.3), integers only.
 *
 * An angle is a phase in turns * 2^32; results are Q30.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_EXACT_ANGLE_H
#define MINERVA_KERNELS_EXACT_ANGLE_H

#include "kernels/exact_math.h"

/* Sine or cosine of the eighth of a turn around w, Q29 turns of pi/4 in, Q30 out. */
DEVICE_FN i32 det_sin_eighth(i64 w)
{
    const i64 w2 = (w * w) >> 29;
    i64 r = 338;

    r = ((r * w2) >> 29) - 39285;
    r = ((r * w2) >> 29) + 2674053;
    r = ((r * w2) >> 29) - 86699838;
    r = ((r * w2) >> 29) + 843314857;
    return (i32)((r * w) >> 29);
}

DEVICE_FN i32 det_cos_eighth(i64 w)
{
    const i64 w2 = (w * w) >> 29;
    i64 r = 3793;

    r = ((r * w2) >> 29) - 349980;
    r = ((r * w2) >> 29) + 17023456;
    r = ((r * w2) >> 29) - 331168968;
    return (i32)(((r * w2) >> 29) + 1073741824);
}

/* sin(2 pi phase / 2^32) in Q30: integers only. */
DEVICE_FN i32 det_sin_q30(u32 phase)
{
    const u32 quadrant = (phase + 0x20000000u) >> 30;
    const i64 w = (i32)(phase - (quadrant << 30));
    const i32 r = quadrant & 1u ? det_cos_eighth(w) : det_sin_eighth(w);

    return quadrant & 2u ? -r : r;
}

DEVICE_FN i32 det_cos_q30(u32 phase)
{
    return det_sin_q30(phase + 0x40000000u);
}

#endif
