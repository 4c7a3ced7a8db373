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
#define FAULT_BITS                                                                       \
    0x53800000u /* 2^40: from here on, infinities and NaN included, a fault */
#define SNAP_BITS    0x21800000u /* 2^-60: below it is nothing */
#define EXPONENT_MIN (-40) /* rows smaller than 2^-40 are scaled as if they reached it   \
                            */

/* |x| as a bit pattern: ordered like the magnitudes, NaN above all. */
DEVICE_FN u32 det_magnitude(f32 x)
{
    return as_u32(x) & MAGNITUDE;
}

DEVICE_FN u32 det_max(u32 a, u32 b)
{
    return a > b ? a : b;
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
    return as_f32(det_magnitude(x) < SNAP_BITS ? 0u : as_u32(x));
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
    const f32 y = as_f32(is_seen ? as_u32(x) : 0u);
    const u32 u = (u32)(i32)MUL(det_exp2(y), as_f32(0x4e800000u));

    return is_seen ? u : 0u;
}

DEVICE_FN f32 det_sigmoid(f32 x)
{
    const u32 m = det_magnitude(x);
    const f32 a = as_f32(m < 0x42a00000u ? m : 0x42a00000u); /* 80 */
    const f32 e = det_exp2(MUL(a, as_f32(0xbfb8aa3bu)));     /* -log2(e) */
    const f32 r = det_rcp(ADD(1.0f, e));
    const f32 low = MUL(e, r);

    return as_f32(as_u32(x) >> 31 ? as_u32(low) : as_u32(r));
}

DEVICE_FN f32 det_silu(f32 x)
{
    return MUL(x, det_sigmoid(x));
}

DEVICE_FN f32 det_tanh(f32 x)
{
    return SUB(MUL(2.0f, det_sigmoid(MUL(2.0f, x))), 1.0f);
}

/* x * Phi(x) by the erfc approximation of Abramowitz and Stegun, 7.1.26. */
DEVICE_FN f32 det_gelu(f32 x)
{
    const u32 m = det_magnitude(x);
    const u32 relu = as_u32(x) >> 31 ? 0u : as_u32(x);
    const u32 is_far = m >= 0x41400000u; /* 12 */
    const f32 a = as_f32(is_far ? 0x3f800000u : m);
    const f32 z = MUL(a, as_f32(0x3f3504f3u)); /* a / sqrt 2 */
    const f32 t = det_rcp(ADD(1.0f, MUL(as_f32(0x3ea7ba05u), z)));
    const f32 e = det_exp2(MUL(MUL(a, a), as_f32(0xbf38aa3bu))); /* exp(-a^2 / 2) */
    f32 p = as_f32(0x3f87dc22u);

    p = ADD(MUL(p, t), as_f32(0xbfba00e3u));
    p = ADD(MUL(p, t), as_f32(0x3fb5f0e3u));
    p = ADD(MUL(p, t), as_f32(0xbe91a98eu));
    p = ADD(MUL(p, t), as_f32(0x3e827906u));
    p = MUL(p, t);
    p = SUB(as_f32(relu), MUL(MUL(0.5f, a), MUL(p, e)));
    return as_f32(is_far ? relu : as_u32(p));
}

DEVICE_FN f32 det_gelu_tanh(f32 x)
{
    const f32 cubic = ADD(1.0f, MUL(as_f32(0x3d372713u), MUL(x, x))); /* 0.044715 */

    return MUL(x,
               det_sigmoid(MUL(as_f32(0x3fcc422au), MUL(x, cubic)))); /* 2 sqrt(2 / pi) */
}

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

#endif
