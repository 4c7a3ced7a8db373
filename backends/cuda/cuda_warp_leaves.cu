/*
 * cuda_warp_leaves.cu - quantise.cl and then blake3.cl's chunks over what it wrote, in
 * one pass.
 *
 * A block makes rows that are whole chunks together, a warp a row, in shared memory.
 * There one warp hashes them, a lane a chunk, while the others carry them out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_warp_hash.h"
#include "backends/cuda/cuda_warp_quantise.h"

enum { LEAF = 1024 };

/* Where byte `at` of a block's rows lies.  Chunks lie 16 bytes further apart than they
 * are long: eight lanes that read the same 16 bytes of neighbouring chunks take all 32
 * banks, where they would all meet in four. */
static_assert((LEAVES_STRIDE - LEAF) % 128 == 16, "the next four banks");
DEVICE_FN u32 leaf_place(u32 at)
{
    return at + at / LEAF * (LEAVES_STRIDE - LEAF);
}

/* Rows of a block; the last one may have fewer. */
DEVICE_FN u64 leaves_rows(u64 rows, u32 k_padded)
{
    const u32 unit = LEAVES_ROWS(k_padded);
    const u64 units = (rows + unit - 1) / unit;

    return (units + block_count() - 1) / block_count() * unit;
}

/* A row in fours: a lane takes every 32nd four of its columns. */
#define EACH_FOUR(column, end)                                                           \
    for (u32 column = 4 * lane_index(); column < (end); column += 128)

DEVICE_FN u32 leaves_amax(GLOBAL cf32 *x, u32 k)
{
    u32 amax = 0;

    EACH_FOUR (column, k) {
        u32 bits[4];

        load_16(bits, x + column);
        UNROLL
        for (u32 i = 0; i < 4; i++)
            amax = det_max(amax, det_magnitude(as_f32(bits[i])));
    }
    return warp_max(amax);
}

/* Four elements' bytes: of the only limb, or the high ones and the low ones. */
template <u32 LIMBS> DEVICE_FN void leaves_four(const u32 bits[4], f32 factor, u32 to[2])
{
    to[0] = to[1] = 0;
    UNROLL
    for (u32 i = 0; i < 4; i++) {
        const i32 v = row_value<LIMBS>(as_f32(bits[i]), factor);
        const i32 h = LIMBS == 1 ? v : row_high(v);

        to[0] |= ((u32)h & 255) << 8 * i;
        to[1] |= ((u32)(v - 128 * h) & 255) << 8 * i;
    }
}

/* So many rows from `first` on into shared memory; the low limbs' chunks follow the high
 * ones'. */
template <u32 LIMBS>
DEVICE_FN void leaves_make(GLOBAL cf32 *x, GLOBAL f32 *scale, GLOBAL u32 *fault,
                           u64 first, u32 rows, u32 k, u32 k_padded)
{
    const u32 low = leaf_place(rows * k_padded);

    for (u32 row = warp_index(); row < rows; row += LEAVES_THREADS / 32) {
        GLOBAL cf32 *from = x + (first + row) * k;
        u32 seen;
        const f32 factor = row_factor<LIMBS>(leaves_amax(from, k), k, first + row, scale,
                                             fault, &seen);

        EACH_FOUR (column, k_padded) {
            const u32 place = leaf_place(row * k_padded + column);
            u32 bits[4] = {0, 0, 0, 0}, bytes[2];

            if (column < seen)
                load_16(bits, from + column);
            leaves_four<LIMBS>(bits, factor, bytes);
            *SHARED(u32, place) = bytes[0];
            if (LIMBS == 2)
                *SHARED(u32, low + place) = bytes[1];
        }
    }
}

/* Zeros from `size` to the end of its chunk: they count as data. */
DEVICE_FN void leaves_fill(u32 size)
{
    const u32 end = (size + LEAF - 1) / LEAF * LEAF;

    for (u32 at = size + 16 * thread_index(); at < end; at += 16 * LEAVES_THREADS) {
        const u32 zeros[4] = {0, 0, 0, 0};

        store_16(SHARED(u8, leaf_place(at)), zeros);
    }
}

/* By all warps but the first. */
DEVICE_FN void leaves_carry(u32 from, GLOBAL i8 *to, u32 size)
{
    for (u32 at = 16 * (thread_index() - 32); at < size;
         at += 16 * (LEAVES_THREADS - 32)) {
        u32 words[4];

        load_16(words, SHARED(cu8, from + leaf_place(at)));
        store_16(to + at, words);
    }
}

/* The lane's chunk, which is that one of the operand. */
DEVICE_FN void leaves_hash(GLOBAL cu8 *key, GLOBAL u8 *values, u64 number, u32 root)
{
    u32 cv[8];

    blake3_load(key, 8, cv);
    hash_chunk(SHARED(cu8, lane_index() * LEAVES_STRIDE), LEAF, 1, number,
               root ? BLAKE3_ROOT : 0u, cv);
    hash_store(values + 32 * number, cv);
}

/* The arguments of both texts.  Shared: LEAVES_STRIDE a chunk of a block. */
KERNEL(leaves_quantise7, LEAVES_THREADS, 4, u64 first, u64 last, GLOBAL cf32 *x,
       GLOBAL i8 *q, GLOBAL f32 *scale, GLOBAL u32 *fault, u32 k, u32 k_padded, u32 slot,
       u64 chunk, u64 chunks, GLOBAL cu8 *data, GLOBAL cu8 *key, GLOBAL u8 *values,
       u64 all, u32 root)
{
    const u64 each = leaves_rows(last, k_padded), row = each * block_index();
    const u32 rows = (u32)(last - row < each ? last - row : each);
    const u32 size = rows * k_padded;

    (void)first, (void)chunk, (void)chunks, (void)data, (void)all;
    leaves_make<1>(x, scale, fault + slot, row, rows, k, k_padded);
    leaves_fill(size);
    block_sync();
    if (warp_index())
        leaves_carry(0, q + row * k_padded, size);
    else if (lane_index() * LEAF < size)
        leaves_hash(key, values, row * k_padded / LEAF + lane_index(), root);
}

/* Both limbs are whole chunks, in the last block too. */
KERNEL(leaves_quantise14, LEAVES_THREADS, 4, u64 first, u64 last, GLOBAL cf32 *x,
       GLOBAL i8 *q, GLOBAL f32 *scale, GLOBAL u32 *fault, u32 k, u32 k_padded, u32 rows,
       u32 slot, u64 chunk, u64 chunks, GLOBAL cu8 *data, GLOBAL cu8 *key,
       GLOBAL u8 *values, u64 all, u32 root)
{
    const u64 each = leaves_rows(last, k_padded), row = each * block_index();
    const u32 own = (u32)(last - row < each ? last - row : each);
    const u32 size = own * k_padded, limb = size / LEAF;
    const u64 high = row * k_padded, low = (rows + row) * k_padded;

    (void)first, (void)chunk, (void)chunks, (void)data, (void)all, (void)root;
    leaves_make<2>(x, scale, fault + slot, row, own, k, k_padded);
    block_sync();
    if (warp_index()) {
        leaves_carry(0, q + high, size);
        leaves_carry(leaf_place(size), q + low, size);
    } else if (lane_index() < 2 * limb) {
        leaves_hash(key, values,
                    lane_index() < limb ? high / LEAF + lane_index()
                                        : low / LEAF + lane_index() - limb,
                    0);
    }
}
