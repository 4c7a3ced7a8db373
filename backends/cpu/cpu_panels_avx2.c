/*
 * cpu_panels_avx2.c - packs and gathers the panels of cpu_panels.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_matmul.h"
#include "backends/cpu/cpu_panels.h"
#include "backends/cpu/cpu_transpose_avx2.h"

#define INLINE static inline __attribute__((always_inline))

enum { STEP = 4, VECTORS = CPU_COLUMNS / 8, BATCH = 32 };

INLINE __m256i load(const void *from)
{
    return _mm256_loadu_si256(from);
}

INLINE void store(void *to, __m256i value)
{
    _mm256_storeu_si256(to, value);
}

/* 32 bytes of each of eight rows as 8 steps of 8 rows by 4 bytes, `stride` bytes apart.
 */
INLINE void interleave(const int8_t *const *rows, size_t at, __m256i flip, uint8_t *out,
                       size_t stride)
{
    __m256i r[8];

    for (int i = 0; i < 8; i++)
        r[i] = _mm256_xor_si256(load(rows[i] + at), flip);
    cpu_transpose_words(r);
    for (size_t j = 0; j < 8; j++)
        store(out + j * stride, r[j]);
}

void cpu_panels_left(const int8_t *const *rows, uint32_t k_padded, void *out)
{
    const __m256i flip = _mm256_set1_epi8(-128);
    uint8_t *to = out;

    for (size_t at = 0; at < k_padded; at += BATCH, to += BATCH * CPU_ROWS)
        interleave(rows, at, flip, to, STEP * CPU_ROWS);
}

/* -128 times the sums of each column over `columns` columns of k. */
static void column_sums(const uint8_t *panel, uint32_t columns, int32_t *corrections)
{
    const __m256i bytes = _mm256_set1_epi8(1), words = _mm256_set1_epi16(1);

    for (ptrdiff_t v = 0; v < VECTORS; v++) {
        __m256i sum = _mm256_setzero_si256();

        for (size_t l = 0; l < columns; l += STEP) {
            const __m256i two =
                _mm256_maddubs_epi16(bytes, load(panel + l * CPU_COLUMNS + 32 * v));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(two, words));
        }
        store(corrections + 8 * v,
              _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sum, 7)));
    }
}

void cpu_panels_right(const int8_t *const *rows, uint32_t k_padded, uint32_t slice,
                      void *out, int32_t *corrections)
{
    uint8_t *to = out;

    for (size_t at = 0; at < k_padded; at += BATCH, to += BATCH * CPU_COLUMNS)
        for (size_t i = 0; i < CPU_COLUMNS; i += 8)
            interleave(rows + i, at, _mm256_setzero_si256(), to + STEP * i,
                       STEP * CPU_COLUMNS);
    for (uint32_t at = 0; at < k_padded; at += slice, corrections += CPU_COLUMNS)
        column_sums((const uint8_t *)out + (size_t)at * CPU_COLUMNS,
                    k_padded - at < slice ? k_padded - at : slice, corrections);
}

/* Byte q of 8 columns of 4 bytes, as int32. */
INLINE __m256i column_values(const uint8_t *from, int q)
{
    return _mm256_srai_epi32(_mm256_slli_epi32(load(from), 24 - 8 * q), 24);
}

INLINE void gather_column(const uint8_t *step, int q, int32_t *plus, int32_t *minus)
{
    __m256i value[VECTORS];

#pragma GCC unroll 4
    for (ptrdiff_t v = 0; v < VECTORS; v++) {
        value[v] = column_values(step + 32 * v, q);
        store(plus + 8 * v, _mm256_add_epi32(load(plus + 8 * v), value[v]));
    }
#pragma GCC unroll 4
    for (ptrdiff_t v = 0; v < VECTORS; v++)
        store(minus + 8 * v, _mm256_sub_epi32(load(minus + 8 * v), value[v]));
}

void cpu_panels_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                       uint32_t rank, int is_small, int32_t *sums)
{
    const uint8_t *from = panel;

    (void)is_small;
    memset(sums, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (size_t l = 0; l < k; l += STEP)
#pragma GCC unroll 4
        for (int q = 0; q < STEP; q++) {
            const uint16_t *pair = pairs + 2 * (l + (size_t)q);

            gather_column(from + l * CPU_COLUMNS, q, sums + (size_t)pair[0] * CPU_COLUMNS,
                          sums + (size_t)pair[1] * CPU_COLUMNS);
        }
}
