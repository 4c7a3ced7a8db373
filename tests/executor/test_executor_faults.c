/*
 * test_executor_faults.c - claim: the executor refuses each kernel that breaks a rule,
 * with the sentence of that rule, in every mode, and lets its right twin pass in all of
 * them.
 *
 * labels: plain
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executor/executor.h"

#define THREADS 64

struct fault_case {
    const char *kernel;
    bool copies; /* it takes an input */
    uint32_t shared_bytes, blocks;
    size_t out_bytes;
    const char *faults[3]; /* any of these begins the sentence, after the block */
};

static const struct fault_case cases[] = {
    {"fault_barrier", false, 256, 1, 256, {"race", "nobody wrote"}},
    {"fault_second_barrier", false, 256, 1, 256, {"race"}},
    {"fault_warp", false, 256, 1, 256, {"race"}},
    {"fault_bounds_shared", false, 256, 1, 256, {"out of bounds"}},
    {"fault_bounds_global", false, 0, 1, 256, {"out of bounds"}},
    {"fault_aligned", false, 2048, 1, 256, {"misaligned"}},
    {"fault_ldmatrix_aligned", false, 1024, 1, 256, {"misaligned"}},
    {"fault_copy", true, 1024, 1, 256, {"too early"}},
    {"fault_copy_barrier", true, 1024, 1, 256, {"too early", "race"}},
    {"fault_copy_over", true, 1024, 1, 256, {"race", "too early"}},
    {"fault_divergence", false, 0, 1, 256, {"nobody can go on"}},
    {"fault_lanes", false, 0, 1, 256, {"lanes of warp"}},
    {"fault_named", false, 256, 1, 256, {"nobody can go on"}},
    {"fault_unwritten", false, 256, 1, 256, {"nobody wrote"}},
    {"fault_blocks", false, 0, 2, 256, {"race"}},
    {"fault_atomics", false, 0, 2, 4, {"race"}},
};

static struct executor_launch launch_of(const struct fault_case *c,
                                        void *const *arguments)
{
    return (struct executor_launch){c->kernel,       {c->blocks, 1, 1}, THREADS,
                                    c->shared_bytes, arguments,         0};
}

static bool sentence_fits(const struct fault_case *c, const char *sentence)
{
    for (size_t i = 0; i < 3 && c->faults[i]; i++) {
        if (strstr(sentence, c->faults[i]))
            return true;
    }
    return false;
}

static void run_case(const struct fault_case *c)
{
    void *in = executor_memory_new(16 * THREADS),
         *out = executor_memory_new(c->out_bytes);
    uint32_t wrong = 0;
    void *with[] = {&in, &out, &wrong}, *without[] = {&out, &wrong};
    const struct executor_launch launch = launch_of(c, c->copies ? with : without);
    const char *fault;

    memset(out, 0, c->out_bytes);
    fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s is right, but: %s", c->kernel, fault);
    wrong = 1;
    for (uint32_t i = 0; i < EXECUTOR_MODES; i++) {
        fault = executor_run(&launch, executor_mode(i));
        if (!fault || !sentence_fits(c, fault))
            fail_msg("%s in mode %u: %s", c->kernel, i,
                     fault ? fault : "no fault was seen");
    }
    executor_memory_free(in);
    executor_memory_free(out);
}

static void every_rule_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i]);
}

/* What no single mode can see: the answer hangs on the order. */
static void modes_must_agree(void **state)
{
    void *out = executor_memory_new(4 * (THREADS + 1));
    uint32_t wrong = 0;
    void *arguments[] = {&out, &wrong};
    const struct executor_launch launch = {"fault_order", {1, 1, 1}, THREADS, 0,
                                           arguments,     0};

    (void)state;
    memset(out, 0, 4 * (THREADS + 1));
    assert_null(executor_run_all(&launch));
    memset(out, 0, 4 * (THREADS + 1));
    wrong = 1;
    assert_non_null(strstr(executor_run_all(&launch), "different bytes"));
    executor_memory_free(out);
}

static void launches_are_checked(void **state)
{
    uint32_t wrong = 0;
    void *out = executor_memory_new(256), *arguments[] = {&out, &wrong};
    struct executor_launch launch = {"fault_no_such", {1, 1, 1}, THREADS, 0,
                                     arguments,       0};
    const struct executor_mode *mode = executor_mode(0);

    (void)state;
    assert_non_null(strstr(executor_run(&launch, mode), "no kernel of that name"));
    launch.kernel = "fault_blocks";
    launch.threads = 257;
    assert_non_null(strstr(executor_run(&launch, mode), "257 threads"));
    launch.threads = 64;
    launch.shared_bytes = 228 * 1024;
    assert_non_null(strstr(executor_run(&launch, mode), "shared memory"));
    launch.shared_bytes = 0;
    launch.grid[1] = 0;
    assert_non_null(strstr(executor_run(&launch, mode), "a grid of"));
    assert_int_equal(executor_kernel_threads("fault_blocks"), 256);
    assert_int_equal(executor_kernel_threads("fault_no_such"), 0);
    executor_memory_free(out);
}

/* Memory that was freed is nobody's, and huge memory costs only what is touched. */
static void memory_is_bounded(void **state)
{
    const size_t huge = (size_t)12 << 30;
    uint8_t *a = executor_memory_new(100), *b = executor_memory_new(huge);
    uint32_t wrong = 0;
    uint8_t *far = b + huge - 256;
    void *arguments[] = {&far, &wrong};
    const struct executor_launch launch = {
        "fault_bounds_global", {1, 1, 1}, THREADS, 0, arguments, 0};

    (void)state;
    assert_true(executor_memory_has(a, 100));
    assert_false(executor_memory_has(a, 101));
    assert_null(executor_run(&launch, executor_mode(0)));
    assert_int_equal(far[252], 1);
    wrong = 1;
    assert_non_null(strstr(executor_run(&launch, executor_mode(0)), "out of bounds"));
    executor_memory_free(b);
    wrong = 0;
    assert_non_null(strstr(executor_run(&launch, executor_mode(0)), "out of bounds"));
    executor_memory_free(a);
    assert_false(executor_memory_has(a, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_kept),
        cmocka_unit_test(modes_must_agree),
        cmocka_unit_test(launches_are_checked),
        cmocka_unit_test(memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
