/*
 * test_cpu_launches.c - claim: a kernel launched on several threads of the processor
 * races nowhere and gives the bits of the text, by every row of its table.
 *
 * labels: tsan
 * The short part of test_conformance, for the thread sanitizer.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kernel_cases.h"
#include "tests/kernel_ranges.h"
#include "tests/subjects.h"

static void test_launches(void **state)
{
    static struct subject subjects[SUBJECTS_MAX];
    const size_t count = subjects_find(subjects);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct device *device;

        if (strcmp(subjects[i].backend->name, "cpu"))
            continue;
        device = subject_device(&subjects[i], 3);
        if (!device)
            continue;
        kernel_cases_check(device, MOOD_PLAIN);
        kernel_ranges_check(device);
        subject_close(&subjects[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_launches)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
