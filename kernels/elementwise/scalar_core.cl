/*
 * scalar_core.cl - y = core(x) on bit patterns; unit = element.
 *
 * For known-answer tests: it shows each device the scalar cores by themselves.  The
 * weight of CORE_EXPW is the integer, sine and cosine take a phase and give Q30.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_activation.h"
#include "kernels/exact_angle.h"

DEVICE_FN u32 scalar_core(u32 core, u32 x)
{
    switch (core) {
    case 0:
        return as_u32(det_rcp(as_f32(x)));
    case 1:
        return as_u32(det_rsqrt(as_f32(x)));
    case 2:
        return as_u32(det_exp2(as_f32(x)));
    case 3:
        return det_expw(as_f32(x));
    case 4:
        return as_u32(det_sigmoid(as_f32(x)));
    case 5:
        return as_u32(det_silu(as_f32(x)));
    case 6:
        return as_u32(det_tanh(as_f32(x)));
    case 7:
        return as_u32(det_gelu(as_f32(x)));
    case 8:
        return as_u32(det_gelu_tanh(as_f32(x)));
    case 9:
        return (u32)det_sin_q30(x);
    default:
        return (u32)det_cos_q30(x);
    }
}

KERNEL_FN void kernel_scalar_core(u64 first, u64 last, GLOBAL cu32 *x, GLOBAL u32 *y,
                                  u32 core)
{
    EACH (i, first, last) {
        y[i] = scalar_core(core, x[i]);
    }
}
