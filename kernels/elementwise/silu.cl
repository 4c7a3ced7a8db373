/*
 * silu.cl - y = x * sigmoid(x); unit = element.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_activation.h"

KERNEL_FN void kernel_silu(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL f32 *y)
{
    EACH (i, first, last) {
        y[i] = det_silu(x[i]);
    }
}
