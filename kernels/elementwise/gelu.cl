/*
 * gelu.cl - y = x * Phi(x), the erf form; unit = element.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_activation.h"

KERNEL_FN void kernel_gelu(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL f32 *y)
{
    EACH (i, first, last) {
        y[i] = det_gelu(x[i]);
    }
}
