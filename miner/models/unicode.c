/*
 * unicode.c - looks code points up in the tables that unicode_tables.py makes.
 *
 * All tables ascend, so every question is one binary search.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/unicode.h"

#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

enum {
    HANGUL_FIRST = 0xac00,
    HANGUL_LAST = 0xd7a3,
    HANGUL_LEADING = 0x1100,
    HANGUL_VOWEL = 0x1161,
    HANGUL_TRAILING = 0x11a7,
    COMBINING_CLASSES = 256,
};

/* Every table's rows begin with this. */
struct range {
    uint32_t first, last;
};

static const struct class_row {
    struct range range;
    enum unicode_class class;
} class_rows[] = {
#define RANGE(first, last, class) {{first, last}, UNICODE_##class},
#include "miner/models/unicode_class.def"
#undef RANGE
};

static const struct lower_row {
    struct range range;
    uint32_t step;
    int32_t delta;
} lower_rows[] = {
#define RUN(first, last, step, delta) {{first, last}, step, delta},
#include "miner/models/unicode_lower.def"
#undef RUN
};

static const struct combining_row {
    struct range range;
    uint32_t class;
} combining_rows[] = {
#define RUN(first, last, class) {{first, last}, class},
#include "miner/models/unicode_combining.def"
#undef RUN
};

static const struct decompose_row {
    struct range range;
    uint32_t points[UNICODE_DECOMPOSED_MAX];
} decompose_rows[] = {
#define POINT(point, a, b, c, d) {{point, point}, {a, b, c, d}},
#include "miner/models/unicode_decompose.def"
#undef POINT
};

/* The row whose range holds point, or NULL. */
static const void *row_find(const void *rows, size_t count, size_t size, uint32_t point)
{
    size_t first = 0, end = count;

    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        const struct range *range =
            (const struct range *)(const void *)((const uint8_t *)rows + middle * size);

        if (point < range->first)
            end = middle;
        else if (point > range->last)
            first = middle + 1;
        else
            return range;
    }
    return NULL;
}

enum unicode_class unicode_class(uint32_t point)
{
    const struct class_row *row =
        row_find(class_rows, COUNT_OF(class_rows), sizeof *class_rows, point);

    return row ? row->class : UNICODE_LETTER;
}

uint32_t unicode_lower(uint32_t point)
{
    const struct lower_row *row =
        row_find(lower_rows, COUNT_OF(lower_rows), sizeof *lower_rows, point);

    if (!row || (point - row->range.first) % row->step)
        return point;
    return (uint32_t)((int32_t)point + row->delta);
}

static size_t hangul_decompose(uint32_t point, uint32_t out[UNICODE_DECOMPOSED_MAX])
{
    const uint32_t syllable = point - HANGUL_FIRST;

    out[0] = HANGUL_LEADING + syllable / 588; /* 588 = 21 vowels * 28 trailing ones */
    out[1] = HANGUL_VOWEL + syllable % 588 / 28;
    out[2] = HANGUL_TRAILING + syllable % 28;
    return syllable % 28 ? 3 : 2;
}

size_t unicode_decompose(uint32_t point, uint32_t out[UNICODE_DECOMPOSED_MAX])
{
    const struct decompose_row *row;
    size_t count = 1;

    if (point >= HANGUL_FIRST && point <= HANGUL_LAST)
        return hangul_decompose(point, out);
    row =
        row_find(decompose_rows, COUNT_OF(decompose_rows), sizeof *decompose_rows, point);
    if (!row) {
        out[0] = point;
        return 1;
    }
    memcpy(out, row->points, sizeof row->points);
    while (count < UNICODE_DECOMPOSED_MAX && out[count])
        count++;
    return count;
}

static uint32_t combining_class(uint32_t point)
{
    const struct combining_row *row =
        row_find(combining_rows, COUNT_OF(combining_rows), sizeof *combining_rows, point);

    return row ? row->class : 0;
}

/* Counts, so that a text of nothing but marks does not cost the square of its length. */
static void reorder_run(uint32_t *points, size_t count, uint32_t *scratch)
{
    size_t starts[COMBINING_CLASSES + 1] = {0};

    for (size_t i = 0; i < count; i++)
        starts[combining_class(points[i]) + 1]++;
    for (size_t i = 1; i < COMBINING_CLASSES; i++)
        starts[i] += starts[i - 1];
    memcpy(scratch, points, count * sizeof *points);
    for (size_t i = 0; i < count; i++)
        points[starts[combining_class(scratch[i])]++] = scratch[i];
}

void unicode_reorder(uint32_t *points, size_t count, uint32_t *scratch)
{
    size_t start = 0;

    for (size_t i = 0; i <= count; i++) {
        if (i < count && combining_class(points[i]))
            continue;
        if (i > start + 1)
            reorder_run(points + start, i - start, scratch);
        start = i + 1;
    }
}
