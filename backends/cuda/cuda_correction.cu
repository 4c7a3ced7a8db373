/*
 * cuda_correction.cu - lays out the columns of cuda_correction.h: a warp a line.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_correction.h"

/* A line's sums, its own dense noise, and where both go. */
struct correction_line {
    GLOBAL ci32 *sums;
    GLOBAL ci8 *dense;
    i8 *to;
    u32 sums_at, dense_at; /* in every limb's 2 * rank columns */
};

DEVICE_FN void correction_line_make(const struct cuda_product *product, u64 line,
                                    struct correction_line *of)
{
    const u32 rank = product->rank, is_left = line < product->m;
    const u64 at = is_left ? line : line - product->m;

    of->sums = (is_left ? product->x : product->y) + at * rank;
    of->dense = (is_left ? product->dense_a : product->dense_b) + at * rank;
    of->to = (is_left ? correction_left(product) : correction_right(product)) +
             at * correction_stride(product);
    of->sums_at = is_left ? rank : 0;
    of->dense_at = is_left ? 0 : rank;
}

/* The lowest digit of a value, which becomes the rest of it. */
DEVICE_FN i32 correction_digit(i32 *value)
{
    const u32 lift = 1u << 16; /* makes the quotient positive */
    const i32 rest =
        (i32)((u32)(*value + 127 + (i32)(lift * CORRECTION_BASE)) / CORRECTION_BASE) -
        (i32)lift;
    const i32 digit = *value - CORRECTION_BASE * rest;

    *value = rest;
    return digit;
}

/* Four neighbouring columns of all limbs; the largest magnitude among their sums. */
DEVICE_FN u32 correction_put(const struct correction_line *line, u32 rank, u32 column)
{
    u32 sums[4], largest = 0, dense;
    i32 values[4];

    load_16(sums, line->sums + column);
    dense = *(const u32 *)(line->dense + column);
    UNROLL
    for (u32 i = 0; i < 4; i++) {
        const u32 size = (i32)sums[i] < 0 ? 0u - sums[i] : sums[i];

        largest = size > largest ? size : largest;
        values[i] = -(i32)sums[i];
    }
    UNROLL
    for (u32 limb = 0; limb < CORRECTION_LIMBS; limb++) {
        i8 *to = line->to + 2 * limb * rank + column;
        u32 word = 0;

        UNROLL
        for (u32 i = 0; i < 4; i++)
            word |= ((u32)correction_digit(&values[i]) & 255u) << 8 * i;
        *(u32 *)(to + line->sums_at) = word;
        *(u32 *)(to + line->dense_at) = dense;
    }
    return largest;
}

/* Of the block's warps, where thread 0 finds it. */
DEVICE_FN u32 correction_block_largest(u32 largest)
{
    for (u32 by = 16; by > 0; by /= 2) {
        const u32 other = shuffle_xor(largest, by);

        largest = other > largest ? other : largest;
    }
    if (lane_index() == 0)
        *SHARED(u32, 4 * warp_index()) = largest;
    block_sync();
    for (u32 i = 0; thread_index() == 0 && i < CORRECTION_THREADS / 32; i++) {
        const u32 other = *SHARED(u32, 4 * i);

        largest = other > largest ? other : largest;
    }
    return largest;
}

/* At most CORRECTION_SLOTS blocks, which share all lines.  Shared: 4 bytes a warp. */
KERNEL(correction_make, CORRECTION_THREADS, 2, const struct cuda_product product)
{
    const u32 warps = CORRECTION_THREADS / 32;
    const u64 lines = (u64)product.m + product.n;
    u32 largest = 0;

    for (u64 line = (u64)block_index() * warps + warp_index(); line < lines;
         line += (u64)block_count() * warps) {
        struct correction_line of;

        correction_line_make(&product, line, &of);
        for (u32 column = 4 * lane_index(); column < product.rank; column += 128) {
            const u32 found = correction_put(&of, product.rank, column);

            largest = found > largest ? found : largest;
        }
    }
    largest = correction_block_largest(largest);
    for (u32 slot = block_index(); thread_index() == 0 && slot < CORRECTION_SLOTS;
         slot += block_count())
        correction_largest(&product)[slot] = largest;
}
