/*
 * cpu_blake3_avx512.c - sixteen BLAKE3 hashes side by side: chunks, tickets, noise.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx512.h"

#define LANES_KERNEL(name) cpu_##name##_avx512
#define INLINE             static inline __attribute__((always_inline))

enum {
    LANES = 16,
    AHEAD = 256, /* bytes: sixteen streams at once are more than the processor foresees */
};

typedef __m512i vec;

#define vec_rotate(a, bits) _mm512_ror_epi32(a, bits)

INLINE vec vec_add(vec a, vec b)
{
    return _mm512_add_epi32(a, b);
}

INLINE vec vec_xor(vec a, vec b)
{
    return _mm512_xor_si512(a, b);
}

INLINE vec vec_spread(uint32_t value)
{
    return _mm512_set1_epi32((int)value);
}

INLINE vec vec_load(const uint32_t *from)
{
    return _mm512_loadu_si512(from);
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

INLINE void words_transpose(const uint8_t *const at[LANES], size_t offset, vec m[16])
{
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        m[i] = _mm512_loadu_si512(at[i] + offset);
        _mm_prefetch((const char *)at[i] + offset + AHEAD, _MM_HINT_T0);
    }
    transpose(m);
}

/* The first `count` lanes' hashes, 32 bytes each. */
INLINE void hashes_store(const vec cv[8], uint64_t count, uint8_t *out)
{
    vec v[16];

    for (int i = 0; i < 8; i++)
        v[i] = cv[i];
    for (int i = 8; i < 16; i++)
        v[i] = _mm512_setzero_si512();
    transpose(v);
    for (uint64_t i = 0; i < count; i++)
        _mm256_storeu_si256((__m256i *)(out + 32 * i), _mm512_castsi512_si256(v[i]));
}

INLINE vec vec_dense(vec words)
{
    return _mm512_sub_epi8(_mm512_and_si512(words, _mm512_set1_epi8(63)),
                           _mm512_set1_epi8(32));
}

/* The high half of 32 by 32 bits, sixteen times. */
INLINE vec multiply_high(vec a, vec b)
{
    const vec even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
    const vec odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);

    return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

INLINE vec vec_pairs(vec words, vec mask)
{
    const vec plus = _mm512_and_si512(words, mask);
    const vec apart = _mm512_add_epi32(_mm512_set1_epi32(1), multiply_high(words, mask));

    return _mm512_or_si512(plus, _mm512_slli_epi32(_mm512_xor_si512(plus, apart), 16));
}

#include "backends/cpu/cpu_blake3_kernels.h"
