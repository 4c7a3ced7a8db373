/*
 * cpu_blake3_avx512.c - sixteen BLAKE3 hashes side by side: chunks, tickets, noise.
 *
 * Word w of all sixteen lies in one register.  Same bits as the text (kernels/hash,
 * kernels/pow), which does what is left over.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx512.h"
#include "kernels/blake3_compress.h"

enum {
    LANES = 16,
    AHEAD = 256, /* bytes: sixteen streams at once are more than the processor foresees */
};

#define INLINE static inline __attribute__((always_inline))

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

INLINE void mix(__m512i *a, __m512i *b, __m512i *c, __m512i *d, __m512i x, __m512i y)
{
    *a = _mm512_add_epi32(_mm512_add_epi32(*a, *b), x);
    *d = _mm512_ror_epi32(_mm512_xor_si512(*d, *a), 16);
    *c = _mm512_add_epi32(*c, *d);
    *b = _mm512_ror_epi32(_mm512_xor_si512(*b, *c), 12);
    *a = _mm512_add_epi32(_mm512_add_epi32(*a, *b), y);
    *d = _mm512_ror_epi32(_mm512_xor_si512(*d, *a), 8);
    *c = _mm512_add_epi32(*c, *d);
    *b = _mm512_ror_epi32(_mm512_xor_si512(*b, *c), 7);
}

/* cv becomes the chaining values; counter: low and high words. */
INLINE void compress(__m512i cv[8], const __m512i m[16], const __m512i counter[2],
                     uint32_t flags)
{
    __m512i v[16] = {cv[0],
                     cv[1],
                     cv[2],
                     cv[3],
                     cv[4],
                     cv[5],
                     cv[6],
                     cv[7],
                     _mm512_set1_epi32((int)BLAKE3_IV0),
                     _mm512_set1_epi32((int)BLAKE3_IV1),
                     _mm512_set1_epi32((int)BLAKE3_IV2),
                     _mm512_set1_epi32((int)BLAKE3_IV3),
                     counter[0],
                     counter[1],
                     _mm512_set1_epi32(64),
                     _mm512_set1_epi32((int)flags)};

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
        cv[i] = _mm512_xor_si512(v[i], v[i + 8]);
}

/* Word j of register i becomes word i of register j. */
INLINE void transpose(__m512i v[16])
{
    __m512i t[16];

#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m512i even = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
        const __m512i odd = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
        const __m512i even2 = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
        const __m512i odd2 = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
        t[i] = _mm512_shuffle_i32x4(even, even2, 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(odd, odd2, 0x88);
        t[i + 8] = _mm512_shuffle_i32x4(even, even2, 0xdd);
        t[i + 12] = _mm512_shuffle_i32x4(odd, odd2, 0xdd);
    }
    memcpy(v, t, sizeof t);
}

INLINE void key_load(const uint8_t *key, __m512i cv[8])
{
    for (int i = 0; i < 8; i++)
        cv[i] = _mm512_set1_epi32((int)blake3_word(key + (ptrdiff_t)4 * i));
}

/* The first `count` lanes' hashes, 32 bytes each. */
INLINE void hashes_store(const __m512i cv[8], uint64_t count, uint8_t *out)
{
    __m512i v[16];

    for (int i = 0; i < 8; i++)
        v[i] = cv[i];
    for (int i = 8; i < 16; i++)
        v[i] = _mm512_setzero_si512();
    transpose(v);
    for (uint64_t i = 0; i < count; i++)
        _mm256_storeu_si256((__m256i *)(out + 32 * i), _mm512_castsi512_si256(v[i]));
}

/* Lanes from `count` on repeat the last one. */
INLINE void messages_load(const uint8_t *from, size_t stride, uint64_t count,
                          __m512i m[16])
{
    for (uint64_t i = 0; i < LANES; i++) {
        const uint8_t *at = from + (i < count ? i : count - 1) * stride;

        m[i] = _mm512_loadu_si512(at);
        _mm_prefetch((const char *)at + AHEAD, _MM_HINT_T0);
    }
    transpose(m);
}

static void chunks_hash(const uint8_t *data, const uint8_t *key, uint64_t first,
                        uint64_t count, uint8_t *values)
{
    const __m512i lane =
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i low = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)first), lane);
    const __mmask16 carry = _mm512_cmplt_epu32_mask(low, lane);
    const __m512i high = _mm512_set1_epi32((int)(uint32_t)(first >> 32));
    const __m512i counter[2] = {
        low, _mm512_mask_add_epi32(high, carry, high, _mm512_set1_epi32(1))};
    __m512i cv[8], m[16];

    key_load(key, cv);
    for (uint32_t block = 0; block < 16; block++) {
        const uint32_t edge = block == 0    ? BLAKE3_CHUNK_START
                              : block == 15 ? BLAKE3_CHUNK_END
                                            : 0;
        messages_load(data + 1024 * first + (size_t)64 * block, 1024, count, m);
        compress(cv, m, counter, BLAKE3_KEYED | edge);
    }
    hashes_store(cv, count, values + 32 * first);
}

