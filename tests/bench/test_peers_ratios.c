/*
 * test_peers_ratios.c - claim: each ratio divides what its name says, of the best of
 * oneDNN's ways, times the other way round; an empty place gives no ratio; what was
 * promised depends on the shape as docs/performance.md shows it, and holds up to its
 * edge.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bench/peers_ratios.h"

static struct bench_result rate(double max)
{
    return (struct bench_result){
        .min = max / 4, .median = max / 2, .max = max, .runs = 7};
}

static struct peers_turns turns_make(uint32_t m, uint32_t n, uint32_t k)
{
    struct peers_turns turns = {.m = m, .n = n, .k = k, .rank = 128, .threads = 2};

    turns.results[PEERS_GEMM] = rate(100);
    turns.results[PEERS_MATMUL] = rate(160);
    turns.results[PEERS_PACKED] = rate(200);
    turns.results[PEERS_CLEAN] = rate(190);
    turns.results[PEERS_MINING] = rate(171);
    turns.results[PEERS_USEFUL] = rate(152);
    return turns;
}

static const struct bench_ratio *find(const struct bench_ratio *ratios, size_t count,
                                      const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(ratios[i].name, name))
            return &ratios[i];
    return NULL;
}

static void is_near(double value, double wanted)
{
    assert_true(value > wanted - 1e-9 && value < wanted + 1e-9);
}

static void test_values(void **state)
{
    const struct peers_turns turns = turns_make(2048, 2048, 4096);
    struct bench_ratio ratios[PEERS_RATIOS_MAX];
    const size_t count = peers_ratios(&turns, ratios);
    const struct bench_ratio *ratio = find(ratios, count, "clean / oneDNN");

    (void)state;
    assert_int_equal(count, 4);
    is_near(ratio->best, 0.95);
    is_near(ratio->median, 0.95);
    is_near(ratio->at_least, 0.92);
    assert_string_equal(ratio->shape, "2048,2048,4096");
    assert_int_equal(ratio->threads, 2);
    assert_false(ratio->is_time);
    is_near(find(ratios, count, "mining / clean")->best, 0.9);

    ratio = find(ratios, count, "useful time / clean");
    is_near(ratio->best, 1.25); /* a rate of 152 against one of 190 */
    assert_true(ratio->is_time);
    is_near(find(ratios, count, "useful time / oneDNN")->best, 200.0 / 152);
}

/* m, n, k, and what is promised of clean, mining and useful time; 0: nothing. */
static void test_promises(void **state)
{
    static const struct {
        uint32_t m, n, k;
        double clean, mining, useful, useful_peer;
    } rows[] = {
        {2048, 2048, 4096, 0.92, 0.93, 1.25, 1.30},
        {2048, 4096, 4096, 0.92, 0.93, 1.225, 0},
        {2047, 4096, 4096, 0.90, 0.90, 1.225, 0},
        {1024, 5120, 2048, 0.90, 0.90, 1.35, 0},
        {512, 1536, 2048, 0.90, 0.90, 1.42, 0},
        {64, 4096, 4096, 0.90, 0, 1.575, 0},
    };
    struct bench_ratio ratios[PEERS_RATIOS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct peers_turns turns = turns_make(rows[i].m, rows[i].n, rows[i].k);
        const size_t count = peers_ratios(&turns, ratios);

        is_near(find(ratios, count, "clean / oneDNN")->at_least, rows[i].clean);
        is_near(find(ratios, count, "mining / clean")->at_least, rows[i].mining);
        is_near(find(ratios, count, "useful time / clean")->at_least, rows[i].useful);
        is_near(find(ratios, count, "useful time / oneDNN")->at_least,
                rows[i].useful_peer);
    }
}

static void test_empty_places(void **state)
{
    struct peers_turns turns = turns_make(64, 64, 4096);
    struct bench_ratio ratios[PEERS_RATIOS_MAX];
    size_t count;

    (void)state;
    turns.results[PEERS_CLEAN] = (struct bench_result){.runs = 0};
    turns.results[PEERS_CLEAN_AVX2] = rate(70);
    turns.results[PEERS_MINING_AVX2] = rate(63);
    turns.results[PEERS_LIMIT_AVX2] = rate(100);
    count = peers_ratios(&turns, ratios);
    assert_null(find(ratios, count, "clean / oneDNN"));
    assert_null(find(ratios, count, "mining / clean"));
    assert_null(find(ratios, count, "oneDNN / limit"));
    is_near(find(ratios, count, "AVX2 clean / oneDNN")->best, 0.35);
    is_near(find(ratios, count, "AVX2 mining / AVX2 clean")->best, 0.9);
    is_near(find(ratios, count, "AVX2 clean / AVX2 limit")->best, 0.7);
}

static void test_holds(void **state)
{
    static const struct {
        double best, at_least;
        bool is_time, holds;
    } rows[] = {
        {0.92, 0.92, false, true}, {0.9199, 0.92, false, false},
        {1.25, 1.25, true, true},  {1.2501, 1.25, true, false},
        {0.01, 0, false, true}, /* nothing was promised */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bench_ratio ratio = {.best = rows[i].best,
                                          .at_least = rows[i].at_least,
                                          .is_time = rows[i].is_time};

        assert_int_equal(peers_ratio_holds(&ratio), rows[i].holds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_empty_places),
        cmocka_unit_test(test_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
