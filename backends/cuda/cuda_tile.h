/*
 * cuda_tile.h - how a block holds its outputs of a product: who owns which accumulator,
 * and how 64 columns of k become multiply-accumulates.
 *
 * Two by WARPS warps of 64 x 64: two make a block of 128 x 128, four one of 128 x 256.
 * Lane l of a warp holds, in fragments of 16 x 8, the rows
 * l / 4 + {0, 8, ..., 56} and the columns 2 (l % 4) + {0, 1, 8, 9, ..., 56, 57}: one
 * ticket of that pattern in one lane.  Operands lie in shared memory as lines of 64
 * bytes, whose 16-byte chunks change places so that neither copies nor fragments meet in
 * a bank.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_TILE_H
#define MINERVA_BACKENDS_CUDA_TILE_H

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/ptx.h"
#include "kernels/vocabulary.h"

enum {
    TILE_STEPS = TILE_DEPTH / 32,
    TILE_FRAGMENTS_M = 4,
    TILE_FRAGMENTS_N = 8,
    TILE_LANE_ROWS = 8,
    TILE_LANE_COLUMNS = 16,
};

/* acc[i][j][2 a + b]: row 16 i + 8 a, column 8 j + b of what the lane holds. */
typedef i32 tile_sums[TILE_FRAGMENTS_M][TILE_FRAGMENTS_N][4];

/* The first row and column that a thread holds, within its block. */
template <u32 WARPS = 2> DEVICE_FN u32 tile_thread_row(u32 thread)
{
    return thread / (32 * WARPS) * 64 + thread % 32 / 4;
}

template <u32 WARPS = 2> DEVICE_FN u32 tile_thread_column(u32 thread)
{
    return thread / 32 % WARPS * 64 + thread % 4 * 2;
}

/* Where the 16-byte chunk of a line lies in its half of a stage. */
DEVICE_FN u32 tile_chunk(u32 line, u32 chunk)
{
    return line * TILE_DEPTH + (chunk ^ (line >> 1 & 3)) * 16;
}

/* What a lane hands to ldmatrix for its warp's first fragments, within a stage. */
struct tile_reader {
    u32 a, b;
};

template <u32 WARPS = 2>
DEVICE_FN void tile_reader_make(u32 thread, struct tile_reader *reader)
{
    const u32 line = thread % 8, matrix = thread / 8 % 4;

    /* a: rows 0-7 and 8-15, then the same of the next 16 bytes; b: both 16 bytes of
     * columns 0-7, then those of 8-15. */
    reader->a =
        tile_chunk(thread / (32 * WARPS) * 64 + matrix % 2 * 8 + line, matrix / 2);
    reader->b = TILE_HALF +
                tile_chunk(thread / 32 % WARPS * 64 + matrix / 2 * 8 + line, matrix % 2);
}

DEVICE_FN void tile_clear(tile_sums acc)
{
    UNROLL
    for (u32 i = 0; i < TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            UNROLL
            for (u32 e = 0; e < 4; e++)
                acc[i][j][e] = 0;
        }
    }
}

/* 32 columns of the stage at `stage`: step 0 or 1. */
DEVICE_FN void tile_step(const struct tile_reader *reader, u32 stage, u32 step,
                         tile_sums acc)
{
    u32 a[TILE_FRAGMENTS_M][4], b[TILE_FRAGMENTS_N / 2][4];

    UNROLL
    for (u32 i = 0; i < TILE_FRAGMENTS_M; i++)
        ldmatrix_x4(a[i], (reader->a ^ 32 * step) + stage + i * 16 * TILE_DEPTH);
    UNROLL
    for (u32 j = 0; j < TILE_FRAGMENTS_N / 2; j++)
        ldmatrix_x4(b[j], (reader->b ^ 32 * step) + stage + j * 16 * TILE_DEPTH);
    UNROLL
    for (u32 i = 0; i < TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++)
            mma_m16n8k32(acc[i][j], a[i], b[j / 2] + j % 2 * 2);
    }
}

/* Modulo 2^32. */
DEVICE_FN void tile_scale(tile_sums acc, u32 factor)
{
    UNROLL
    for (u32 i = 0; i < TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            UNROLL
            for (u32 e = 0; e < 4; e++)
                acc[i][j][e] = (i32)((u32)acc[i][j][e] * factor);
        }
    }
}

#endif
