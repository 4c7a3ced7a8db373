/*
 * cpu_correction.c - the int16 columns that turn a noised product back into the clean
 * one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_correction.h"

#include <assert.h>

enum { RANK_MAX = 1024, LIMB_BITS = 10, LIMB = 1 << LIMB_BITS };

/* How many of the k positions add to or take from one sum, at most. */
static uint32_t longest(const uint16_t *pairs, uint32_t k)
{
    uint32_t counts[RANK_MAX] = {0}, most = 0;

    for (uint32_t i = 0; i < 2 * k; i++)
        if (++counts[pairs[i]] > most)
            most = counts[pairs[i]];
    return most;
}

struct cpu_correction cpu_correction_make(const struct cpu_matmul *row, uint32_t rank,
                                          uint32_t k, const uint16_t *pairs_a,
                                          const uint16_t *pairs_b)
{
    const uint32_t a = longest(pairs_a, k), b = longest(pairs_b, k);
    /* 128: no int8 is farther from zero. */
    const int fits = 128 * (uint64_t)(a > b ? a : b) <= INT16_MAX;
    struct cpu_correction correction = {.row = row, .rank = rank, .limbs = fits ? 1 : 2};

    correction.extra = 2 * rank * correction.limbs;
    return correction;
}

/* Where rank columns of all lanes go, from column `at` on. */
struct part {
    const struct cpu_correction *correction;
    uint32_t lanes, at;
    int16_t *out;
};

static int16_t *place(const struct part *part, uint32_t column, uint32_t lane)
{
    const struct cpu_correction *c = part->correction;

    return part->out +
           cpu_extra_at(c->row, c->extra, part->lanes, part->at + column, lane);
}

/* Rows whose columns lie in pairs: loops that the compiler makes vectors of, because
 * `lanes` is a constant where it is called.  Not zero: a sum does not fit. */
static inline int32_t pair_sums(const int32_t *sums, uint32_t rank, uint32_t lanes,
                                int16_t *out)
{
    int32_t outside = 0;

    for (uint32_t j = 0; j < rank; j += 2, sums += 2 * CPU_COLUMNS, out += 2 * lanes)
        for (uint32_t lane = 0; lane < lanes; lane++) {
            const int32_t even = -sums[lane], odd = -sums[CPU_COLUMNS + lane];

            out[2 * lane] = (int16_t)even;
            out[2 * lane + 1] = (int16_t)odd;
            outside |= (even ^ (int16_t)even) | (odd ^ (int16_t)odd);
        }
    return outside;
}

static inline int16_t times(int32_t value, int32_t scale)
{
    return (int16_t)(value * scale);
}

static inline void pair_dense(const int8_t *const *dense, uint32_t rank, uint32_t lanes,
                              int16_t *out)
{
    for (uint32_t j = 0; j < rank; j += 2, out += 2 * lanes)
        for (uint32_t lane = 0; lane < lanes; lane++) {
            out[2 * lane] = times(dense[lane][j], 1);
            out[2 * lane + 1] = times(dense[lane][j + 1], 1);
        }
}

/* Any layout, and both limbs: limb 1 lies behind all columns of limb 0. */
static int32_t limb_sums(const struct part *part, const int32_t *sums)
{
    const struct cpu_correction *c = part->correction;
    int32_t outside = 0;

    for (uint32_t j = 0; j < c->rank; j++)
        for (uint32_t lane = 0; lane < part->lanes; lane++) {
            const int32_t value = -sums[(size_t)j * CPU_COLUMNS + lane];
            const int32_t high = c->limbs == 1 ? 0 : value >> LIMB_BITS;
            const int32_t low = value - high * LIMB;

            *place(part, j, lane) = (int16_t)low;
            if (c->limbs == 2)
                *place(part, 2 * c->rank + j, lane) = (int16_t)high;
            outside |= (low ^ (int16_t)low) | (high ^ (int16_t)high);
        }
    return outside;
}

static void limb_dense(const struct part *part, const int8_t *const *dense)
{
    const struct cpu_correction *c = part->correction;

    for (uint32_t lane = 0; lane < part->lanes; lane++)
        for (uint32_t j = 0; j < c->rank; j++) {
            *place(part, j, lane) = times(dense[lane][j], 1);
            if (c->limbs == 2)
                *place(part, 2 * c->rank + j, lane) = times(dense[lane][j], LIMB);
        }
}

static int is_paired(const struct cpu_correction *correction)
{
    return correction->row->pair == 2 && correction->limbs == 1;
}

static void put_sums(const struct part *part, const int32_t *sums)
{
    const uint32_t rank = part->correction->rank;
    int32_t outside;

    if (!is_paired(part->correction))
        outside = limb_sums(part, sums);
    else if (part->lanes == CPU_ROWS)
        outside = pair_sums(sums, rank, CPU_ROWS, place(part, 0, 0));
    else
        outside = pair_sums(sums, rank, CPU_COLUMNS, place(part, 0, 0));
    assert(!outside);
    (void)outside;
}

static void put_dense(const struct part *part, const int8_t *const *lines)
{
    static const int8_t zeros[RANK_MAX];
    const uint32_t rank = part->correction->rank;
    const int8_t *dense[CPU_COLUMNS];

    for (uint32_t lane = 0; lane < part->lanes; lane++)
        dense[lane] = lines[lane] ? lines[lane] : zeros;
    if (!is_paired(part->correction))
        limb_dense(part, dense);
    else if (part->lanes == CPU_ROWS)
        pair_dense(dense, rank, CPU_ROWS, place(part, 0, 0));
    else
        pair_dense(dense, rank, CPU_COLUMNS, place(part, 0, 0));
}

void cpu_correction_left(const struct cpu_correction *correction,
                         const struct cpu_correction_panel *panel)
{
    const struct part dense = {correction, CPU_ROWS, 0, panel->out};
    const struct part sums = {correction, CPU_ROWS, correction->rank, panel->out};

    put_dense(&dense, panel->dense);
    put_sums(&sums, panel->sums);
}

void cpu_correction_right(const struct cpu_correction *correction,
                          const struct cpu_correction_panel *panel)
{
    const struct part sums = {correction, CPU_COLUMNS, 0, panel->out};
    const struct part dense = {correction, CPU_COLUMNS, correction->rank, panel->out};

    put_sums(&sums, panel->sums);
    put_dense(&dense, panel->dense);
}
