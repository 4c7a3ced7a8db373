/*
 * cpu_transpose_avx2.h - eight registers of eight words, rows for columns: what packing
 * and hashing side by side have in common.
 *
 * For files compiled with AVX2 only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_TRANSPOSE_AVX2_H
#define MINERVA_BACKENDS_CPU_TRANSPOSE_AVX2_H

#include <immintrin.h>
#include <string.h>

/* Word j of register i becomes word i of register j. */
static inline __attribute__((always_inline)) void cpu_transpose_words(__m256i v[8])
{
    __m256i t[8];

#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        v[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        v[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        v[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        v[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2x128_si256(v[i], v[i + 4], 0x20);
        t[i + 4] = _mm256_permute2x128_si256(v[i], v[i + 4], 0x31);
    }
    memcpy(v, t, sizeof t);
}

#endif
