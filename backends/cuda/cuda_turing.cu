/*
 * cuda_turing.cu - the kernels of cuda_mma.cu for cards without asynchronous copies: the
 * rows turing_lane, turing_quad and turing_any of cuda_matmul_mma.c.
 *
 * m16n8k32 is four m8n8k16 there.  Stages wait in registers, but for tickets of any
 * pattern, which need those: their stages are copied in place.
 *
 * archs: 75
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_any.h"
#include "backends/cuda/cuda_pipe_waiting.h"

#define PART (u32)(product.part_first + block_index())

typedef struct pipe_waiting turing_pipe;
typedef struct pipe_async<TILE_STAGES_WAITING> turing_any_pipe;

KERNEL(turing_clean, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_plain<turing_pipe, false>(&product, PART);
}

KERNEL(turing_lane_mined, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<turing_pipe, FOLD_LANE, false>(&product, PART);
}

KERNEL(turing_lane_useful, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<turing_pipe, FOLD_LANE, true>(&product, PART);
}

KERNEL(turing_quad_mined, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<turing_pipe, FOLD_QUAD, false>(&product, PART);
}

KERNEL(turing_quad_useful, TILE_THREADS, 2, const struct cuda_product product)
{
    block_run_mined<turing_pipe, FOLD_QUAD, true>(&product, PART);
}

KERNEL(turing_any_mined, TILE_THREADS, 1, const struct cuda_product product)
{
    any_run<turing_any_pipe>(&product, PART);
}

KERNEL(turing_any_useful, TILE_THREADS, 1, const struct cuda_product product)
{
    any_run_useful<turing_any_pipe>(&product, PART);
}