void cpu_blake3_chunks_avx512(uint64_t first, uint64_t last, void *const *views,
                              const union scalar *scalars)
{
    const uint64_t size = scalars[0].u64, whole = scalars[1].u32 ? 0 : size / 1024;
    const uint64_t end = last < whole ? last : whole;

    for (; first < end; first += LANES)
        chunks_hash(views[0], views[1], first, end - first < LANES ? end - first : LANES,
                    views[2]);
    if (first > end)
        first = end;
    if (first < last)
        kernel_table[KERNEL_blake3_chunks].run(first, last, views, scalars);
}

void cpu_blake3_parents_avx512(uint64_t first, uint64_t last, void *const *views,
                               const union scalar *scalars)
{
    const __m512i counter[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    const uint64_t whole = scalars[1].u32 ? 0 : scalars[0].u64 / 2;
    const uint64_t end = last < whole ? last : whole;
    const uint8_t *values = views[0];
    uint8_t *parents = views[2];

    for (; first < end; first += LANES) {
        const uint64_t count = end - first < LANES ? end - first : LANES;
        __m512i cv[8], m[16];

        messages_load(values + 64 * first, 64, count, m);
        key_load(views[1], cv);
        compress(cv, m, counter, BLAKE3_KEYED | BLAKE3_PARENT);
        hashes_store(cv, count, parents + 32 * first);
    }
    if (first > end)
        first = end;
    if (first < last)
        kernel_table[KERNEL_blake3_parents].run(first, last, views, scalars);
}

#define ONE_BLOCK (BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT)

void cpu_ticket_hash_avx512(uint64_t first, uint64_t last, void *const *views,
                            const union scalar *scalars)
{
    const __m512i counter[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    const uint8_t *words = views[0];
    uint8_t *tickets = views[2];

    (void)scalars;
    for (uint64_t tile = first; tile < last; tile += LANES) {
        const uint64_t count = last - tile < LANES ? last - tile : LANES;
        __m512i cv[8], m[16];

        messages_load(words + 64 * tile, 64, count, m);
        key_load(views[1], cv);
        compress(cv, m, counter, ONE_BLOCK);
        hashes_store(cv, count, tickets + 32 * tile);
    }
}

/* Sixteen words streams from number `first` on: word i of each in cv[i]. */
INLINE void stream(const uint8_t *seed, uint32_t side, uint32_t slot, uint64_t first,
                   __m512i cv[8])
{
    const __m512i counter[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    __m512i m[16];

    for (int i = 0; i < 16; i++)
        m[i] = _mm512_setzero_si512();
    m[slot] = _mm512_add_epi32(
        _mm512_set1_epi32((int)(uint32_t)(first + 1)),
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    m[8] = _mm512_set1_epi32((int)(0x65745f41u + side)); /* "A_te" */
    m[9] = _mm512_set1_epi32(0x726f736e);                /* "nsor" */
    key_load(seed, cv);
    compress(cv, m, counter, ONE_BLOCK);
}

void cpu_noise_dense_avx512(uint64_t first, uint64_t last, void *const *views,
                            const union scalar *scalars)
{
    const uint64_t base = scalars[1].u64;
    uint8_t *out = views[1];

    for (uint64_t unit = first; unit < last; unit += LANES) {
        __m512i cv[8];

        stream(views[0], scalars[0].u32, 0, unit, cv);
        for (int i = 0; i < 8; i++)
            cv[i] = _mm512_sub_epi8(_mm512_and_si512(cv[i], _mm512_set1_epi8(63)),
                                    _mm512_set1_epi8(32));
        hashes_store(cv, last - unit < LANES ? last - unit : LANES,
                     out + 32 * (unit - base));
    }
}

/* The high half of 32 by 32 bits, sixteen times. */
INLINE __m512i multiply_high(__m512i a, __m512i b)
{
    const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);

    return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

void cpu_noise_pairs_avx512(uint64_t first, uint64_t last, void *const *views,
                            const union scalar *scalars)
{
    const uint32_t side = scalars[0].u32, rank = scalars[1].u32, k = scalars[2].u32;
    const uint64_t end = last < k / 8 ? last : k / 8;
    const __m512i mask = _mm512_set1_epi32((int)(rank - 1));
    uint8_t *pairs = views[1];

    for (uint64_t unit = first; unit < end; unit += LANES) {
        __m512i cv[8];

        stream(views[0], side, 1, unit, cv);
        for (int i = 0; i < 8; i++) {
            const __m512i plus = _mm512_and_si512(cv[i], mask);
            const __m512i apart =
                _mm512_add_epi32(_mm512_set1_epi32(1), multiply_high(cv[i], mask));
            cv[i] = _mm512_or_si512(plus,
                                    _mm512_slli_epi32(_mm512_xor_si512(plus, apart), 16));
        }
        hashes_store(cv, end - unit < LANES ? end - unit : LANES, pairs + 32 * unit);
    }
    if (end < last && first < last)
        kernel_table[KERNEL_noise_pairs].run(first > end ? first : end, last, views,
                                             scalars);
}
