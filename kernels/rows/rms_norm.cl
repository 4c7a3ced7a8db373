/*
 * rms_norm.cl - y = x / sqrt(mean(x^2) + eps) * weight; unit = row.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_rows.h"

KERNEL_FN void kernel_rms_norm(u64 first, u64 last, GLOBAL cf32 *x, GLOBAL cf32 *weight,
                               GLOBAL f32 *y, GLOBAL u32 *fault, u32 n, f32 inv_n,
                               f32 eps, u32 slot)
{
    EACH (row, first, last) {
        GLOBAL cf32 *from = x + row * n;
        GLOBAL f32 *to = y + row * n;
        const u32 is_faulty = det_row_faults(det_row_amax(from, n), row, fault + slot);
        const f32 r =
            det_rsqrt(ADD(is_faulty ? 1.0f : det_row_mean_square(from, n, inv_n), eps));

        INDEPENDENT
        for (u32 i = 0; i < n; i++)
            to[i] = is_faulty ? 0.0f : MUL(MUL(from[i], r), weight[i]);
    }
}
