/*
 * cpu_matmul_portable.c - the int8 product in plain C, for every processor.
 *
 * Panels hold int16 rows one after the other, so that a compiler turns the innermost loop
 * into whatever multiply-and-add the processor has for 16 bits.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cpu/cpu_matmul.h"

/* NOLINTBEGIN(bugprone-signed-char-misuse): these are numbers, not characters. */
static void pack_rows(const int8_t *const *rows, uint32_t count, uint32_t k, int16_t *out)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t l = 0; l < k; l++)
            out[(size_t)i * k + l] = rows[i][l];
}
/* NOLINTEND(bugprone-signed-char-misuse) */

static void portable_pack_left(const int8_t *const *rows, uint32_t k_padded, void *out)
{
    pack_rows(rows, CPU_ROWS, k_padded, out);
}

static void portable_pack_right(const int8_t *const *rows, uint32_t k_padded,
                                uint32_t slice, void *out, int32_t *corrections)
{
    (void)slice;
    (void)corrections; /* nothing is offset here */
    pack_rows(rows, CPU_COLUMNS, k_padded, out);
}

/* sums[i][j] += a[i] b[j] over count columns, for 2 rows and 4 columns. */
static void dots(const int16_t *restrict a, const int16_t *restrict b, size_t stride,
                 uint32_t count, uint32_t *restrict sums)
{
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;

    for (size_t l = 0; l < count; l++) {
        s0 += a[l] * b[l];
        s1 += a[l] * b[stride + l];
        s2 += a[l] * b[2 * stride + l];
        s3 += a[l] * b[3 * stride + l];
        t0 += a[stride + l] * b[l];
        t1 += a[stride + l] * b[stride + l];
        t2 += a[stride + l] * b[2 * stride + l];
        t3 += a[stride + l] * b[3 * stride + l];
    }
    const int32_t dot[2][4] = {{s0, s1, s2, s3}, {t0, t1, t2, t3}};
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t j = 0; j < 4; j++)
            sums[i * CPU_COLUMNS + j] += (uint32_t)dot[i][j];
}

/* The same for the correction's columns, whose sums pass 2^31 and come back. */
static void add_extra(const int16_t *a, const int16_t *b, uint32_t count, uint32_t *sums)
{
    for (size_t i = 0; i < CPU_ROWS; i++)
        for (size_t j = 0; j < CPU_COLUMNS; j++) {
            uint32_t sum = 0;

            for (size_t l = 0; l < count; l++)
                sum += (uint32_t)(a[i * count + l] * b[j * count + l]);
            sums[i * CPU_COLUMNS + j] += sum;
        }
}

static void add_columns(const int16_t *a, const int16_t *b, size_t stride, uint32_t count,
                        uint32_t *sums)
{
    for (uint32_t i = 0; i < CPU_ROWS; i += 2)
        for (uint32_t j = 0; j < CPU_COLUMNS; j += 4)
            dots(a + i * stride, b + j * stride, stride, count,
                 sums + i * CPU_COLUMNS + j);
}

static void fold(const uint32_t *sums, uint32_t group, uint32_t *folds)
{
    memset(folds, 0, CPU_ROWS / group * CPU_COLUMNS * sizeof *folds);
    for (uint32_t i = 0; i < CPU_ROWS; i++)
        for (uint32_t j = 0; j < CPU_COLUMNS; j++)
            folds[i / group * CPU_COLUMNS + j] ^= sums[i * CPU_COLUMNS + j];
}

static void portable_block(const struct cpu_block *block)
{
    const uint32_t k = block->slice * block->slices + block->tail;
    const int16_t *a = block->a, *b = block->b;
    uint32_t sums[CPU_ROWS * CPU_COLUMNS] = {0};

    for (uint32_t s = 0; s < block->slices; s++) {
        add_columns(a, b, k, block->slice, sums);
        if (block->group)
            fold(sums, block->group,
                 block->folds + (size_t)s * (CPU_ROWS / block->group) * CPU_COLUMNS);
        a += block->slice;
        b += block->slice;
    }
    if (block->tail)
        add_columns(a, b, k, block->tail, sums);
    if (block->extra)
        add_extra(block->a_extra, block->b_extra, block->extra, sums);
    for (uint32_t i = 0; block->c[0] && i < CPU_ROWS; i++)
        memcpy(block->c[i], sums + i * CPU_COLUMNS, CPU_COLUMNS * sizeof *sums);
}

static void portable_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                            uint32_t rank, int is_small, int32_t *sums)
{
    const size_t k_padded = (k + CPU_K_UNIT - 1) / CPU_K_UNIT * CPU_K_UNIT;
    const int16_t *b = panel;

    (void)is_small;
    memset(sums, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (uint32_t j = 0; j < CPU_COLUMNS; j++)
        for (uint32_t l = 0; l < k; l++) {
            sums[pairs[2 * l] * CPU_COLUMNS + j] += b[j * k_padded + l];
            sums[pairs[2 * l + 1] * CPU_COLUMNS + j] -= b[j * k_padded + l];
        }
}

void cpu_tile_words(const uint32_t *folds, uint32_t slices, uint32_t stride,
                    uint32_t words[2][16])
{
    memset(words, 0, 2 * sizeof words[0]);
    for (uint32_t s = 0; s < slices; s++)
        for (uint32_t t = 0; t < 2; t++) {
            uint32_t *word = &words[t][s % 16], x = 0;

            for (uint32_t j = 0; j < 16; j++)
                x ^= folds[(size_t)s * stride + 16 * t + j];
            *word = (*word << 13 | *word >> 19) ^ x;
        }
}

const struct cpu_matmul cpu_matmul_portable = {
    .name = "portable",
    .needs = 0,
    .unit = sizeof(int16_t),
    .pair = 0,
    .pack_left = portable_pack_left,
    .pack_right = portable_pack_right,
    .block = portable_block,
    .gather = portable_gather,
    .tile_words = cpu_tile_words,
    .texts = NULL,
    .overrides = NULL,
    .override_count = 0,
};
