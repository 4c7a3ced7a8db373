/*
 * cpu_blake3_avx2.c - eight BLAKE3 hashes side by side: chunks, tickets, noise.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx2.h"
#include "backends/cpu/cpu_transpose_avx2.h"

#define LANES_KERNEL(name) cpu_##name##_avx2
#define INLINE             static inline __attribute__((always_inline))

enum { LANES = 8, AHEAD = 256 /* bytes */ };

typedef __m256i vec;

INLINE vec vec_add(vec a, vec b)
{
    return _mm256_add_epi32(a, b);
}

INLINE vec vec_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

INLINE vec vec_spread(uint32_t value)
{
    return _mm256_set1_epi32((int)value);
}

INLINE vec vec_load(const uint32_t *from)
{
    return _mm256_loadu_si256((const vec *)from);
}

/* Whole bytes are moved, other bits are shifted; bits is a constant where it is called.
 */
INLINE vec vec_rotate(vec a, int bits)
{
    if (bits == 16)
        return _mm256_shuffle_epi8(
            a, _mm256_broadcastsi128_si256(
                   _mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2)));
    if (bits == 8)
        return _mm256_shuffle_epi8(
            a, _mm256_broadcastsi128_si256(
                   _mm_set_epi8(12, 15, 14, 13, 8, 11, 10, 9, 4, 7, 6, 5, 0, 3, 2, 1)));
    return _mm256_or_si256(_mm256_srli_epi32(a, bits), _mm256_slli_epi32(a, 32 - bits));
}

INLINE void words_transpose(const uint8_t *const at[LANES], size_t offset, vec m[16])
{
#pragma GCC unroll 8
    for (int i = 0; i < LANES; i++) {
        m[i] = _mm256_loadu_si256((const vec *)(at[i] + offset));
        m[i + 8] = _mm256_loadu_si256((const vec *)(at[i] + offset + 32));
        _mm_prefetch((const char *)at[i] + offset + AHEAD, _MM_HINT_T0);
    }
    cpu_transpose_words(m);
    cpu_transpose_words(m + 8);
}

/* The first `count` lanes' hashes, 32 bytes each. */
INLINE void hashes_store(const vec cv[8], uint64_t count, uint8_t *out)
{
    vec v[8];

    memcpy(v, cv, sizeof v);
    cpu_transpose_words(v);
    for (uint64_t i = 0; i < count; i++)
        _mm256_storeu_si256((vec *)(out + 32 * i), v[i]);
}

INLINE vec vec_dense(vec words)
{
    return _mm256_sub_epi8(_mm256_and_si256(words, _mm256_set1_epi8(63)),
                           _mm256_set1_epi8(32));
}

/* The high half of 32 by 32 bits, eight times. */
INLINE vec multiply_high(vec a, vec b)
{
    const vec even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
    const vec odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);

    return _mm256_blend_epi32(even, odd, 0xaa);
}

INLINE vec vec_pairs(vec words, vec mask)
{
    const vec plus = _mm256_and_si256(words, mask);
    const vec apart = _mm256_add_epi32(_mm256_set1_epi32(1), multiply_high(words, mask));

    return _mm256_or_si256(plus, _mm256_slli_epi32(_mm256_xor_si256(plus, apart), 16));
}

#include "backends/cpu/cpu_blake3_kernels.h"

const struct cpu_override cpu_avx2_overrides[CPU_AVX2_OVERRIDES] = {
    {KERNEL_blake3_chunks, cpu_blake3_chunks_avx2},
    {KERNEL_blake3_parents, cpu_blake3_parents_avx2},
    {KERNEL_ticket_hash, cpu_ticket_hash_avx2},
    {KERNEL_noise_dense, cpu_noise_dense_avx2},
    {KERNEL_noise_pairs, cpu_noise_pairs_avx2},
    {KERNEL_attention, cpu_attention_avx2},
};
