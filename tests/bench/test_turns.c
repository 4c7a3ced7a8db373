/*
 * test_turns.c - claim: benchmarks that take turns alternate, there and back, each for
 * the rounds that were asked for and longer only while somebody's best still rises; the
 * first of several runs of a turn only warms up; an error ends the round and is passed
 * on.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench/turns.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

enum { ORDER_MAX = 1000, TURN_NS = 45000000, PLACES = 2, OPEN_ALWAYS = 1000 };

/* A benchmark of this test: it writes down its letter and gives values by a rule. */
struct bench {
    uint32_t runs;
};

static struct {
    char order[ORDER_MAX];
    uint32_t length, closed;
    uint32_t rises_until; /* of a's runs: each value is a tenth better than the last */
    uint32_t fails_at;    /* run of b, from 1; 0: never */
    uint32_t refused;     /* b cannot be opened */
} script;

static void note(char letter)
{
    assert_true(script.length < ORDER_MAX);
    script.order[script.length++] = letter;
}

static enum status script_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    (void)setup;
    *out = memory_new(struct bench);
    assert_non_null(*out);
    return script.refused ? error_set(err, STATUS_ABSENT, "not today") : STATUS_OK;
}

static void script_close(struct bench *bench)
{
    script.closed++;
    memory_free(bench);
}

/* As long as a turn: one run each. */
static void spend_turn(void)
{
    const uint64_t end = clock_ns() + TURN_NS;

    while (clock_ns() < end)
        continue;
}

static enum status a_run(struct bench *bench, double *value, struct error *err)
{
    (void)err;
    note('a');
    bench->runs++;
    *value = 10.0 + (bench->runs < script.rises_until ? bench->runs : script.rises_until);
    spend_turn();
    return STATUS_OK;
}

/* Short: many runs a turn. */
static enum status b_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t end = clock_ns() + TURN_NS / 45;

    if (script.length && script.order[script.length - 1] != 'b')
        note('b');
    bench->runs++;
    if (bench->runs == script.fails_at)
        return error_set(err, STATUS_DEVICE_LOST, "gone");
    *value = script.length % 2 ? 1.0 : 2.0;
    while (clock_ns() < end)
        continue;
    return STATUS_OK;
}

/* As a, with another letter. */
static enum status c_run(struct bench *bench, double *value, struct error *err)
{
    (void)err;
    note('c');
    bench->runs++;
    *value = 10.0;
    spend_turn();
    return STATUS_OK;
}

static void script_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "runs-%u", bench->runs);
}

static const struct bench_kind kind_a = {"a",          "1/s", script_open,
                                         script_close, a_run, script_shape};
static const struct bench_kind kind_b = {"b",          "1/s", script_open,
                                         script_close, b_run, script_shape};

static const struct bench_kind kind_c = {"c",          "1/s", script_open,
                                         script_close, c_run, script_shape};

static void join_both(struct turns *turns)
{
    const struct bench_setup setup = {.m = 1};
    struct error err = {0};

    assert_int_equal(turns_join(turns, 0, &kind_a, &setup, &err), STATUS_OK);
    assert_int_equal(turns_join(turns, 3, &kind_b, &setup, &err), STATUS_OK);
}

static int begin(void **state)
{
    (void)state;
    memset(&script, 0, sizeof script);
    return 0;
}

/* Each round the other way round. */
static void test_alternate(void **state)
{
    const struct bench_setup setup = {.m = 1};
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};

    (void)state;
    assert_int_equal(turns_join(&turns, 0, &kind_a, &setup, &err), STATUS_OK);
    assert_int_equal(turns_join(&turns, 3, &kind_c, &setup, &err), STATUS_OK);
    assert_int_equal(turns_take(&turns, 4, &err), STATUS_OK);
    /* The first round is news: the fourth one is the third that brings none. */
    assert_int_equal(script.length, 8);
    for (uint32_t i = 0; i < script.length; i++)
        assert_int_equal(script.order[i], "acca"[i % 4]);

    assert_true(turns_result(&turns, 0, &result));
    assert_int_equal(result.runs, 4);
    assert_string_equal(result.shape, "runs-4");
    assert_false(result.is_p99);
    assert_false(result.clock_mhz.is_known);
    assert_false(result.power_w.is_known);
    assert_true(turns_result(&turns, 3, &result));
    assert_true(result.runs >= 4);
    assert_false(turns_result(&turns, 1, &result));
    turns_close(&turns);
    assert_int_equal(script.closed, 2);
}

