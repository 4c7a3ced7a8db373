/*
 * exact_math.h - the scalar cores of DET-1 (numerics.md 1.2 and 1.3), from + - * and
 * integers alone.
 *
 * Every nested expression is one rounding an operation, inside out.  Constants are f32
 * bit patterns, so that no decimal parser matters.  Branch-free: a choice is a select on
 * integers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_EXACT_MATH_H
#define MINERVA_KERNELS_EXACT_MATH_H

#include "kernels/vocabulary.h"

#define MAGNITUDE 0x7fffffffu /* all bits but the sign */
#define SNAP_BITS 0x21800000u /* 2^-60: below it is nothing */

/* |x| as a bit pattern: ordered like the magnitudes, NaN above all. */
DEVICE_FN u32 det_magnitude(f32 x)
{
    return as_u32(x) & MAGNITUDE;
}

DEVICE_FN u32 det_max(u32 a, u32 b)
{
    return a > b ? a : b;
}

/* a where `is` is 1, b where it is 0.  Bits, not a branch: compilers move what only one
 * side needs behind a branch, and then no longer vectorise. */
DEVICE_FN u32 det_select(u32 is, u32 a, u32 b)
{
    return b ^ ((a ^ b) & (0u - is));
}

/* 2^e, exact for -126 <= e <= 127. */
DEVICE_FN f32 det_p2(i32 e)
{
    return as_f32((u32)(127 + e) << 23);
}

/* floor(log2) of a magnitude's bit pattern. */
DEVICE_FN i32 det_exponent(u32 bits)
{
    return (i32)(bits >> 23) - 127;
}

/* The nearest integer, ties to even, of |x| <= 2^22. */
DEVICE_FN i32 det_rint(f32 x)
{
    return (i32)(as_u32(ADD(x, as_f32(0x4b400000u))) - 0x4b400000u);
}

DEVICE_FN f32 det_snap(f32 x)
{
    return as_f32(det_select(det_magnitude(x) < SNAP_BITS, 0u, as_u32(x)));
}

/* 1 / x for 2^-60 <= x <= 2^60. */
DEVICE_FN f32 det_rcp(f32 x)
{
    f32 r = as_f32(0x7ef311c3u - as_u32(x));

    r = MUL(r, SUB(2.0f, MUL(x, r)));
    r = MUL(r, SUB(2.0f, MUL(x, r)));
    return MUL(r, SUB(2.0f, MUL(x, r)));
}

/* 1 / sqrt(x). */
DEVICE_FN f32 det_rsqrt(f32 x)
{
    const f32 h = MUL(0.5f, x);
    f32 r = as_f32(0x5f3759dfu - (as_u32(x) >> 1));

    r = MUL(r, SUB(1.5f, MUL(MUL(h, r), r)));
    r = MUL(r, SUB(1.5f, MUL(MUL(h, r), r)));
    return MUL(r, SUB(1.5f, MUL(MUL(h, r), r)));
}

/* 2^x for -125 <= x <= 125: a power of two times a degree 6 polynomial on [-1/2, 1/2]. */
DEVICE_FN f32 det_exp2(f32 x)
{
    const f32 t = ADD(x, as_f32(0x4b400000u));
    const u32 k = as_u32(t) - 0x4b400000u;
    const f32 g = SUB(x, SUB(t, as_f32(0x4b400000u)));
    f32 p = as_f32(0x391fd103u);

    p = ADD(MUL(p, g), as_f32(0x3aaf85c1u));
    p = ADD(MUL(p, g), as_f32(0x3c1d9850u));
    p = ADD(MUL(p, g), as_f32(0x3d6357bbu));
    p = ADD(MUL(p, g), as_f32(0x3e75fdecu));
    p = ADD(MUL(p, g), as_f32(0x3f317218u));
    p = ADD(MUL(p, g), 1.0f);
    return as_f32(as_u32(p) + (k << 23));
}

/* The weight 2^(x + 30) of x <= 0, rounded down; 0 from x = -31 down. */
DEVICE_FN u32 det_expw(f32 x)
{
    const u32 is_seen = x > -31.0f;
    const f32 y = as_f32(det_select(is_seen, as_u32(x), 0u));
    const u32 u = (u32)(i32)MUL(det_exp2(y), as_f32(0x4e800000u));

    return det_select(is_seen, u, 0u);
}

#endif
