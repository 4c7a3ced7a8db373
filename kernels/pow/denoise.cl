/*
 * denoise.cl - c[i][j] -= dense_a[i] . y[j] + x[i] . dense_b[j]: the clean product; unit
 * = row.
 *
 * All of it modulo 2^32, where the clean product always fits (pow.md section 10).
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

DEVICE_FN u32 denoise_dot(GLOBAL ci8 *dense, GLOBAL ci32 *whole, u32 rank)
{
    u32 sum = 0;

    for (u32 l = 0; l < rank; l++)
        sum += (u32)(i32)dense[l] * (u32)whole[l];
    return sum;
}

KERNEL_FN void kernel_denoise(u64 first, u64 last, GLOBAL ci8 *dense_a,
                              GLOBAL ci8 *dense_b, GLOBAL ci32 *x, GLOBAL ci32 *y,
                              GLOBAL i32 *c, u32 n, u32 rank)
{
    EACH (row, first, last) {
        for (u32 j = 0; j < n; j++) {
            const u32 noise = denoise_dot(dense_a + row * rank, y + (u64)j * rank, rank) +
                              denoise_dot(dense_b + (u64)j * rank, x + row * rank, rank);

            c[row * n + j] = (i32)((u32)c[row * n + j] - noise);
        }
    }
}
