/*
 * cuda_warp_noise.cu - noise_add.cl and lowrank.cl with a row's few values in shared
 * memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_warp.h"

#include "kernels/pow/lowrank.cl"
#include "kernels/pow/noise_add.cl"

/* Rows that a block takes at once: their dense noise lies in shared memory, and a thread
 * reads the pairs of its columns once for all of them. */
DEVICE_FN void noise_rows_load(GLOBAL ci8 *dense, u32 rank, u32 rows)
{
    for (u32 at = 16 * thread_index(); at < rows * rank; at += 16 * NOISE_THREADS)
        copy_async<16>(at, dense + at);
    copy_async_commit();
    copy_async_wait<0>();
    block_sync();
}

/* Four columns of all rows. */
DEVICE_FN void noise_columns(GLOBAL ci8 *from, GLOBAL i8 *to, const u32 pairs[4], u32 k,
                             u32 rank, u32 rows)
{
    for (u32 row = 0; row < rows; row++) {
        const u32 clean = *(const u32 *)(from + (u64)row * k);
        const i8 *dense = SHARED(i8, row * rank);
        u32 word = 0;

        UNROLL
        for (u32 i = 0; i < 4; i++) {
            const u32 sum = (clean >> 8 * i) + (u32)(i32)dense[pairs[i] & 0xffff] -
                            (u32)(i32)dense[pairs[i] >> 16];

            word |= (sum & 255) << 8 * i;
        }
        *(u32 *)(to + (u64)row * k) = word;
    }
}

/* Shared: NOISE_ROWS * rank. */
KERNEL(noise_rows, NOISE_THREADS, 4, u64 first, u64 last, GLOBAL ci8 *clean,
       GLOBAL ci8 *dense, GLOBAL cu16 *pairs, GLOBAL i8 *out, u32 k, u32 rank)
{
    if (((u64)clean | (u64)out | k) % 4 || ((u64)dense | (u64)pairs | rank) % 16) {
        kernel_noise_add(first, last, clean, dense, pairs, out, k, rank);
        return;
    }
    for (u64 row = first + (u64)block_index() * NOISE_ROWS; row < last;
         row += (u64)block_count() * NOISE_ROWS) {
        const u32 rows = last - row < NOISE_ROWS ? (u32)(last - row) : (u32)NOISE_ROWS;

        noise_rows_load(dense + row * rank, rank, rows);
        for (u32 column = 4 * thread_index(); column < k; column += 4 * NOISE_THREADS) {
            u32 four[4];

            load_16(four, pairs + 2 * column);
            noise_columns(clean + row * k + column, out + row * k + column, four, k, rank,
                          rows);
        }
        block_sync();
    }
}

/* Four columns of a row into its sums: pairs are plus, minus. */
DEVICE_FN void lowrank_add(u32 sums, u32 values, const u32 pairs[4])
{
    UNROLL
    for (u32 i = 0; i < 4; i++) {
        const u32 value = (u32)(i32)(i8)(values >> 8 * i);

        (void)atomic_add(SHARED(u32, sums + 4 * (pairs[i] & 0xffff)), value);
        (void)atomic_add(SHARED(u32, sums + 4 * (pairs[i] >> 16)), 0u - value);
    }
}

DEVICE_FN void lowrank_warp(GLOBAL ci8 *in, GLOBAL cu16 *pairs, GLOBAL i32 *out, u32 k,
                            u32 rank)
{
    const u32 sums = warp_index() * 4 * rank;

    EACH_LANE (j, rank)
        *SHARED(u32, sums + 4 * j) = 0;
    warp_sync();
    for (u32 column = 16 * lane_index(); column < k; column += 512) {
        u32 values[4];

        load_16(values, in + column);
        UNROLL
        for (u32 i = 0; i < 4; i++) {
            u32 four[4];

            load_16(four, pairs + 2 * (column + 4 * i));
            lowrank_add(sums, values[i], four);
        }
    }
    warp_sync();
    EACH_LANE (j, rank)
        out[j] = *SHARED(i32, sums + 4 * j);
    warp_sync();
}

DEVICE_FN void lowrank_run(u64 first, u64 last, GLOBAL ci8 *in, GLOBAL cu16 *pairs,
                           GLOBAL i32 *out, u32 k, u32 rank)
{
    if (((u64)in | (u64)pairs | k) % 16) {
        kernel_lowrank_x(first, last, in, pairs, out, k, rank);
        return;
    }
    EACH_WARP (row, first, last) {
        lowrank_warp(in + row * k, pairs, out + row * rank, k, rank);
    }
}

/* Shared: 4 * rank a warp. */
KERNEL(lowrank_warps_x, LOWRANK_THREADS, 4, u64 first, u64 last, GLOBAL ci8 *a,
       GLOBAL cu16 *pairs_b, GLOBAL i32 *x, u32 k, u32 rank)
{
    lowrank_run(first, last, a, pairs_b, x, k, rank);
}

KERNEL(lowrank_warps_y, LOWRANK_THREADS, 4, u64 first, u64 last, GLOBAL ci8 *bt,
       GLOBAL cu16 *pairs_a, GLOBAL i32 *y, u32 k, u32 rank)
{
    lowrank_run(first, last, bt, pairs_a, y, k, rank);
}
