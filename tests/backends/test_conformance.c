/*
 * test_conformance.c - claim: every device present, by every way it has, gives the bits
 * of the shared text: each kernel on easy and hard inputs, in one launch and in several,
 * and every product, ticket and clean result, whatever the shape, the pattern, the rank,
 * the values and the number of threads.
 *
 * A row that this processor lacks is named and passed over.  In the environment
 * SUBJECTS=cuda demands that backend, and CONFORMANCE_K_MAX leaves out longer products,
 * for devices that are only imitated.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kernel_cases.h"
#include "tests/kernel_ranges.h"
#include "tests/leaves_case.h"
#include "tests/product_run.h"
#include "tests/subjects.h"

enum { TESTS_A_SUBJECT = 7, TEST_NAME_SIZE = 96, CORE_INPUTS = 1 << 14, CORES = 11 };

/* The device under test, or skips the test. */
static struct device *device_of(void **state, uint32_t threads)
{
    struct device *device = subject_device(*state, threads);

    if (!device)
        skip();
    return device;
}

/* Other rows of a GPU differ in their products only: what else it does is seen once. */
static bool is_seen(void **state, size_t claim)
{
    static struct {
        const struct backend *backend;
        uint32_t index;
    } seen[8];
    const struct subject *subject = *state;

    assert_true(claim < sizeof seen / sizeof seen[0]);
    if (!strcmp(subject->backend->name, "cpu"))
        return false;
    if (seen[claim].backend == subject->backend && seen[claim].index == subject->index)
        return true;
    seen[claim].backend = subject->backend;
    seen[claim].index = subject->index;
    return false;
}

static bool is_too_long(const struct product_case *shape)
{
    const char *max = getenv("CONFORMANCE_K_MAX");

    return max && *max && shape->k > strtoul(max, NULL, 10);
}

/* What the text makes of each shape, made for the first device and kept for the others.
 */
enum {
    CLEAN_FIRST = 0,
    MINED_FIRST = 100,
    ROOMS_FIRST = 140,
    STEPS_FIRST = 150,
    TEXTS = 160
};
static struct product_plain texts[TEXTS];

static const struct product_plain *text_of(size_t number,
                                           const struct product_case *shape)
{
    assert_true(number < TEXTS);
    if (!texts[number].a)
        product_plain_make(shape, &texts[number]);
    return &texts[number];
}

static int texts_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEXTS; i++)
        product_plain_free(&texts[i]);
    return 0;
}

static void check_shape(struct device *device, const struct product_case *shape,
                        size_t number)
{
    struct product_run run;

    if (is_too_long(shape))
        return;
    const struct product_plain *p = text_of(number, shape);
    product_run_load(&run, device, shape, p, 0);
    if (shape->rank)
        product_run_check_pair(&run, shape, p);
    else
        product_run_check(&run, shape, p, true);
    product_run_free(&run);
}

/* --- kernels --- */

static void test_kernels(void **state)
{
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        struct device *device = device_of(state, threads);

        if (is_seen(state, 0))
            return;
        for (enum mood mood = MOOD_PLAIN; mood < MOODS; mood++)
            kernel_cases_check(device, mood);
        kernel_ranges_check(device);
    }
}

/* Within what the core is for: numbers of all sizes, subnormal ones and both zeros. */
static uint32_t core_input(uint32_t core, uint32_t i)
{
    enum { MIN = 0x21800000, MAX = 0x5d800000, HUGE = 0x53800000, LIMIT = 0x42fa0000 };
    const uint32_t bits = (i + 1) * UINT32_C(2654435761), sign = bits & 0x80000000;
    const uint32_t size = bits % 7 == 0 ? bits & 0x00ffffff : bits;

    if (core >= 9) /* a phase */
        return bits;
    if (core <= 1) /* the reciprocals: 2^-60 to 2^60 */
        return MIN + bits % (MAX - MIN);
    if (core == 2) /* a power: up to 125 */
        return sign | size % LIMIT;
    if (core == 3) /* a weight: up to 0 */
        return 0x80000000 | size % HUGE;
    return sign | size % HUGE; /* up to 2^40 */
}

