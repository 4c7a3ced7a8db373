/*
 * test_limbs.c - claim: however large one sum of the noise's correction is - at what two
 * digits in base 255 hold, past it, far past it, in X or in Y, of either sign - every
 * device present gives the text's clean product; and the processor cuts its sums in two
 * exactly where the noise has too many positions of one factor for an int16.
 *
 * SUBJECTS in the environment, as in test_conformance; LIMBS_STEP=7 tries every seventh
 * sum, for devices that are only imitated.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cpu/cpu_correction.h"
#include "tests/limb_case.h"
#include "tests/subjects.h"

static struct subject subjects[SUBJECTS_MAX];
static size_t subject_count;

static bool is_processor(const struct subject *subject)
{
    return !strcmp(subject->backend->name, "cpu");
}

/* limbs: in how many the processor cuts these sums; 0: whatever it is, and all devices.
 */
static void check_subjects(const struct limb_case *given, uint32_t limbs)
{
    struct limb_operands o;

    limb_case_make(given, &o);
    if (limbs)
        assert_int_equal(limbs, cpu_correction_make(NULL, given->rank, given->k,
                                                    o.pairs[0], o.pairs[1])
                                    .limbs);
    for (size_t i = 0; i < subject_count; i++) {
        struct device *device =
            limbs && !is_processor(&subjects[i]) ? NULL : subject_device(&subjects[i], 1);

        if (device)
            limb_case_check(device, given, &o);
    }
    limb_case_free(&o);
}

static void test_sums(void **state)
{
    static const int32_t sums[] = {LIMB_EDGE,      -LIMB_EDGE, LIMB_EDGE + 1,
                                   -LIMB_EDGE - 1, INT32_MAX,  -INT32_MAX};
    const char *step = getenv("LIMBS_STEP");
    struct limb_case given = {.k = 16384, .rank = 64, .seeds = {{1}, {2}}};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof sums / sizeof sums[0];
         i += step ? strtoul(step, NULL, 10) : 1) {
        given.is_y = i % 2;
        given.sum = sums[i / 2];
        check_subjects(&given, 0);
    }
}

/* 255 times the farthest int8 is an int16, 256 times is none. */
static void test_processor(void **state)
{
    struct limb_case given = {.k = 3584, .rank = 32};

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        given.is_y = i % 2;
        given.sum = i % 4 < 2 ? INT32_MAX : -INT32_MAX;
        limb_case_seek(&given, i < 4 ? 255 : 256);
        check_subjects(&given, i < 4 ? 1 : 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_processor),
    };
    int failed;

    subject_count = subjects_find(subjects);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < subject_count; i++)
        subject_close(&subjects[i]);
    return failed;
}
