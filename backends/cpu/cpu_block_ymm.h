/*
 * cpu_block_ymm.h - a block in 16 registers of 256 bits, for files that encode a dot.
 *
 * Before including it a file defines DOT_BYTES(sum, a, b) and DOT_WORDS(sum, a, b):
 * vpdpbusd and vpdpwssd are encoded one way with AVX-VNNI and another with AVX-512.
 * Panels are those of cpu_panels.h.  Eight rows go in threes by all 32 columns: twelve
 * sums hide a latency of five cycles at two dots a cycle, and with three values of a and
 * a vector of b they fill 16 registers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_BLOCK_YMM_H
#define MINERVA_BACKENDS_CPU_BLOCK_YMM_H

#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_matmul.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    PART_ROWS = 3,
    VECTORS = 4,      /* of 8 columns */
    LEFT_STEP = 32,   /* bytes: 8 rows by 4 int8 or 2 int16 */
    RIGHT_STEP = 128, /* bytes: 32 columns of the same */
    PART_STEPS = 64,  /* 10 KiB of both panels stay in the first cache for all rows */
};

struct block_sums {
    __m256i row[CPU_ROWS][VECTORS];
    __m256i correction[VECTORS]; /* of all slices so far; not in the sums yet */
};

INLINE __m256i spread(const uint8_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm256_set1_epi32(value);
}

/* rows and is_words are constants where this is called. */
INLINE void add_rows(const uint8_t *a, const uint8_t *b, uint32_t steps, int rows,
                     int is_words, __m256i (*sum)[VECTORS])
{
#pragma GCC unroll 1 /* gcc 12 spills all sums otherwise */
    for (uint32_t s = 0; s < steps; s++, a += LEFT_STEP, b += RIGHT_STEP) {
        __m256i ai[PART_ROWS];

        for (ptrdiff_t i = 0; i < rows; i++)
            ai[i] = spread(a + 4 * i);
#pragma GCC unroll 4
        for (ptrdiff_t v = 0; v < VECTORS; v++) {
            const __m256i bv = _mm256_loadu_si256((const __m256i *)(b + 32 * v));
            for (int i = 0; i < rows; i++)
                if (is_words)
                    DOT_WORDS(sum[i][v], ai[i], bv);
                else
                    DOT_BYTES(sum[i][v], ai[i], bv);
        }
    }
}

/* Not inlined: gcc 12 would keep all of the sums apart, in more places than it has. */
#define ADD_ROWS(name, rows, is_words)                                                   \
    static __attribute__((noinline)) void name(const uint8_t *a, const uint8_t *b,       \
                                               uint32_t steps, __m256i(*sums)[VECTORS])  \
    {                                                                                    \
        __m256i sum[rows][VECTORS];                                                      \
                                                                                         \
        memcpy(sum, sums, sizeof sum);                                                   \
        add_rows(a, b, steps, rows, is_words, sum);                                      \
        memcpy(sums, sum, sizeof sum);                                                   \
    }
ADD_ROWS(add_three_bytes, 3, 0)
ADD_ROWS(add_two_bytes, 2, 0)
ADD_ROWS(add_three_words, 3, 1)
ADD_ROWS(add_two_words, 2, 1)

INLINE void add_steps(const void *left, const void *right, uint32_t steps, int is_words,
                      struct block_sums *sums)
{
    const uint8_t *a = left, *b = right;

    while (steps) {
        const uint32_t part = steps < PART_STEPS ? steps : PART_STEPS;

        (is_words ? add_three_words : add_three_bytes)(a, b, part, sums->row);
        (is_words ? add_three_words : add_three_bytes)(a + 12, b, part, sums->row + 3);
        (is_words ? add_two_words : add_two_bytes)(a + 24, b, part, sums->row + 6);
        a += (size_t)part * LEFT_STEP;
        b += (size_t)part * RIGHT_STEP;
        steps -= part;
    }
}

INLINE void correct(const int32_t *corrections, struct block_sums *sums)
{
    __m256i more[VECTORS];
    memcpy(more, corrections, sizeof more);
    for (int v = 0; v < VECTORS; v++)
        sums->correction[v] = _mm256_add_epi32(sums->correction[v], more[v]);
}

INLINE void fold(const struct block_sums *sums, uint32_t group, uint32_t *folds)
{
    for (uint32_t row = 0; row < CPU_ROWS; row += group, folds += CPU_COLUMNS)
        for (ptrdiff_t v = 0; v < VECTORS; v++) {
            __m256i x = _mm256_setzero_si256();

            for (uint32_t i = row; i < row + group; i++)
                x = _mm256_xor_si256(
                    x, _mm256_add_epi32(sums->row[i][v], sums->correction[v]));
            _mm256_storeu_si256((__m256i *)(folds + 8 * v), x);
        }
}

/* The slot of struct cpu_matmul. */
INLINE void block_ymm(const struct cpu_block *block)
{
    const uint8_t *a = block->a, *b = block->b;
    const int32_t *corrections = block->corrections;
    const uint32_t group = block->group, steps = block->slice / 4;
    struct block_sums sums;

    memset(&sums, 0, sizeof sums);
    for (uint32_t s = 0; s < block->slices; s++, corrections += CPU_COLUMNS) {
        add_steps(a, b, steps, 0, &sums);
        correct(corrections, &sums);
        if (group)
            fold(&sums, group, block->folds + (size_t)s * CPU_ROWS / group * CPU_COLUMNS);
        a += (size_t)steps * LEFT_STEP;
        b += (size_t)steps * RIGHT_STEP;
    }
    if (!block->c[0])
        return;
    add_steps(a, b, block->tail / 4, 0, &sums);
    if (block->tail)
        correct(corrections, &sums);
    add_steps(block->a_extra, block->b_extra, block->extra / 2, 1, &sums);
    for (int i = 0; i < CPU_ROWS; i++)
        for (int v = 0; v < VECTORS; v++) {
            const __m256i c = _mm256_add_epi32(sums.row[i][v], sums.correction[v]);
            memcpy(block->c[i] + (ptrdiff_t)8 * v, &c, sizeof c);
        }
}

#endif
