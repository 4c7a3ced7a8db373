/*
 * test_pattern.c - claim: patterns encode as pow.md section 3 lists them, starts are
 * found and counted as its rule tells one by one, and lists that are no such progression
 * are refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/pattern.h"

/* { a * s1 + b * s2 + c * s3 } from its pairs, ascending. */
static struct pattern pattern_of(const uint32_t stride[3], const uint32_t length[3])
{
    uint32_t offsets[PATTERN_COUNT_MAX], count = 0;
    struct pattern out, same;

    for (uint32_t c = 0; c < length[2]; c++)
        for (uint32_t b = 0; b < length[1]; b++)
            for (uint32_t a = 0; a < length[0]; a++)
                offsets[count++] = a * stride[0] + b * stride[1] + c * stride[2];
    assert_true(pattern_from_offsets(offsets, count, &out));
    assert_int_equal(out.count, count);
    assert_memory_equal(out.offsets, offsets, count * sizeof offsets[0]);
    assert_true(pattern_from_pairs(length, stride, &same));
    assert_true(pattern_is_same(&out, &same));
    return out;
}

static const struct {
    uint32_t stride[3], length[3];
    uint8_t bytes[PATTERN_BYTES];
} known[] = {
    {{32, 64, 64}, {2, 1, 1}, {0x1f, 0x01, 0, 0, 0, 0}},
    {{1, 64, 64}, {64, 1, 1}, {0x00, 0x3f, 0, 0, 0, 0}},
    {{8, 64, 128}, {2, 2, 1}, {0x07, 0x01, 0x03, 0x01, 0, 0}},
    {{1, 8, 64}, {2, 8, 1}, {0x00, 0x01, 0x03, 0x07, 0, 0}},
    {{1, 8, 32}, {2, 2, 4}, {0x00, 0x01, 0x03, 0x01, 0x01, 0x03}},
    {{2, 32, 32}, {16, 1, 1}, {0x01, 0x0f, 0, 0, 0, 0}},
    {{256, 512, 512}, {2, 1, 1}, {0xff, 0x01, 0, 0, 0, 0}},
    {{3, 12, 120}, {4, 5, 3}, {0x02, 0x03, 0x00, 0x04, 0x01, 0x02}},
};

/* Pairs whose progression runs on are one pair: {3, 4} and {12, 5} are {3, 20}. */
static void encodes_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct pattern pattern = pattern_of(known[i].stride, known[i].length);
        uint8_t bytes[PATTERN_BYTES];

        pattern_encode(&pattern, bytes);
        if (i == 7) {
            assert_int_equal(pattern.stride[0], 3);
            assert_int_equal(pattern.length[0], 20);
            assert_int_equal(pattern.stride[1], 120);
            assert_int_equal(pattern.length[1], 3);
            continue;
        }
        assert_memory_equal(bytes, known[i].bytes, PATTERN_BYTES);
        assert_memory_equal(pattern.stride, known[i].stride, sizeof pattern.stride);
        assert_memory_equal(pattern.length, known[i].length, sizeof pattern.length);
    }
}

static void ranges_equal_their_lists(void **state)
{
    uint32_t offsets[PATTERN_COUNT_MAX];

    (void)state;
    for (uint32_t count = 1; count <= PATTERN_COUNT_MAX; count++) {
        const struct pattern range = pattern_range(count);
        struct pattern listed;

        offsets[count - 1] = count - 1;
        assert_true(pattern_from_offsets(offsets, count, &listed));
        assert_memory_equal(&listed, &range, sizeof range);
    }
}

static void counts_and_finds_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct pattern pattern = pattern_of(known[i].stride, known[i].length);
        const uint64_t last = pattern.offsets[pattern.count - 1];
        uint64_t seen = 0;

        for (uint64_t size = 1; size < 3000; size++) {
            if (size > last && pattern_is_start(&pattern, size - 1 - last))
                assert_int_equal(pattern_start(&pattern, seen++), size - 1 - last);
            assert_int_equal(pattern_starts(&pattern, size), seen);
        }
        assert_true(seen > 0);
    }
}

/* Every index belongs to exactly one tile, as long as whole periods fit. */
static void tiles_the_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct pattern pattern = pattern_of(known[i].stride, known[i].length);
        const uint32_t period = pattern.stride[2] * pattern.length[2];
        uint8_t covered[1024] = {0};

        assert_in_range(period, 1, sizeof covered / 2);
        for (uint64_t tile = 0; tile < pattern_starts(&pattern, 2 * period); tile++)
            for (uint32_t j = 0; j < pattern.count; j++)
                covered[pattern_start(&pattern, tile) + pattern.offsets[j]]++;
        for (uint32_t j = 0; j < 2 * period; j++)
            assert_int_equal(covered[j], 1);
    }
}

static void refuses_other_lists(void **state)
{
    static const struct {
        uint32_t count, offsets[16];
    } bad[] = {
        {0, {0}},
        {1, {1}},              /* does not start at 0 */
        {2, {0, 0}},           /* does not ascend */
        {3, {0, 2, 1}},        /* nor here */
        {3, {0, 1, 3}},        /* no progression */
        {4, {0, 1, 2, 4}},     /* nor here */
        {4, {0, 2, 3, 5}},     /* strides do not nest: 3 is no multiple of 4 */
        {2, {0, 257}},         /* a factor above a byte */
        {4, {0, 1, 600, 601}}, /* and in the second pair */
        {16,
         {0, 1, 4, 5, 16, 17, 20, 21, 64, 65, 68, 69, 80, 81, 84, 85}}, /* four pairs */
        {2, {0, 0xffffffff}},
    };
    uint32_t range[PATTERN_COUNT_MAX + 1];
    struct pattern out;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(pattern_from_offsets(bad[i].offsets, bad[i].count, &out));
    for (uint32_t i = 0; i <= PATTERN_COUNT_MAX; i++)
        range[i] = i;
    assert_true(pattern_from_offsets(range, PATTERN_COUNT_MAX, &out));
    assert_false(pattern_from_offsets(range, PATTERN_COUNT_MAX + 1, &out));
}

static void knows_which_pairs_are_too_many(void **state)
{
    const uint32_t stride[3] = {1, 64, 128};
    struct pattern pattern;

    (void)state;
    assert_false(pattern_from_pairs((const uint32_t[]){64, 2, 2}, stride, &pattern));
    assert_false(
        pattern_from_pairs((const uint32_t[]){1, UINT32_MAX, 1}, stride, &pattern));
    assert_false(pattern_from_pairs((const uint32_t[]){0, 1, 1}, stride, &pattern));
    assert_true(pattern_from_pairs((const uint32_t[]){64, 2, 1}, stride, &pattern));
    assert_false(pattern_is_same(&pattern, &(struct pattern){.count = 2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_table),
        cmocka_unit_test(ranges_equal_their_lists),
        cmocka_unit_test(counts_and_finds_starts),
        cmocka_unit_test(tiles_the_range),
        cmocka_unit_test(refuses_other_lists),
        cmocka_unit_test(knows_which_pairs_are_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
