/*
 * residual.cl - out = snap(h + y); unit = element.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_math.h"

KERNEL_FN void kernel_residual(u64 first, u64 last, GLOBAL cf32 *h, GLOBAL cf32 *y,
                               GLOBAL f32 *out)
{
    EACH (i, first, last) {
        out[i] = det_snap(ADD(h[i], y[i]));
    }
}
