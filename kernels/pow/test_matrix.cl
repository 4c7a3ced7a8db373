/*
 * test_matrix.cl - out[i] = (splitmix64 of seed and i) mod 129 - 64; unit = element.
 *
 * pow.md section 11.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

KERNEL_FN void kernel_test_matrix(u64 first, u64 last, GLOBAL i8 *out, u64 seed)
{
    EACH (i, first, last) {
        u64 z = seed + (i + 1) * 0x9e3779b97f4a7c15u;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z = z ^ z >> 31;
        out[i] = (i8)((i32)(z % 129) - 64);
    }
}
