/*
 * cmocka.h - as much of cmocka as the tests of kernels and backends use, for processors
 * that they are cross-built for and whose libraries are not there.
 *
 * The first failure ends the program.  Found by its folder (tests/bare/bare.cmake).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_BARE_CMOCKA_H
#define MINERVA_TESTS_BARE_CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(test)                                                           \
    {                                                                                    \
#test, test, NULL, NULL, NULL                                                    \
    }
#define cmocka_unit_test_teardown(test, teardown)                                        \
    {                                                                                    \
#test, test, NULL, teardown, NULL                                                \
    }

#define fail_msg(...)                                                                    \
    do {                                                                                 \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                  \
        fprintf(stderr, __VA_ARGS__);                                                    \
        fputc('\n', stderr);                                                             \
        exit(1);                                                                         \
    } while (0)

#define bare_check(holds)                                                                \
    do {                                                                                 \
        if (!(holds))                                                                    \
            fail_msg("does not hold: %s", #holds);                                       \
    } while (0)

#define assert_true(a)                  bare_check(a)
#define assert_false(a)                 bare_check(!(a))
#define assert_null(a)                  bare_check((a) == NULL)
#define assert_non_null(a)              bare_check((a) != NULL)
#define assert_int_equal(a, b)          bare_check((intmax_t)(a) == (intmax_t)(b))
#define assert_int_not_equal(a, b)      bare_check((intmax_t)(a) != (intmax_t)(b))
#define assert_ptr_equal(a, b)          bare_check((a) == (b))
#define assert_string_equal(a, b)       bare_check(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, size) bare_check(memcmp(a, b, size) == 0)
#define assert_in_range(a, least, most) bare_check((a) >= (least) && (a) <= (most))
#define print_message(...)              printf(__VA_ARGS__)
#define skip()                          longjmp(bare_skipped, 1)

static jmp_buf bare_skipped;

static inline int bare_run(const struct CMUnitTest *tests, size_t count)
{
    for (volatile size_t i = 0; i < count; i++) {
        void *state = tests[i].initial_state;

        if (setjmp(bare_skipped)) {
            printf("skipped  %s\n", tests[i].name);
            continue;
        }
        if (tests[i].setup_func)
            bare_check(tests[i].setup_func(&state) == 0);
        tests[i].test_func(&state);
        if (tests[i].teardown_func)
            bare_check(tests[i].teardown_func(&state) == 0);
        printf("passed   %s\n", tests[i].name);
    }
    return 0;
}

static inline int _cmocka_run_group_tests(const char *name,
                                          const struct CMUnitTest *tests, size_t count,
                                          int (*begin)(void **state),
                                          int (*end)(void **state))
{
    (void)name;
    bare_check(!begin || begin(NULL) == 0);
    const int failed = bare_run(tests, count);
    bare_check(!end || end(NULL) == 0);
    return failed;
}

#define cmocka_run_group_tests(tests, begin, end)                                        \
    bare_run(tests, sizeof(tests) / sizeof *(tests))

#endif