static void test_cores(void **state)
{
    static uint32_t in[CORE_INPUTS], want[CORE_INPUTS], got[CORE_INPUTS];
    struct device *device = device_of(state, 2);
    struct buffer *x, *y;

    if (is_seen(state, 1))
        return;
    assert_int_equal(device_buffer_new(device, sizeof in, &x), STATUS_OK);
    assert_int_equal(device_buffer_new(device, sizeof in, &y), STATUS_OK);
    for (uint32_t core = 0; core < CORES; core++) {
        const struct launch launch = {.kernel = KERNEL_scalar_core,
                                      .last = CORE_INPUTS,
                                      .views = {{x, 0}, {y, 0}},
                                      .scalars = {{.u32 = core}}};
        void *const views[] = {in, want};
        for (uint32_t i = 0; i < CORE_INPUTS; i++)
            in[i] = core_input(core, i);
        kernel_table[KERNEL_scalar_core].run(0, CORE_INPUTS, views, launch.scalars);
        assert_int_equal(device_write(device, x, 0, in, sizeof in), STATUS_OK);
        assert_int_equal(device_launch(device, &launch), STATUS_OK);
        assert_int_equal(device_read(device, y, 0, got, sizeof got), STATUS_OK);
        for (uint32_t i = 0; i < CORE_INPUTS; i++)
            if (got[i] != want[i])
                fail_msg("core %u of %08x is %08x, expected %08x", core, in[i], got[i],
                         want[i]);
    }
    device_buffer_free(device, x);
    device_buffer_free(device, y);
}

/* Rows that become integers, and are hashed as chunks by the launch behind that. */
static void test_leaves(void **state)
{
    static const struct leaves_shape shapes[] = {
        {1, 64, 64, 1},      {21, 380, 384, 1},   {100, 384, 384, 1}, {30, 832, 832, 1},
        {40, 4096, 4096, 1}, {10, 30, 64, 1},     {80, 384, 384, 2},  {9, 384, 384, 2},
        {9, 4096, 4096, 2},  {1, 11008, 11008, 1}};
    struct device *device = device_of(state, 2);

    if (is_seen(state, 3))
        return;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct leaves_case c;

        leaves_case_make(&shapes[i], &c);
        leaves_case_load(&c, device);
        assert_int_equal(device_launch_then(device, &c.first, &c.second), STATUS_OK);
        leaves_case_expect(&c, device);
        leaves_case_free(&c);
    }
}

/* --- products --- */

