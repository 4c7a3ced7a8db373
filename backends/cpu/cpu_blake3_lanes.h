/*
 * cpu_blake3_lanes.h - many BLAKE3 hashes side by side, for files that say how wide a
 * register is.
 *
 * Word w of all hashes lies in one register.  Before including it a file defines
 * LANES_KERNEL(name), INLINE, LANES, the type vec and vec_add, vec_xor, vec_rotate (by a
 * constant, to the right), vec_spread, vec_load, words_transpose (64 bytes from each of
 * LANES addresses and an offset to 16 registers) and hashes_store (the first `count`
 * lanes of 8 registers, 32 bytes each). Same bits as the text (kernels/hash,
 * kernels/pow), which does what is left over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_BLAKE3_LANES_H
#define MINERVA_BACKENDS_CPU_BLAKE3_LANES_H

#include <string.h>

#include "kernels/blake3_compress.h"
#include "kernels/kernels.h"

/* What a round takes from the message, in order: the permutation applied 0 to 6 times. */
static const uint8_t schedule[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

INLINE void mix(vec *a, vec *b, vec *c, vec *d, vec x, vec y)
{
    *a = vec_add(vec_add(*a, *b), x);
    *d = vec_rotate(vec_xor(*d, *a), 16);
    *c = vec_add(*c, *d);
    *b = vec_rotate(vec_xor(*b, *c), 12);
    *a = vec_add(vec_add(*a, *b), y);
    *d = vec_rotate(vec_xor(*d, *a), 8);
    *c = vec_add(*c, *d);
    *b = vec_rotate(vec_xor(*b, *c), 7);
}

/* cv becomes the chaining values; counter: low and high words. */
INLINE void compress(vec cv[8], const vec m[16], const vec counter[2], uint32_t flags)
{
    vec v[16] = {cv[0],
                 cv[1],
                 cv[2],
                 cv[3],
                 cv[4],
                 cv[5],
                 cv[6],
                 cv[7],
                 vec_spread(BLAKE3_IV0),
                 vec_spread(BLAKE3_IV1),
                 vec_spread(BLAKE3_IV2),
                 vec_spread(BLAKE3_IV3),
                 counter[0],
                 counter[1],
                 vec_spread(64),
                 vec_spread(flags)};

#pragma GCC unroll 7
    for (int r = 0; r < 7; r++) {
        const uint8_t *s = schedule[r];
        mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
        mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
        mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
        mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
        mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
        mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
        mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
        mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        cv[i] = vec_xor(v[i], v[i + 8]);
}

INLINE void key_load(const uint8_t *key, vec cv[8])
{
    for (int i = 0; i < 8; i++)
        cv[i] = vec_spread(blake3_word(key + (ptrdiff_t)4 * i));
}

/* Where each lane's message begins; lanes from `count` on repeat the last one. */
INLINE void lanes_begin(const uint8_t *from, size_t stride, uint64_t count,
                        const uint8_t *at[LANES])
{
    for (uint64_t i = 0; i < LANES; i++)
        at[i] = from + (i < count ? i : count - 1) * stride;
}

/* One block each: messages of 64 bytes to hashes of 32. */
INLINE void blocks_hash(const uint8_t *from, const uint8_t *key, uint64_t count,
                        uint32_t flags, uint8_t *out)
{
    const vec counter[2] = {vec_spread(0), vec_spread(0)};
    const uint8_t *at[LANES];
    vec cv[8], m[16];

    lanes_begin(from, 64, count, at);
    words_transpose(at, 0, m);
    key_load(key, cv);
    compress(cv, m, counter, flags);
    hashes_store(cv, count, out);
}

static void chunks_hash(const uint8_t *data, const uint8_t *key, uint64_t first,
                        uint64_t count, uint8_t *values)
{
    uint32_t low[LANES], high[LANES];
    const uint8_t *at[LANES];
    vec cv[8], m[16];

    lanes_begin(data + 1024 * first, 1024, count, at);
    for (uint32_t i = 0; i < LANES; i++) {
        low[i] = (uint32_t)(first + i);
        high[i] = (uint32_t)((first + i) >> 32);
    }
    const vec counter[2] = {vec_load(low), vec_load(high)};
    key_load(key, cv);
    for (uint32_t block = 0; block < 16; block++) {
        const uint32_t edge = block == 0    ? BLAKE3_CHUNK_START
                              : block == 15 ? BLAKE3_CHUNK_END
                                            : 0;
        words_transpose(at, (size_t)64 * block, m);
        compress(cv, m, counter, BLAKE3_KEYED | edge);
    }
    hashes_store(cv, count, values + 32 * first);
}

#endif
