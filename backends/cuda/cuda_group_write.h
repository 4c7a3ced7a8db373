/*
 * cuda_group_write.h - the clean sums of a group's tile, to memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GROUP_WRITE_H
#define MINERVA_BACKENDS_CUDA_GROUP_WRITE_H

#include "backends/cuda/cuda_correction.h"
#include "backends/cuda/cuda_group.h"

/* Where not all of them exist, or c has no pairs. */
DEVICE_FN void group_write_part(const struct cuda_product *product, u32 row, u32 column,
                                const i32 *sums)
{
    const u32 n = product->n;

    UNROLL
    for (u32 i = 0; i < GROUP_SUMS; i++) {
        const u32 line = row + i / 2 % 2 * 8, at = column + i / 4 * 8 + i % 2;

        if (line < product->m && at < n)
            product->c[(u64)line * n + at] = sums[i];
    }
}

/* The sums of 64 rows and 256 columns from here on, as a lane holds them. */
DEVICE_FN void group_write(const struct cuda_product *product, u32 row, u32 column,
                           const i32 *sums)
{
    const u32 n = product->n;
    GLOBAL i32 *to = product->c + (u64)row * n + column;

    if (!correction_is_paired(product) || row + 8 >= product->m ||
        column + 8 * (GROUP_FRAGMENTS - 1) + 1 >= n) {
        group_write_part(product, row, column, sums);
        return;
    }
    UNROLL
    for (u32 i = 0; i < GROUP_SUMS; i += 2) {
        const u32 pair[2] = {(u32)sums[i], (u32)sums[i + 1]};

        store_stream_8(to + (u64)(i / 2 % 2 * 8) * n + i / 4 * 8, pair);
    }
}

#endif