static void test_uncounted(void **state)
{
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};

    (void)state;
    join_both(&turns);
    assert_int_equal(turns_warm_up(&turns, 3, &err), STATUS_OK);
    assert_false(turns_result(&turns, 0, &result));
    assert_int_equal(turns_round(&turns, &err), STATUS_OK);
    assert_true(turns_result(&turns, 0, &result));
    assert_int_equal(result.runs, 1);
    assert_string_equal(result.shape, "runs-4");
    turns_close(&turns);
}

/* Values 1 to `runs`, the last one first. */
static struct bench_result summarised(const struct bench_kind *kind, uint32_t runs)
{
    static const struct gauge_sum gauged = {
        .clock_mhz = 3000, .clocks = 2, .power_w = 500, .powers = 2};
    struct bench_result result = {.runs = 0};
    double values[300];

    for (uint32_t i = 0; i < runs; i++)
        values[i] = runs - i;
    bench_summarise(kind, values, runs, &gauged, &result);
    return result;
}

static void is_near(double value, double wanted)
{
    assert_true(value > wanted - 1e-9 && value < wanted + 1e-9);
}

static void test_summary(void **state)
{
    static const struct bench_kind times = {.unit = "ms"}, rates = {.unit = "GMAC/s"};
    struct bench_result result = summarised(&times, 99);

    (void)state;
    assert_false(result.is_p99);
    is_near(result.slow, 99);
    is_near(result.median, 50);
    is_near(result.clock_mhz.value, 1500);
    is_near(result.power_w.value, 250);
    assert_false(result.j_per_tmac.is_known);
    result = summarised(&times, 200);
    assert_true(result.is_p99);
    is_near(result.slow, 198);
    result = summarised(&rates, 200);
    assert_true(result.is_p99);
    is_near(result.slow, 3);
    assert_true(result.j_per_tmac.is_known);
    is_near(result.j_per_tmac.value, 250 / 0.1005);
    is_near(summarised(&rates, 3).slow, 1);
}

static void test_warm_up(void **state)
{
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};
    uint32_t runs;

    (void)state;
    join_both(&turns);
    assert_int_equal(turns_take(&turns, 1, &err), STATUS_OK);
    assert_true(turns_result(&turns, 3, &result));
    assert_int_equal(sscanf(result.shape, "runs-%u", &runs), 1);
    assert_true(runs > result.runs); /* one a turn is not counted */
    turns_close(&turns);
}

static void test_news(void **state)
{
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};

    (void)state;
    script.rises_until = 3;
    join_both(&turns);
    assert_int_equal(turns_take(&turns, 2, &err), STATUS_OK);
    assert_true(turns_result(&turns, 0, &result));
    assert_int_equal(result.runs, 6); /* better until the third, then three calm ones */
    turns_close(&turns);
}

static void test_no_end_of_news(void **state)
{
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};

    (void)state;
    script.rises_until = OPEN_ALWAYS;
    join_both(&turns);
    assert_int_equal(turns_take(&turns, 1, &err), STATUS_OK);
    assert_true(turns_result(&turns, 0, &result));
    assert_int_equal(result.runs, 4); /* four times what was asked for is the most */
    turns_close(&turns);
}

static void test_failure(void **state)
{
    struct turns turns = {0};
    struct error err = {0};

    (void)state;
    script.fails_at = 2;
    join_both(&turns);
    assert_int_equal(turns_take(&turns, 5, &err), STATUS_DEVICE_LOST);
    assert_string_equal(err.text, "gone");
    assert_int_equal(script.length, PLACES);
    turns_close(&turns);
}

static void test_refused(void **state)
{
    const struct bench_setup setup = {.m = 1};
    struct turns turns = {0};
    struct bench_result result;
    struct error err = {0};

    (void)state;
    script.refused = 1;
    assert_int_equal(turns_join(&turns, 0, &kind_a, &setup, &err), STATUS_ABSENT);
    assert_int_equal(script.closed, 1);
    assert_int_equal(turns_take(&turns, 2, &err), STATUS_OK);
    assert_false(turns_result(&turns, 0, &result));
    turns_close(&turns);
    assert_int_equal(script.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_alternate, begin),
        cmocka_unit_test_setup(test_uncounted, begin),
        cmocka_unit_test_setup(test_summary, begin),
        cmocka_unit_test_setup(test_warm_up, begin),
        cmocka_unit_test_setup(test_news, begin),
        cmocka_unit_test_setup(test_no_end_of_news, begin),
        cmocka_unit_test_setup(test_failure, begin),
        cmocka_unit_test_setup(test_refused, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
