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

/* So many rows from `first` on: high limbs one after the other, low ones from `low` on. */
template <u32 LIMBS>
DEVICE_FN void leaves_make(GLOBAL cf32 *x, GLOBAL f32 *scale, GLOBAL u32 *fault,
                           u64 first, u32 rows, u32 k, u32 k_padded, u32 low)
{
    for (u32 row = warp_index(); row < rows; row += LEAVES_THREADS / 32) {
        GLOBAL cf32 *from = x + (first + row) * k;
        u32 seen;
        const f32 factor = row_factor<LIMBS>(leaves_amax(from, k), k, first + row, scale,
                                             fault, &seen);

        EACH_FOUR (column, k_padded) {
            const u32 at = row * k_padded + column;
            u32 bits[4] = {0, 0, 0, 0}, bytes[2];

            if (column < seen)
                load_16(bits, from + column);
            leaves_four<LIMBS>(bits, factor, bytes);
            *SHARED(u32, leaf_place(at)) = bytes[0];
            if (LIMBS == 2)
                *SHARED(u32, leaf_place(low + at)) = bytes[1];
        }
    }
}

/* From byte `at` of the block's to the end of its chunk: low limbs of the rows from `next`
 * on, which another block carries out, and zeros, which count as data, behind the last. */
template <u32 LIMBS>
DEVICE_FN void leaves_tail(GLOBAL cf32 *x, u64 next, u64 rows, u32 k, u32 k_padded,
                           u32 at)
{
    const u32 size = (LEAF - at % LEAF) % LEAF;

    for (u32 begin = warp_index() * k_padded; begin < size;
         begin += LEAVES_THREADS / 32 * k_padded) {
        const u64 row = next + begin / k_padded;
        GLOBAL cf32 *from = x + row * k;
        const u32 end = size - begin < k_padded ? size - begin : k_padded;
        u32 seen = 0;
        f32 factor = 0.0f, s;

        if (LIMBS == 2 && row < rows) {
            const u32 amax = leaves_amax(from, k);

            factor = row_multiplier<LIMBS>(amax, &s);
            seen = amax < FAULT_BITS ? k : 0;
        }
        EACH_FOUR (column, end) {
            u32 bits[4] = {0, 0, 0, 0}, bytes[2];

            if (column < seen)
                load_16(bits, from + column);
            leaves_four<2>(bits, factor, bytes);
            *SHARED(u32, leaf_place(at + begin + column)) = bytes[1];
        }
    }
}

/* By all warps but the first: so many of the block's bytes from `at` on. */
DEVICE_FN void leaves_carry(u32 at, GLOBAL i8 *to, u32 size)
{
    for (u32 i = 16 * (thread_index() - 32); i < size; i += 16 * (LEAVES_THREADS - 32)) {
        u32 words[4];

        load_16(words, SHARED(cu8, leaf_place(at + i)));
        store_16(to + i, words);
    }
}

/* The block's chunk `leaf`, which is that one of the operand. */
DEVICE_FN void leaves_hash(u32 leaf, GLOBAL cu8 *key, GLOBAL u8 *values, u64 number,
                           u32 root)
{
    u32 cv[8];

    blake3_load(key, 8, cv);
    hash_chunk(SHARED(cu8, leaf * LEAVES_STRIDE), LEAF, 1, number,
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
    leaves_make<1>(x, scale, fault + slot, row, rows, k, k_padded, 0);
    leaves_tail<1>(x, last, last, k, k_padded, size);
    block_sync();
    if (warp_index())
        leaves_carry(0, q + row * k_padded, size);
    else if (lane_index() * LEAF < size)
        leaves_hash(lane_index(), key, values, row * k_padded / LEAF + lane_index(),
                    root);
}

/* All high limbs, then all low ones, of which a chunk may have both: then the low limbs'
 * chunks begin `shift` bytes before rows do.  A block hashes the chunks that begin in its
 * rows' bytes, so that of the low limbs' first one only the end is its own. */
KERNEL(leaves_quantise14, LEAVES_THREADS, 4, u64 first, u64 last, GLOBAL cf32 *x,
       GLOBAL i8 *q, GLOBAL f32 *scale, GLOBAL u32 *fault, u32 k, u32 k_padded, u32 rows,
       u32 slot, u64 chunk, u64 chunks, GLOBAL cu8 *data, GLOBAL cu8 *key,
       GLOBAL u8 *values, u64 all, u32 root)
{
    const u64 each = leaves_rows(last, k_padded), row = each * block_index();
    const u32 own = (u32)(last - row < each ? last - row : each);
    const u32 size = own * k_padded, highs = (size + LEAF - 1) / LEAF;
    const u64 high = row * k_padded, low = (rows + row) * k_padded;
    const u32 shift = (u32)(low % LEAF), at = highs * LEAF + shift;

    (void)first, (void)chunk, (void)chunks, (void)data, (void)all;
    leaves_make<2>(x, scale, fault + slot, row, own, k, k_padded, at);
    leaves_tail<2>(x, 0, rows, k, k_padded, size);
    leaves_tail<2>(x, row + own, rows, k, k_padded, at + size);
    block_sync();
    if (warp_index()) {
        leaves_carry(0, q + high, size);
        leaves_carry(at, q + low, size);
        return;
    }
    const u32 leaf = lane_index() < highs ? lane_index() : lane_index() + (shift != 0);

    if (leaf * LEAF < at + size)
        leaves_hash(leaf, key, values,
                    leaf < highs ? high / LEAF + leaf : low / LEAF + leaf - highs, root);
}
