/*
 * cuda_warp.h - for kernels that give a row to a warp: who has which row, and exact
 * reductions.
 *
 * All reductions are integer, or the larger of two floats, so that no order shows.  What
 * is included behind this header may be a text: its scalar functions are used here, its
 * kernel becomes an inline function that nobody calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_WARP_H
#define MINERVA_BACKENDS_CUDA_WARP_H

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/ptx.h"

#undef KERNEL_FN
#define KERNEL_FN DEVICE_FN

/* Every unit of [from, to) once, all lanes of a warp together. */
#define EACH_WARP(unit, from, to)                                                        \
    for (u64 unit = (from) + (u64)block_index() * (thread_count() / 32) + warp_index();  \
         unit < (to); unit += (u64)block_count() * (thread_count() / 32))
/* The lane's share of a row. */
#define EACH_LANE(index, count)                                                          \
    for (u32 index = lane_index(); index < (count); index += 32)

DEVICE_FN u32 warp_max(u32 x)
{
    UNROLL
    for (u32 by = 16; by > 0; by /= 2) {
        const u32 other = shuffle_xor(x, by);

        x = other > x ? other : x;
    }
    return x;
}

DEVICE_FN i32 warp_max_signed(i32 x)
{
    return (i32)(warp_max((u32)x ^ 0x80000000u) ^ 0x80000000u);
}

DEVICE_FN u32 warp_sum(u32 x)
{
    UNROLL
    for (u32 by = 16; by > 0; by /= 2)
        x += shuffle_xor(x, by);
    return x;
}

/* Modulo 2^64. */
DEVICE_FN u64 warp_sum_64(u64 x)
{
    UNROLL
    for (u32 by = 16; by > 0; by /= 2)
        x += (u64)shuffle_xor((u32)(x >> 32), by) << 32 | shuffle_xor((u32)x, by);
    return x;
}

#endif
