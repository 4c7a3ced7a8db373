/*
 * cpu_matmul_neon.c - the int8 product with the dot product of AArch64 NEON.
 *
 * Left panels are [k / 4][8][4], right ones [k / 4][32][4], both signed: nothing has to
 * be corrected.  A block goes in four parts of 8 rows by 8 columns: 16 sums and what they
 * read fit 32 registers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arm_neon.h>
#include <string.h>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_matmul.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    STEP = 4, /* columns of k */
    LEFT_STEP = STEP * CPU_ROWS,
    RIGHT_STEP = STEP * CPU_COLUMNS,
    PART_COLUMNS = 8,
    PARTS = CPU_COLUMNS / PART_COLUMNS,
    PART_STEPS = 64, /* 10 KiB of both panels stay in the first cache for all parts */
    VECTORS = CPU_COLUMNS / 4,
};

struct sums {
    int32x4_t row[CPU_ROWS][2];
};

/* A lane's number must be a constant in the source. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

INLINE void add_bytes(const int8_t *a, const int8_t *b, uint32_t steps, struct sums *sums)
{
    struct sums s = *sums;

    for (uint32_t i = 0; i < steps; i++, a += LEFT_STEP, b += RIGHT_STEP) {
        const int8x16_t b0 = vld1q_s8(b), b1 = vld1q_s8(b + 16);
        const int8x16_t rows[2] = {vld1q_s8(a), vld1q_s8(a + 16)};
#define DOT(r)                                                                           \
    s.row[r][0] = vdotq_laneq_s32(s.row[r][0], b0, rows[(r) / 4], (r) % 4);              \
    s.row[r][1] = vdotq_laneq_s32(s.row[r][1], b1, rows[(r) / 4], (r) % 4);
        EACH_ROW(DOT)
#undef DOT
    }
    *sums = s;
}

/* Of the correction: one column of k at a time. */
INLINE void add_words(const int16_t *a, const int16_t *b, uint32_t columns,
                      struct sums *sums)
{
    struct sums s = *sums;

    for (uint32_t i = 0; i < columns; i++, a += CPU_ROWS, b += CPU_COLUMNS) {
        const int16x8_t rows = vld1q_s16(a), values = vld1q_s16(b);
        const int16x4_t b0 = vget_low_s16(values), b1 = vget_high_s16(values);
#define MUL(r)                                                                           \
    s.row[r][0] = vmlal_laneq_s16(s.row[r][0], b0, rows, r);                             \
    s.row[r][1] = vmlal_laneq_s16(s.row[r][1], b1, rows, r);
        EACH_ROW(MUL)
#undef MUL
    }
    *sums = s;
}

/* A multiple of 4 columns of k, into all parts. */
static void add_columns(const int8_t *a, const int8_t *b, uint32_t columns,
                        struct sums *parts)
{
    for (uint32_t left = columns / STEP; left;) {
        const uint32_t steps = left < PART_STEPS ? left : PART_STEPS;

        for (ptrdiff_t p = 0; p < PARTS; p++)
            add_bytes(a, b + p * PART_COLUMNS * STEP, steps, &parts[p]);
        a += (size_t)steps * LEFT_STEP;
        b += (size_t)steps * RIGHT_STEP;
        left -= steps;
    }
}

INLINE void store(uint32_t *to, int32x4_t value)
{
    vst1q_u32(to, vreinterpretq_u32_s32(value));
}

static void fold(const struct sums *parts, uint32_t group, uint32_t *folds)
{
    for (uint32_t row = 0; row < CPU_ROWS; row += group)
        for (ptrdiff_t v = 0; v < VECTORS; v++, folds += 4) {
            int32x4_t x = parts[v / 2].row[row][v % 2];

            for (uint32_t i = row + 1; i < row + group; i++)
                x = veorq_s32(x, parts[v / 2].row[i][v % 2]);
            store(folds, x);
        }
}

