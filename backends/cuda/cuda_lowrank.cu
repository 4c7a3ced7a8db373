/*
 * cuda_lowrank.cu - lowrank.cl by tiles of 128 lines by 128 sums; more blocks than tiles
 * cut k into pieces.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_lowrank_part.h"
#include "backends/cuda/cuda_warp.h"

#include "kernels/pow/lowrank.cl"

DEVICE_FN void lowrank_tiles(u64 first, u64 last, GLOBAL ci8 *in, GLOBAL cu16 *pairs,
                             GLOBAL i32 *out, u32 k, u32 rank)
{
    struct lowrank_alone alone;
    struct lowrank_ask ask = {in, pairs, out, first, last, k, rank, k};

    if ((u64)in % 16 || (u64)pairs % 4 || k % TILE_DEPTH) {
        kernel_lowrank_x(first, last, in, pairs, out, k, rank);
        return;
    }
    ask.depth = lowrank_depth(&ask, block_count());
    lowrank_run(&ask, &alone);
}

/* Shared: LOWRANK_SHARED. */
KERNEL(lowrank_tiles_x, TILE_THREADS, 2, u64 first, u64 last, GLOBAL ci8 *a,
       GLOBAL cu16 *pairs_b, GLOBAL i32 *x, u32 k, u32 rank)
{
    lowrank_tiles(first, last, a, pairs_b, x, k, rank);
}

KERNEL(lowrank_tiles_y, TILE_THREADS, 2, u64 first, u64 last, GLOBAL ci8 *bt,
       GLOBAL cu16 *pairs_a, GLOBAL i32 *y, u32 k, u32 rank)
{
    lowrank_tiles(first, last, bt, pairs_a, y, k, rank);
}