static void test_clean(void **state)
{
    static const uint32_t shapes[][3] = {
        {1, 1, 1},      {8, 32, 64},   {7, 31, 63},    {9, 33, 65},     {16, 64, 128},
        {3, 100, 384},  {64, 96, 100}, {33, 17, 1000}, {5, 1, 129},     {70, 70, 192},
        {1, 384, 1536}, {200, 40, 64}, {129, 257, 96}, {4, 6, 1 << 17},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (enum product_values values = VALUES_ANY; values <= VALUES_FULL; values++) {
            const struct product_case shape = {
                .m = shapes[i][0],
                .n = shapes[i][1],
                .k = shapes[i][2],
                .values = values,
                .threads = (uint32_t[]){1, 2, 3, 8}[(i + values) % 4]};
            /* A GPU's main loop on a processor: the longest sums once, at their ends. */
            if (!((struct subject *)*state)->has_texts && shape.k > 1 << 16 &&
                values != VALUES_FULL)
                continue;
            check_shape(device_of(state, shape.threads), &shape,
                        CLEAN_FIRST + i * (VALUES_FULL + 1) + values);
        }
}

static void test_mined(void **state)
{
    const struct pattern range2 = pattern_range(2), range4 = pattern_range(4),
                         range8 = pattern_range(8), range16 = pattern_range(16),
                         range64 = pattern_range(64), range128 = pattern_range(128);
    const struct pattern rows_wgmma = product_pattern(2, 8, 1, 1, 1, 1),
                         columns_wgmma = product_pattern(2, 1, 32, 8, 1, 1),
                         rows_mma = product_pattern(8, 8, 1, 1, 1, 1),
                         columns_mma = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case shapes[] = {
        {64, 96, 1024, 64, range8, range16, VALUES_ANY, 1, 255},
        {64, 96, 1024, 32, range8, range16, VALUES_EDGES, 2, 31},
        {64, 96, 1024, 32, range8, range16, VALUES_ZERO, 2, 255},
        {50, 77, 2112, 128, range8, range16, VALUES_HIGHEST, 3, 127},
        {8, 16, 1024, 32, range8, range16, VALUES_ANY, 8, 255},
        {7, 15, 1024, 32, range8, range16, VALUES_ANY, 2, 255},  /* no tile at all */
        {1, 200, 1024, 64, range8, range16, VALUES_ANY, 2, 255}, /* one row */
        {128, 128, 1024, 64, product_pattern(2, 32, 1, 1, 1, 1), range64, VALUES_ANY, 2,
         60},
        {64, 256, 2048, 128, rows_wgmma, columns_wgmma, VALUES_EDGES, 2, 255},
        {130, 261, 2112, 128, rows_mma, columns_mma, VALUES_ANY, 2, 255},
        {150, 300, 1088, 64, product_pattern(2, 8, 2, 64, 1, 1),
         product_pattern(2, 1, 8, 8, 1, 1), VALUES_ANY, 3, 200},
        {100, 90, 1024, 32, range16, range16, VALUES_ANY, 2, 255},
        {100, 90, 1024, 32, pattern_range(10), pattern_range(6), VALUES_EDGES, 2, 255},
        {90, 100, 1024, 32, pattern_range(6), product_pattern(3, 5, 2, 15, 1, 1),
         VALUES_ANY, 3, 255},
        {64, 300, 1024, 64, range4, product_pattern(2, 1, 4, 128, 1, 1), VALUES_ANY, 2,
         255},
        {130, 64, 1024, 64, range128, range2, VALUES_ANY, 1, 255},
        {64, 140, 1024, 64, range2, range128, VALUES_ANY, 2, 255},
        {40, 64, 1024, 32, range2, range16, VALUES_ANY, 2, 255},
        {40, 64, 1024, 32, product_pattern(2, 2, 2, 4, 1, 1), range16, VALUES_ANY, 8,
         100},
        {96, 96, 1024, 64, product_pattern(2, 1, 2, 8, 2, 16),
         product_pattern(4, 2, 2, 8, 2, 16), VALUES_ANY, 3, 255},
        {192, 80, 1024, 64, product_pattern(2, 3, 2, 6, 2, 48),
         product_pattern(2, 1, 2, 4, 2, 16), VALUES_EDGES, 3, 255},
        {24, 40, 4096, 256, range8, range16, VALUES_HIGHEST, 2, 255},
        {33, 50, 8256, 512, range8, range16, VALUES_ANY, 2, 255},
        {16, 32, 8192, 64, range8, range16, VALUES_EDGES, 2, 255}, /* two limbs */
        {16, 48, 16384, 64, range4, range8, VALUES_HIGHEST, 1, 255},
        {16, 32, 16384, 1024, range8, range16, VALUES_ANY, 2, 255},
        {16, 32, 131072, 256, range8, range16, VALUES_HIGHEST, 2, 255},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_shape(device_of(state, shapes[i].threads), &shapes[i], MINED_FIRST + i);
}

/* More hits than there is room for are counted, and nothing is written past the end. */
static void check_overflow(struct device *device)
{
    enum { ROOM = 5 };
    const struct product_case shape = {
        64, 96, 1024, 64, pattern_range(8), pattern_range(16), VALUES_ANY, 2, 255};
    const size_t end = sizeof(struct hits) + ROOM * sizeof(struct hit);
    const struct product_plain *p = text_of(ROOMS_FIRST, &shape);
    struct product_run run;
    uint8_t after[32], found[32];
    uint32_t count;

    product_run_load(&run, device, &shape, p, 0);
    run.hits_max = ROOM; /* the buffer holds more */
    memset(after, 0x77, sizeof after);
    assert_int_equal(device_write(device, run.hits, end, after, 32), STATUS_OK);
    product_run_check(&run, &shape, p, false);
    assert_int_equal(device_read(device, run.hits, 0, &count, sizeof count), STATUS_OK);
    assert_int_equal(count, p->wins);
    assert_int_equal(device_read(device, run.hits, end, found, 32), STATUS_OK);
    assert_memory_equal(found, after, 32);
    product_run_free(&run);
}

static void test_rooms(void **state)
{
    static const uint32_t shapes[][4] = {
        {96, 128, 2048, 128}, {40, 128, 1024, 32}, {96, 64, 1024, 64}};
    struct device *device = device_of(state, 2);

    check_overflow(device);
    /* Products of any sizes after one reserve() for the largest. */
    assert_int_equal(device_reserve(device, 96, 128, 2048, 128), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct product_case shape = {shapes[i][0],
                                           shapes[i][1],
                                           shapes[i][2],
                                           shapes[i][3],
                                           pattern_range(8),
                                           pattern_range(16),
                                           VALUES_ANY,
                                           2,
                                           255};
        check_shape(device, &shape, ROOMS_FIRST + 1 + i);
    }
}

/* The composition's steps as launches, for every rank and kinds of pattern. */
static void test_steps(void **state)
{
    const struct product_case shapes[] = {
        {32, 40, 1024, 32, pattern_range(8), pattern_range(16), VALUES_EDGES, 2, 255},
        {34, 48, 1088, 64, product_pattern(2, 2, 2, 4, 1, 1), pattern_range(16),
         VALUES_ANY, 2, 255},
        {20, 40, 2112, 128, pattern_range(16), pattern_range(16), VALUES_HIGHEST, 2, 255},
        {9, 17, 4096, 256, pattern_range(8), pattern_range(16), VALUES_ANY, 2, 255},
        {8, 18, 8192, 512, pattern_range(2), product_pattern(2, 1, 4, 4, 1, 1),
         VALUES_ANY, 2, 255},
        {8, 16, 16384, 1024, pattern_range(8), product_pattern(2, 1, 2, 4, 2, 8),
         VALUES_ANY, 2, 255},
    };
    struct device *device = device_of(state, 2);

    if (is_seen(state, 2))
        return;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        product_run_steps(device, &shapes[i], text_of(STEPS_FIRST + i, &shapes[i]));
}

static void no_kernel_is_left_out(void **state)
{
    (void)state; /* the two are in test_cores() and test_steps() */
    for (enum kernel kernel = 0; kernel < KERNEL_COUNT; kernel++)
        if (kernel != KERNEL_scalar_core && kernel != KERNEL_ticket_fold &&
            !kernel_cases_have(kernel))
            fail_msg("%s has no case", kernel_table[kernel].name);
}

static int close_subject(void **state)
{
    subject_close(*state);
    return 0;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void **state);
        bool is_of_texts;
    } claims[TESTS_A_SUBJECT] = {
        {"kernels", test_kernels, true},       {"cores", test_cores, true},
        {"leaves", test_leaves, true},         {"steps", test_steps, true},
        {"clean products", test_clean, false}, {"mined products", test_mined, false},
        {"rooms", test_rooms, false}};
    static struct subject subjects[SUBJECTS_MAX];
    static char names[SUBJECTS_MAX * TESTS_A_SUBJECT][TEST_NAME_SIZE];
    static struct CMUnitTest tests[SUBJECTS_MAX * TESTS_A_SUBJECT + 1];
    const size_t count = subjects_find(subjects);
    size_t last = 0;

    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < TESTS_A_SUBJECT; i++) {
            if (claims[i].is_of_texts && !subjects[s].has_texts)
                continue;
            snprintf(names[last], TEST_NAME_SIZE, "%s: %s", subjects[s].name,
                     claims[i].name);
            tests[last] = (struct CMUnitTest){.name = names[last],
                                              .test_func = claims[i].run,
                                              .initial_state = &subjects[s]};
            if (i + 1 == TESTS_A_SUBJECT)
                tests[last].teardown_func = close_subject;
            last++;
        }
    tests[last++] = (struct CMUnitTest){.name = "no kernel is left out",
                                        .test_func = no_kernel_is_left_out};
    return _cmocka_run_group_tests("conformance", tests, last, NULL, texts_free);
}
