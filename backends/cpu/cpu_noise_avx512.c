/*
 * cpu_noise_avx512.c - adds noise to 64 values at a time.
 *
 * The dense values of a row are a table of up to 128 bytes in two registers; where a
 * position points is looked up for all rows of a range at once.  Larger ranks take the
 * text's way.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>

#include "backends/cpu/cpu_avx512.h"

enum { TABLE_SIZE = 128, STEP = 64 };

#define INLINE static inline __attribute__((always_inline))

/* The low bytes of 64 places, which are u16 two apart: plus at shift 0, minus at 16. */
INLINE __m512i places(const uint16_t *pairs, unsigned shift)
{
    __m128i part[4];

    for (int i = 0; i < 4; i++)
        part[i] = _mm512_cvtepi32_epi8(
            _mm512_srl_epi32(_mm512_loadu_si512(pairs + (ptrdiff_t)32 * i),
                             _mm_cvtsi32_si128((int)shift)));
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(part[1], part[0])),
                              _mm256_set_m128i(part[3], part[2]), 1);
}

/* 64 positions of rows [first, last). */
INLINE void step_add(uint64_t first, uint64_t last, void *const *views, uint32_t k,
                     uint32_t rank, uint32_t at)
{
    const int8_t *clean = views[0], *dense = views[1];
    const uint16_t *pairs = views[2];
    const __m512i plus = places(pairs + (size_t)2 * at, 0),
                  minus = places(pairs + (size_t)2 * at, 16);
    const __mmask64 low = rank < STEP ? ((__mmask64)1 << rank) - 1 : ~(__mmask64)0;
    const __mmask64 high = rank > STEP ? ~(__mmask64)0 : 0;
    int8_t *out = views[3];

    for (uint64_t row = first; row < last; row++) {
        const __m512i d0 = _mm512_maskz_loadu_epi8(low, dense + row * rank);
        const __m512i d1 = _mm512_maskz_loadu_epi8(high, dense + row * rank + STEP);
        const __m512i noise = _mm512_sub_epi8(_mm512_permutex2var_epi8(d0, plus, d1),
                                              _mm512_permutex2var_epi8(d0, minus, d1));
        _mm512_storeu_si512(
            out + row * k + at,
            _mm512_add_epi8(_mm512_loadu_si512(clean + row * k + at), noise));
    }
}

void cpu_noise_add_avx512(uint64_t first, uint64_t last, void *const *views,
                          const union scalar *scalars)
{
    const uint32_t k = scalars[0].u32, rank = scalars[1].u32;

    if (rank > TABLE_SIZE || k % STEP) {
        kernel_table[KERNEL_noise_add].run(first, last, views, scalars);
        return;
    }
    for (uint32_t at = 0; at < k; at += STEP)
        step_add(first, last, views, k, rank, at);
}
