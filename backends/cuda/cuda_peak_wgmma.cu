/*
 * cuda_peak_wgmma.cu - the same as cuda_peak.cu for warp groups, whose operands lie in
 * shared memory and never change.
 *
 * archs: 90a
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

enum {
    PEAK_STEPS = 16,    /* of 32 of k a round */
    PEAK_A = 64 * 128,  /* bytes of a group's left operand, */
    PEAK_B = 256 * 128, /* and of the right one that both share */
    PEAK_BYTES = 2 * PEAK_A + PEAK_B,
};

/* rounds * PEAK_STEPS products of 64 x 256 x 32 a warp group; sums[thread]. */
KERNEL(cuda_peak_wgmma, 256, 1, u32 rounds, u32 seed, u32 *sums)
{
    const u32 thread = thread_index(), index = block_index() * thread_count() + thread;
    const u32 left = thread / 128 * PEAK_A, right = 2 * PEAK_A;
    i32 d[128] = {};
    u32 sum = 0;

    for (u32 at = 4 * thread; at < PEAK_BYTES; at += 4 * 256)
        *SHARED(u32, at) = (seed + at) * 2654435761u;
    async_fence();
    block_sync();
    for (u32 round = 0; round < rounds; round++) {
        wgmma_fence();
        for (u32 step = 0; step < PEAK_STEPS; step++)
            wgmma_k32(d, wgmma_operand(left + step % 4 * 32),
                      wgmma_operand(right + step % 4 * 32), 1);
        wgmma_commit();
        wgmma_wait<0>(d);
    }
    for (u32 i = 0; i < 128; i++)
        sum += (u32)d[i];
    sums[index] = sum;
}
