/*
 * matmul_i8.cl - c[i][j] = sum over l of a[i][l] * bt[j][l], exact int32; unit = row of
 * c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

KERNEL_FN void kernel_matmul_i8(u64 first, u64 last, GLOBAL ci8 *a, GLOBAL ci8 *bt,
                                GLOBAL i32 *c, u32 n, u32 k)
{
    EACH (row, first, last) {
        GLOBAL ci8 *of_a = a + row * k;

        for (u32 j = 0; j < n; j++) {
            GLOBAL ci8 *of_b = bt + (u64)j * k;
            i32 sum = 0;

            for (u32 l = 0; l < k; l++)
                sum += (i32)of_a[l] * (i32)of_b[l];
            c[row * n + j] = sum;
        }
    }
}
