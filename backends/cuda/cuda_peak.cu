/*
 * cuda_peak.cu - how fast the tensor cores are when nothing but registers feeds them:
 * what the speed of a product is a share of.
 *
 * d = rounds * a * b, so twice the rounds give twice the sums: that is how a benchmark
 * sees that the work was done.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

/* Independent products of a warp: more than the pipeline is deep. */
enum { PEAK_TILES = 8 };

/* rounds * PEAK_TILES products of 16 x 8 x 32 a warp; sums[thread]. */
KERNEL(cuda_peak_mma, 256, 2, u32 rounds, u32 seed, u32 *sums)
{
    const u32 index = block_index() * thread_count() + thread_index();
    u32 a[4], b[2], sum = 0;
    i32 d[PEAK_TILES][4] = {};

    for (u32 i = 0; i < 4; i++)
        a[i] = (seed + index * 4 + i) * 2654435761u;
    for (u32 i = 0; i < 2; i++)
        b[i] = (seed + index * 2 + i) * 2246822519u;
    for (u32 round = 0; round < rounds; round++)
        for (u32 tile = 0; tile < PEAK_TILES; tile++)
            mma_m16n8k32(d[tile], a, b);
    for (u32 tile = 0; tile < PEAK_TILES; tile++)
        for (u32 i = 0; i < 4; i++)
            sum += (u32)d[tile][i];
    sums[index] = sum;
}
