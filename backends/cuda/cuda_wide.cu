/*
 * cuda_wide.cu - the kernels of cuda_mma.cu with blocks of 128 x 256 outputs, for cards
 * whose second cache could not feed smaller ones: the rows wide_lane and wide_quad of
 * cuda_matmul_mma.c.
 *
 * archs: 80 90a 100
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_block.h"

#define PART (u32)(product.part_first + block_index())

typedef struct pipe_async<WIDE_STAGES, 4> wide_pipe;

KERNEL(wide_clean, WIDE_THREADS, 1, const struct cuda_product product)
{
    block_run_plain<wide_pipe, false>(&product, PART);
}

KERNEL(wide_lane_mined, WIDE_THREADS, 1, const struct cuda_product product)
{
    block_run_mined<wide_pipe, FOLD_LANE, false>(&product, PART);
}

KERNEL(wide_lane_useful, WIDE_THREADS, 1, const struct cuda_product product)
{
    block_run_mined<wide_pipe, FOLD_LANE, true>(&product, PART);
}

KERNEL(wide_quad_mined, WIDE_THREADS, 1, const struct cuda_product product)
{
    block_run_mined<wide_pipe, FOLD_QUAD, false>(&product, PART);
}

KERNEL(wide_quad_useful, WIDE_THREADS, 1, const struct cuda_product product)
{
    block_run_mined<wide_pipe, FOLD_QUAD, true>(&product, PART);
}
