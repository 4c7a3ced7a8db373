/*
 * cuda_correction.h - the int8 columns that turn a noised product back into the clean
 * one.
 *
 * A B = A' B' - E_AL Y - X E_BR (pow.md section 10).  With v = v0 + 255 v1 + 255^2 v2,
 * balanced digits of at most 127, the accumulation goes on over (E_AL, -X0) (-Y0, E_BR),
 * is multiplied by the inverse of 255, goes on with the next digits, and so on; at last
 * by 255 as often.  Two digits reach 32512, three 8290687, more than any sum
 * of noise that a hash draws: 65282 of 65536 positions would have to name one factor.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_CORRECTION_H
#define MINERVA_BACKENDS_CUDA_CORRECTION_H

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_product.h"
#include "backends/cuda/ptx.h"

enum { CORRECTION_BASE = 255, CORRECTION_TWO_MAX = 127 + 127 * CORRECTION_BASE };
#define CORRECTION_INVERSE 0xfefefeffu /* of 255, modulo 2^32 */

/* [CORRECTION_SLOTS]: largest magnitudes of parts of the sums. */
DEVICE_FN u32 *correction_largest(const struct cuda_product *product)
{
    return (u32 *)product->scratch;
}

/* The same in all threads; all of a warp call it. */
DEVICE_FN u32 correction_limbs(const struct cuda_product *product)
{
    const u32 *largest = correction_largest(product);
    u32 is_large = 0;

    UNROLL
    for (u32 i = 0; i < CORRECTION_SLOTS / 32; i++)
        is_large |= largest[32 * i + lane_index()] > CORRECTION_TWO_MAX;
    for (u32 by = 16; by > 0; by /= 2)
        is_large |= shuffle_xor(is_large, by);
    return is_large ? 3 : 2;
}

/* Bytes of a line's columns. */
DEVICE_FN u32 correction_stride(const struct cuda_product *product)
{
    return 2 * CORRECTION_LIMBS * product->rank;
}

DEVICE_FN i8 *correction_left(const struct cuda_product *product)
{
    return (i8 *)product->scratch + CORRECTION_SLOTS * 4;
}

/* Whether neighbours in a row of c, from an even column on, may be stored at once. */
DEVICE_FN u32 correction_is_paired(const struct cuda_product *product)
{
    return ((u64)product->c / 4 | product->n) % 2 == 0;
}

/* One line for each of b, the zero ones behind n included: what is in those is nobody's.
 */
DEVICE_FN i8 *correction_right(const struct cuda_product *product)
{
    return correction_left(product) + (u64)product->m * correction_stride(product);
}

#endif