static void neon_block(const struct cpu_block *block)
{
    const int8_t *a = block->a, *b = block->b;
    struct sums parts[PARTS];

    memset(parts, 0, sizeof parts);
    for (uint32_t s = 0; s < block->slices; s++) {
        add_columns(a, b, block->slice, parts);
        if (block->group)
            fold(parts, block->group,
                 block->folds + (size_t)s * (CPU_ROWS / block->group) * CPU_COLUMNS);
        a += (size_t)block->slice * CPU_ROWS;
        b += (size_t)block->slice * CPU_COLUMNS;
    }
    if (!block->c[0])
        return;
    add_columns(a, b, block->tail, parts);
    for (ptrdiff_t p = 0; p < PARTS; p++) {
        if (block->extra)
            add_words(block->a_extra, block->b_extra + p * PART_COLUMNS, block->extra,
                      &parts[p]);
        for (int i = 0; i < CPU_ROWS; i++)
            for (ptrdiff_t v = 0; v < 2; v++)
                vst1q_s32(block->c[i] + p * PART_COLUMNS + 4 * v, parts[p].row[i][v]);
    }
}

/* 16 bytes of each of four rows as 4 steps of 4 rows by 4 bytes, `stride` bytes apart. */
INLINE void interleave(const int8_t *const *rows, size_t at, int8_t *out, size_t stride)
{
    int32x4_t r[4];

    for (int i = 0; i < 4; i++)
        r[i] = vreinterpretq_s32_s8(vld1q_s8(rows[i] + at));
    const int32x4x2_t low = vtrnq_s32(r[0], r[1]), high = vtrnq_s32(r[2], r[3]);
    for (size_t j = 0; j < 2; j++) {
        const int32x4_t near =
            vcombine_s32(vget_low_s32(low.val[j]), vget_low_s32(high.val[j]));
        const int32x4_t far =
            vcombine_s32(vget_high_s32(low.val[j]), vget_high_s32(high.val[j]));
        vst1q_s8(out + j * stride, vreinterpretq_s8_s32(near));
        vst1q_s8(out + (j + 2) * stride, vreinterpretq_s8_s32(far));
    }
}

INLINE void pack(const int8_t *const *rows, size_t count, uint32_t k_padded, int8_t *out)
{
    for (size_t at = 0; at < k_padded; at += 16, out += 16 * count)
        for (size_t i = 0; i < count; i += 4)
            interleave(rows + i, at, out + STEP * i, STEP * count);
}

static void neon_pack_left(const int8_t *const *rows, uint32_t k_padded, void *out)
{
    pack(rows, CPU_ROWS, k_padded, out);
}

static void neon_pack_right(const int8_t *const *rows, uint32_t k_padded, uint32_t slice,
                            void *out, int32_t *corrections)
{
    (void)slice;
    (void)corrections; /* nothing is offset here */
    pack(rows, CPU_COLUMNS, k_padded, out);
}

INLINE void gather_column(const int8_t *step, int q, int32_t *plus, int32_t *minus)
{
    int32x4_t value[VECTORS];

    for (ptrdiff_t v = 0; v < VECTORS; v++) {
        const int32x4_t four = vreinterpretq_s32_s8(vld1q_s8(step + 16 * v));

        value[v] = vshrq_n_s32(vshlq_s32(four, vdupq_n_s32(24 - 8 * q)), 24);
        vst1q_s32(plus + 4 * v, vaddq_s32(vld1q_s32(plus + 4 * v), value[v]));
    }
    for (ptrdiff_t v = 0; v < VECTORS; v++)
        vst1q_s32(minus + 4 * v, vsubq_s32(vld1q_s32(minus + 4 * v), value[v]));
}

static void neon_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                        uint32_t rank, int is_small, int32_t *sums)
{
    const int8_t *from = panel;

    (void)is_small;
    memset(sums, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (size_t l = 0; l < k; l += STEP)
        for (int q = 0; q < STEP; q++) {
            const uint16_t *pair = pairs + 2 * (l + (size_t)q);

            gather_column(from + l * CPU_COLUMNS, q, sums + (size_t)pair[0] * CPU_COLUMNS,
                          sums + (size_t)pair[1] * CPU_COLUMNS);
        }
}

const struct cpu_matmul cpu_matmul_neon = {
    .name = "neon",
    .absent = NULL,
    .needs = CPU_DOTPROD,
    .unit = 1,
    .pair = 1,
    .pack_left = neon_pack_left,
    .pack_right = neon_pack_right,
    .block = neon_block,
    .gather = neon_gather,
    .tile_words = cpu_tile_words,
    .texts = NULL, /* the baseline of AArch64 has NEON */
    .overrides = NULL,
    .override_count = 0,
};
