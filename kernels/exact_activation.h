/*
 * exact_activation.h - the activations of DET-1 (numerics.md 1.3), out of the cores of
 * exact_math.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_EXACT_ACTIVATION_H
#define MINERVA_KERNELS_EXACT_ACTIVATION_H

#include "kernels/exact_math.h"

DEVICE_FN f32 det_sigmoid(f32 x)
{
    const u32 m = det_magnitude(x);
    const f32 a = as_f32(det_select(m < 0x42a00000u, m, 0x42a00000u)); /* 80 */
    const f32 e = det_exp2(MUL(a, as_f32(0xbfb8aa3bu)));               /* -log2(e) */
    const f32 r = det_rcp(ADD(1.0f, e));
    const f32 low = MUL(e, r);

    return as_f32(det_select(as_u32(x) >> 31, as_u32(low), as_u32(r)));
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
    const u32 relu = det_select(as_u32(x) >> 31, 0u, as_u32(x));
    const u32 is_far = m >= 0x41400000u; /* 12 */
    const f32 a = as_f32(det_select(is_far, 0x3f800000u, m));
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
    return as_f32(det_select(is_far, relu, as_u32(p)));
}

DEVICE_FN f32 det_gelu_tanh(f32 x)
{
    const f32 cubic = ADD(1.0f, MUL(as_f32(0x3d372713u), MUL(x, x))); /* 0.044715 */

    return MUL(x,
               det_sigmoid(MUL(as_f32(0x3fcc422au), MUL(x, cubic)))); /* 2 sqrt(2 / pi) */
}

#endif
