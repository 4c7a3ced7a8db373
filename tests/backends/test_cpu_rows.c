/*
 * test_cpu_rows.c - claim: gelu of every kind of float, and limbs joined at and beyond
 * the ends of 32 bits, have the bits of the text on every variant, for any range.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cpu_variants.h"

enum { VIEWS = 5, SIZE = 1 << 19 };

static uint32_t drawn(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 32);
}

/* Every 32771st pattern, both signs, infinities and not-numbers included: vectors far
 * from zero. Then vectors whose values are all near, ends of the range among them. */
static void test_gelu(void **state)
{
    static const uint32_t ends[] = {0,          1,          0x80000000, 0x80000001,
                                    0x00800000, 0x007fffff, 0x413fffff, 0xc13fffff,
                                    0x21800000, 0xa17fffff, 0x3f800000, 0xbf800000};
    const struct cpu_variants *f = *state;
    uint32_t *x = f->host[0];
    uint64_t seed = 5;

    for (uint32_t i = 0; i < SIZE / 4; i++)
        x[i] = i * 32771;
    cpu_variants_check(f, (struct launch){.kernel = KERNEL_gelu, .last = SIZE / 4});
    for (uint32_t i = 0; i < SIZE / 4; i++) {
        const uint32_t bits = drawn(&seed);

        x[i] = bits % 5 ? (bits & 0x80000000) | bits % 0x41400000 : ends[bits / 5 % 12];
    }
    cpu_variants_check(f, (struct launch){.kernel = KERNEL_gelu, .last = SIZE / 4});
    for (uint32_t i = 0; i < 70; i++)
        cpu_variants_check(
            f, (struct launch){.kernel = KERNEL_gelu, .first = i, .last = 1 + 3 * i});
    x[1000] = 0x41400000; /* 12: the first that is far */
    cpu_variants_check(f, (struct launch){.kernel = KERNEL_gelu, .last = 2000});
}

/* A limb near an end of its range: of an i32, of what 32 bits can join, of zero. */
static int32_t drawn_limb(uint64_t *seed)
{
    static const int32_t ends[] = {0,          1 << 23,   -(1 << 23), 1 << 30,
                                   -(1 << 30), INT32_MIN, INT32_MAX,  1 << 24};
    const uint32_t bits = drawn(seed);

    if (bits % 3 == 0)
        return (int32_t)drawn(seed) >> (bits / 3 % 31);
    return (int32_t)((uint32_t)ends[bits / 3 % 8] + bits / 24 % 5 - 2);
}

static struct launch dequantise(uint32_t rows, uint32_t n, uint32_t limbs_a,
                                uint32_t limbs_w, uint32_t has_bias)
{
    return (struct launch){.kernel = KERNEL_dequantise,
                           .last = rows,
                           .scalars = {{.u32 = rows},
                                       {.u32 = n},
                                       {.u32 = limbs_a},
                                       {.u32 = limbs_w},
                                       {.u32 = has_bias}}};
}

static void test_dequantise(void **state)
{
    static const uint32_t columns[] = {1, 15, 16, 17, 384, 1001};
    const struct cpu_variants *f = *state;
    int32_t *acc = f->host[0];
    uint64_t seed = 9;

    for (uint32_t i = 0; i < SIZE / 4; i++)
        acc[i] = drawn_limb(&seed);
    for (uint32_t view = 1; view < 4; view++)
        for (uint32_t i = 0; i < SIZE / 4; i++)
            ((float *)f->host[view])[i] =
                (float)((int32_t)drawn(&seed) >> 8) * (i % 9 ? 0x1p-24f : 0x1p-88f);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        for (uint32_t limbs = 0; limbs < 8; limbs++) {
            struct launch launch =
                dequantise(23, columns[i], 1 + limbs % 2, 1 + limbs / 2 % 2, limbs / 4);

            cpu_variants_check(f, launch);
            launch.first = 7;
            launch.last = 9;
            cpu_variants_check(f, launch);
        }
}

/* One limb at a time over all that is near a tie: 2^24 + odd numbers and their like. */
static void test_ties(void **state)
{
    const struct cpu_variants *f = *state;
    const uint32_t n = SIZE / 8;
    int32_t *acc = f->host[0];

    for (uint32_t i = 0; i < n; i++) {
        acc[i] = (int32_t)(i % 4096) * 64 + (1 << 18);
        acc[n + i] = (int32_t)(i / 4096) * 32 - 256;
    }
    ((float *)f->host[1])[0] = 1.0f;
    for (uint32_t i = 0; i < n; i++)
        ((float *)f->host[2])[i] = 1.0f;
    cpu_variants_check(f, dequantise(1, n, 2, 1, 0));
}

static struct cpu_variants variants;

static int open_all(void **state)
{
    static const size_t sizes[VIEWS] = {SIZE, SIZE, SIZE, SIZE, SIZE};

    cpu_variants_open(&variants, sizes, VIEWS);
    *state = &variants;
    return 0;
}

static int close_all(void **state)
{
    cpu_variants_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gelu),
                                       cmocka_unit_test(test_dequantise),
                                       cmocka_unit_test(test_ties)};

    return cmocka_run_group_tests(tests, open_all, close_all);
}
