/*
 * cuda_mma.cu - products by m16n8k32 and asynchronous copies: the rows mma_lane, mma_quad
 * and mma_any of cuda_matmul_mma.c.
 *
 * archs: 80 86 89 90a 100 120
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_any.h"

#define PART (u32)(product.part_first + block_index())

typedef struct pipe_async<TILE_STAGES_ASYNC> mma_pipe;

KERNEL(mma_clean, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_plain<mma_pipe, false>(&product, PART);
}

KERNEL(mma_lane_mined, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<mma_pipe, FOLD_LANE, false>(&product, PART);
}

KERNEL(mma_lane_useful, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<mma_pipe, FOLD_LANE, true>(&product, PART);
}

KERNEL(mma_quad_mined, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<mma_pipe, FOLD_QUAD, false>(&product, PART);
}

KERNEL(mma_quad_useful, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<mma_pipe, FOLD_QUAD, true>(&product, PART);
}

KERNEL(mma_any_mined, TILE_THREADS, 1, const struct cuda_product product)
{
    any_run<mma_pipe>(&product, PART);
}

KERNEL(mma_any_useful, TILE_THREADS, 1, const struct cuda_product product)
{
    any_run_useful<mma_pipe>(&product, PART);
}
