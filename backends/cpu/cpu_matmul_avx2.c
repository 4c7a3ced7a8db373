/*
 * cpu_matmul_avx2.c - the int8 product with AVX2, exact for every int8.
 *
 * Values are packed as int16, two columns of k together: left [k / 2][8][2], right [k /
 * 2][32][2]. vpmaddwd multiplies and adds such pairs without saturating (vpmaddubsw
 * would).  A block goes in four quarters of 4 rows by 16 columns: 8 accumulators and what
 * they read fit 16 registers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx2.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_matmul.h"
#include "backends/cpu/cpu_text.h"
#include "backends/cpu/cpu_transpose_avx2.h"

enum {
    QUARTER_ROWS = 4,
    QUARTER_COLUMNS = 16,
    LEFT_STEP = 16,
    RIGHT_STEP = 64,
    PART = 256,     /* columns of k: 20 KiB of both panels */
    NEXT_STEP = 16, /* bytes of the next right panel a column of k: a quarter of it */
};

#define INLINE static inline __attribute__((always_inline))

/* In assembly because gcc 12 spills accumulators when it schedules the intrinsics. */
INLINE __m256i dot_words(__m256i sum, __m256i a, __m256i b)
{
    __m256i product;

    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0"
            : "+x"(sum), "=&x"(product)
            : "x"(a), "x"(b));
    return sum;
}

struct sums {
    __m256i row[QUARTER_ROWS][2];
};

INLINE __m256i load(const void *from)
{
    return _mm256_loadu_si256(from);
}

INLINE void store(void *to, __m256i value)
{
    _mm256_storeu_si256(to, value);
}

INLINE __m256i spread(const int16_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm256_set1_epi32(value);
}

/* a: a quarter's rows in a left panel, b: its columns in a right one. */
INLINE void add_words(const int16_t *a, const int16_t *b, uint32_t steps,
                      struct sums *sums)
{
#pragma GCC unroll 4
    for (uint32_t s = 0; s < steps; s++) {
        const __m256i b0 = load(b + (size_t)s * RIGHT_STEP);
        const __m256i b1 = load(b + (size_t)s * RIGHT_STEP + 16);
#pragma GCC unroll 4
        for (int i = 0; i < QUARTER_ROWS; i++) {
            const __m256i ai = spread(a + (size_t)s * LEFT_STEP + 2 * i);
            sums->row[i][0] = dot_words(sums->row[i][0], ai, b0);
            sums->row[i][1] = dot_words(sums->row[i][1], ai, b1);
        }
    }
}

/* Rows of the upper quarter begin a fold of 8, those of the lower one complete it. */
INLINE void fold(const struct sums *sums, uint32_t group, int is_lower, uint32_t *folds)
{
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++, folds += 8) {
        const __m256i two = _mm256_xor_si256(sums->row[0][half], sums->row[1][half]);
        const __m256i more = _mm256_xor_si256(sums->row[2][half], sums->row[3][half]);
        const __m256i four = _mm256_xor_si256(two, more);

        if (group == 2) {
            store(folds + (is_lower ? 2 : 0) * CPU_COLUMNS, two);
            store(folds + (is_lower ? 3 : 1) * CPU_COLUMNS, more);
        } else if (group == 4) {
            store(folds + (is_lower ? CPU_COLUMNS : 0), four);
        } else {
            store(folds, is_lower ? _mm256_xor_si256(load(folds), four) : four);
        }
    }
}

/* Quarters in the order of rows, then columns. */
struct block_sums {
    struct sums quarter[2][2];
};

/* What the right panel after this one wants in the second cache: 16 bytes a column of k.
 */
static void await_part(const uint8_t *next, uint32_t columns)
{
    for (uint32_t at = 0; at < columns * NEXT_STEP; at += 64)
        _mm_prefetch((const char *)next + at, _MM_HINT_T1);
}

/* More columns of k into all quarters: few enough to stay in the first cache for all
 * four. */
static void add_part(const int16_t *a, const int16_t *b, uint32_t steps,
                     struct block_sums *all)
{
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t j = 0; j < 2; j++) {
            struct sums sums = all->quarter[i][j];

            add_words(a + (size_t)2 * QUARTER_ROWS * i,
                      b + (size_t)2 * QUARTER_COLUMNS * j, steps, &sums);
            all->quarter[i][j] = sums;
        }
}

/* next: NULL, or what belongs to these columns of k in await_part(). */
static void add_all(const int16_t *a, const int16_t *b, uint32_t columns,
                    const uint8_t *next, struct block_sums *all)
{
    for (uint32_t at = 0; at < columns; at += PART) {
        const uint32_t part = columns - at < PART ? columns - at : PART;

        if (next)
            await_part(next + (size_t)at * NEXT_STEP, part);
        add_part(a + (size_t)at * CPU_ROWS, b + (size_t)at * CPU_COLUMNS, part / 2, all);
    }
}

