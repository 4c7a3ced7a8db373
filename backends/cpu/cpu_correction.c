/*
 * cpu_correction.c - the int16 columns that turn a noised product back into the clean
 * one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_correction.h"

#include <assert.h>
#include <string.h>

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

struct lane {
    const struct cpu_correction *correction;
    uint32_t lanes, lane;
    int16_t *out;
};

/* rank values into columns at, at + 1, ... of one lane. */
static void put(const struct lane *lane, uint32_t at, const int16_t *values)
{
    const struct cpu_correction *c = lane->correction;
    const uint32_t pair = c->row->pair ? c->row->pair : c->rank;

    for (uint32_t j = 0; j < c->rank; j += pair) {
        int16_t *to =
            lane->out + cpu_extra_at(c->row, c->extra, lane->lanes, at + j, lane->lane);

        if (pair == 2)
            memcpy(to, values + j, 2 * sizeof *to); /* a constant size: one move */
        else
            memcpy(to, values + j, pair * sizeof *to);
    }
}

static void put_dense(const struct lane *lane, uint32_t at, const int8_t *dense)
{
    const struct cpu_correction *c = lane->correction;
    int16_t values[RANK_MAX] = {0};

    for (uint32_t limb = 0, scale = 1; limb < c->limbs; limb++, scale *= LIMB) {
        for (uint32_t j = 0; dense && j < c->rank; j++)
            values[j] = (int16_t)(dense[j] * (int32_t)scale);
        put(lane, at + 2 * c->rank * limb, values);
    }
}

static void put_sums(const struct lane *lane, uint32_t at, const int32_t *sums)
{
    const struct cpu_correction *c = lane->correction;
    int16_t low[RANK_MAX], high[RANK_MAX];
    int32_t outside = 0; /* bits of a value that an int16 does not hold */

    for (uint32_t j = 0; j < c->rank; j++) {
        const int32_t value = -sums[(size_t)j * CPU_COLUMNS];
        const int32_t above = c->limbs == 1 ? 0 : value >> LIMB_BITS;
        const int32_t below = value - above * LIMB;

        low[j] = (int16_t)below;
        high[j] = (int16_t)above;
        outside |= (below ^ low[j]) | (above ^ high[j]);
    }
    assert(!outside);
    put(lane, at, low);
    if (c->limbs == 2)
        put(lane, at + 2 * c->rank, high);
}

void cpu_correction_left(const struct cpu_correction *correction, const int8_t *dense,
                         const int32_t *sums, uint32_t lane, int16_t *out)
{
    const struct lane to = {correction, CPU_ROWS, lane, out};

    put_dense(&to, 0, dense);
    put_sums(&to, correction->rank, sums);
}

void cpu_correction_right(const struct cpu_correction *correction, const int8_t *dense,
                          const int32_t *sums, uint32_t lane, int16_t *out)
{
    const struct lane to = {correction, CPU_COLUMNS, lane, out};

    put_sums(&to, 0, sums);
    put_dense(&to, correction->rank, dense);
}
