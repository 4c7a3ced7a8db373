/*
 * pattern.c - a ticket's rows (or columns) as a three-fold arithmetic progression (pow.md
 * section 3).
 *
 * Starts are counted and found digit by digit: below a stride of one pair lie whole
 * periods of the pair before, each with the same number of starts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/pattern.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { PATTERN_PAIRS = 3, PATTERN_FACTOR_MAX = 256 };

static bool is_repeated(const uint32_t *offsets, uint32_t count, uint32_t part)
{
    for (uint32_t i = 0; i + part < count; i++)
        if ((uint64_t)offsets[i] + offsets[part] != offsets[i + part])
            return false;
    return true;
}

/* The smallest part that the list repeats, or count if it repeats none. */
static uint32_t smallest_part(const uint32_t *offsets, uint32_t count)
{
    for (uint32_t part = 1; part < count; part++)
        if (count % part == 0 && is_repeated(offsets, count, part))
            return part;
    return count;
}

/* The pairs come out last first: shift the earlier ones up. */
static void put_first(struct pattern *pattern, uint32_t stride, uint32_t length)
{
    for (size_t i = PATTERN_PAIRS - 1; i > 0; i--) {
        pattern->stride[i] = pattern->stride[i - 1];
        pattern->length[i] = pattern->length[i - 1];
    }
    pattern->stride[0] = stride;
    pattern->length[0] = length;
}

static bool find_pairs(struct pattern *pattern, uint32_t *pairs)
{
    uint32_t left = pattern->count;

    *pairs = 0;
    while (left > 1) {
        const uint32_t part = smallest_part(pattern->offsets, left);

        if (part == left || ++*pairs > PATTERN_PAIRS)
            return false;
        put_first(pattern, pattern->offsets[part], left / part);
        left = part;
    }
    return true;
}

/* Strides are multiples of the period before, by a factor that a byte holds; unused pairs
 * repeat the last period once. */
static bool fit_pairs(struct pattern *pattern, uint32_t pairs)
{
    uint64_t period = 1;

    for (uint32_t i = 0; i < PATTERN_PAIRS; i++) {
        if (i >= pairs) {
            pattern->stride[i] = (uint32_t)period;
            pattern->length[i] = 1;
        }
        if (pattern->stride[i] % period != 0 ||
            pattern->stride[i] / period > PATTERN_FACTOR_MAX)
            return false;
        period = (uint64_t)pattern->stride[i] * pattern->length[i];
        if (period > UINT32_MAX)
            return false;
    }
    return true;
}

bool pattern_from_offsets(const uint32_t *offsets, uint32_t count, struct pattern *out)
{
    uint32_t pairs;

    if (count < 1 || count > PATTERN_COUNT_MAX || offsets[0] != 0)
        return false;
    *out = (struct pattern){.count = count};
    for (uint32_t i = 1; i < count; i++) {
        if (offsets[i] <= offsets[i - 1])
            return false;
        out->offsets[i] = offsets[i];
    }
    return find_pairs(out, &pairs) && fit_pairs(out, pairs);
}

bool pattern_from_pairs(const uint32_t length[3], const uint32_t stride[3],
                        struct pattern *out)
{
    uint32_t offsets[PATTERN_COUNT_MAX], count = 0;

    for (size_t i = 0; i < PATTERN_PAIRS; i++)
        if (length[i] > PATTERN_COUNT_MAX)
            return false;
    if (length[0] * length[1] * length[2] > PATTERN_COUNT_MAX)
        return false;
    for (uint32_t c = 0; c < length[2]; c++)
        for (uint32_t b = 0; b < length[1]; b++)
            for (uint32_t a = 0; a < length[0]; a++)
                offsets[count++] = a * stride[0] + b * stride[1] + c * stride[2];
    return pattern_from_offsets(offsets, count, out);
}

bool pattern_is_same(const struct pattern *a, const struct pattern *b)
{
    return a->count == b->count &&
           !memcmp(a->offsets, b->offsets, a->count * sizeof *a->offsets);
}

struct pattern pattern_range(uint32_t count)
{
    struct pattern out = {
        .count = count, .stride = {1, count, count}, .length = {count, 1, 1}};

    assert(count >= 1);
    assert(count <= PATTERN_COUNT_MAX);
    for (uint32_t i = 0; i < count; i++)
        out.offsets[i] = i;
    return out;
}

void pattern_encode(const struct pattern *pattern, uint8_t out[PATTERN_BYTES])
{
    uint32_t period = 1;

    for (size_t i = 0; i < PATTERN_PAIRS; i++) {
        out[2 * i] = (uint8_t)(pattern->stride[i] / period - 1);
        out[2 * i + 1] = (uint8_t)(pattern->length[i] - 1);
        period = pattern->stride[i] * pattern->length[i];
    }
}

bool pattern_is_start(const struct pattern *pattern, uint64_t offset)
{
    for (size_t i = PATTERN_PAIRS; i-- > 0;) {
        offset %= (uint64_t)pattern->stride[i] * pattern->length[i];
        if (offset >= pattern->stride[i])
            return false;
    }
    return true;
}

/* starts[i]: how many starts one period of pair i has, that is, how many lie below its
 * stride. */
static void starts_below_strides(const struct pattern *pattern,
                                 uint64_t starts[PATTERN_PAIRS])
{
    uint64_t period = 1, within = 1;

    for (size_t i = 0; i < PATTERN_PAIRS; i++) {
        starts[i] = pattern->stride[i] / period * within;
        period = (uint64_t)pattern->stride[i] * pattern->length[i];
        within = starts[i];
    }
}

uint64_t pattern_starts(const struct pattern *pattern, uint64_t size)
{
    const uint64_t last = pattern->offsets[pattern->count - 1];
    uint64_t starts[PATTERN_PAIRS], count = 0;
    uint64_t below = size > last ? size - last : 0;

    starts_below_strides(pattern, starts);
    for (size_t i = PATTERN_PAIRS; i-- > 0;) {
        const uint64_t period = (uint64_t)pattern->stride[i] * pattern->length[i];

        count += below / period * starts[i];
        below %= period;
        if (below >= pattern->stride[i])
            return count + starts[i];
    }
    return count + below;
}

uint64_t pattern_start(const struct pattern *pattern, uint64_t index)
{
    uint64_t starts[PATTERN_PAIRS], offset = 0;

    starts_below_strides(pattern, starts);
    for (size_t i = PATTERN_PAIRS; i-- > 0;) {
        offset += index / starts[i] * pattern->stride[i] * pattern->length[i];
        index %= starts[i];
    }
    return offset + index;
}