static void fold_all(const struct block_sums *all, uint32_t group, uint32_t *folds)
{
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            fold(&all->quarter[i][j], group, i, folds + (ptrdiff_t)QUARTER_COLUMNS * j);
}

static void avx2_block(const struct cpu_block *block)
{
    const int16_t *a = block->a, *b = block->b;
    const uint8_t *next = block->next;
    uint32_t *folds = block->folds;
    struct block_sums all;

    memset(&all, 0, sizeof all);
    for (uint32_t s = 0; s < block->slices; s++) {
        add_all(a, b, block->slice, next, &all);
        if (block->group) {
            fold_all(&all, block->group, folds);
            folds += CPU_ROWS / block->group * CPU_COLUMNS;
        }
        a += (size_t)block->slice * CPU_ROWS;
        b += (size_t)block->slice * CPU_COLUMNS;
        next = next ? next + (size_t)block->slice * NEXT_STEP : NULL;
    }
    if (!block->c[0])
        return;
    add_all(a, b, block->tail, next, &all);
    if (block->extra)
        add_all(block->a_extra, block->b_extra, block->extra, NULL, &all);
    for (uint32_t i = 0; i < CPU_ROWS; i++)
        for (uint32_t j = 0; j < 2; j++)
            memcpy(block->c[i] + (ptrdiff_t)QUARTER_COLUMNS * j,
                   all.quarter[i / QUARTER_ROWS][j].row[i % QUARTER_ROWS],
                   QUARTER_COLUMNS * sizeof **block->c);
}

/* 16 columns of k of eight rows as int16: 8 steps of 8 rows by 2 columns, `stride` apart.
 */
INLINE void interleave(const int8_t *const *rows, size_t at, int16_t *out, size_t stride)
{
    __m256i r[8];

    for (int i = 0; i < 8; i++)
        r[i] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(rows[i] + at)));
    cpu_transpose_words(r);
    for (size_t j = 0; j < 8; j++)
        store(out + j * stride, r[j]);
}

static void avx2_pack_left(const int8_t *const *rows, uint32_t k_padded, void *out)
{
    int16_t *to = out;

    for (size_t at = 0; at < k_padded; at += 16, to += (size_t)8 * LEFT_STEP)
        interleave(rows, at, to, LEFT_STEP);
}

static void avx2_pack_right(const int8_t *const *rows, uint32_t k_padded, uint32_t slice,
                            void *out, int32_t *corrections)
{
    int16_t *to = out;

    (void)slice;
    (void)corrections; /* nothing is offset here */
    for (size_t at = 0; at < k_padded; at += 16, to += (size_t)8 * RIGHT_STEP)
        for (size_t i = 0; i < CPU_COLUMNS; i += 8)
            interleave(rows + i, at, to + 2 * i, RIGHT_STEP);
}

INLINE void sums_add(int32_t *sums, const __m256i value[4])
{
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < 4; i++)
        store(sums + 8 * i, _mm256_add_epi32(load(sums + 8 * i), value[i]));
}

INLINE void sums_take(int32_t *sums, const __m256i value[4])
{
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < 4; i++)
        store(sums + 8 * i, _mm256_sub_epi32(load(sums + 8 * i), value[i]));
}

static void avx2_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                        uint32_t rank, int is_small, int32_t *sums)
{
    const int16_t *from = panel;

    (void)is_small;
    memset(sums, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (size_t l = 0; l < k; l += 2, from += RIGHT_STEP) {
        __m256i even[4], odd[4];

        for (ptrdiff_t i = 0; i < 4; i++) {
            const __m256i both = load(from + 16 * i);
            even[i] = _mm256_srai_epi32(_mm256_slli_epi32(both, 16), 16);
            odd[i] = _mm256_srai_epi32(both, 16);
        }
        sums_add(sums + (size_t)pairs[2 * l] * CPU_COLUMNS, even);
        sums_take(sums + (size_t)pairs[2 * l + 1] * CPU_COLUMNS, even);
        sums_add(sums + (size_t)pairs[2 * l + 2] * CPU_COLUMNS, odd);
        sums_take(sums + (size_t)pairs[2 * l + 3] * CPU_COLUMNS, odd);
    }
}

const struct cpu_matmul cpu_matmul_avx2 = {
    .name = "avx2",
    .absent = NULL,
    .needs = CPU_AVX2,
    .unit = sizeof(int16_t),
    .pair = 2,
    .pack_left = avx2_pack_left,
    .pack_right = avx2_pack_right,
    .block = avx2_block,
    .gather = avx2_gather,
    .tile_words = cpu_tile_words,
    .texts = cpu_text_avx2,
    .overrides = cpu_avx2_overrides,
    .override_count = CPU_AVX2_OVERRIDES,
};
