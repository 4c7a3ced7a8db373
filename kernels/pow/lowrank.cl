/*
 * lowrank.cl - a matrix times the other side's sparse noise factor: out[i][plus of l] +=
 * in[i][l], out[i][minus of l] -= in[i][l]; unit = row.
 *
 * X = A * E_BL with the pairs of B, and Y' = Bt' * E_AR' with the pairs of A (pow.md
 * section 10).
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

DEVICE_FN void lowrank_row(GLOBAL ci8 *in, GLOBAL cu16 *pairs, GLOBAL i32 *out, u32 k,
                           u32 rank)
{
    for (u32 j = 0; j < rank; j++)
        out[j] = 0;
    for (u32 l = 0; l < k; l++) {
        out[pairs[2 * l]] += (i32)in[l];
        out[pairs[2 * l + 1]] -= (i32)in[l];
    }
}

KERNEL_FN void kernel_lowrank_x(u64 first, u64 last, GLOBAL ci8 *a, GLOBAL cu16 *pairs_b,
                                GLOBAL i32 *x, u32 k, u32 rank)
{
    EACH (row, first, last) {
        lowrank_row(a + row * k, pairs_b, x + row * rank, k, rank);
    }
}

KERNEL_FN void kernel_lowrank_y(u64 first, u64 last, GLOBAL ci8 *bt, GLOBAL cu16 *pairs_a,
                                GLOBAL i32 *y, u32 k, u32 rank)
{
    EACH (row, first, last) {
        lowrank_row(bt + row * k, pairs_a, y + row * rank, k, rank);
    }
}
