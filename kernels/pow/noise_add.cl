/*
 * noise_add.cl - out[i][l] = clean[i][l] + dense[i][plus of l] - dense[i][minus of l];
 * unit = row.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

KERNEL_FN void kernel_noise_add(u64 first, u64 last, GLOBAL ci8 *clean, GLOBAL ci8 *dense,
                                GLOBAL cu16 *pairs, GLOBAL i8 *out, u32 k, u32 rank)
{
    EACH (row, first, last) {
        GLOBAL ci8 *of_dense = dense + row * rank;
        GLOBAL ci8 *from = clean + row * k;
        GLOBAL i8 *to = out + row * k;

        for (u32 l = 0; l < k; l++)
            to[l] = (i8)(from[l] + of_dense[pairs[2 * l]] - of_dense[pairs[2 * l + 1]]);
    }
}
