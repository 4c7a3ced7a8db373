/*
 * test_cuda_run.c - claims: a run on a device that runs ahead finds what one on the
 * processor finds, in the same order and under the same jobs and tasks, each product's
 * findings with the next one or at once when it is drained; and it is right again after a
 * device's fault.
 *
 * labels: plain
 * Against the stand-in for the driver (tests/stand_in); no card is asked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "tests/job_storm.h"
#include "tests/stand_in/stand_in_find.h"
#include "tests/two_lefts.h"

enum { M = LEFT_M, CHANGED = 64 };

#define TASK "0123456789abcdef0123456789abcdef"

/* One product.  0 where nothing is said. */
struct step {
    uint32_t rows;
    uint32_t left; /* which of the two left operands */
    char job;      /* another one comes before it */
    uint32_t rank; /* of the product and of those after it */
    uint32_t item; /* of the site before it, which goes on */
    bool is_useful, is_plain, is_stale;
    const char *task;
};

static const struct step steps[] = {
    {.rows = M, .left = 0, .job = '1', .rank = 32, .task = ""},
    {.rows = M, .left = 1},
    {.rows = M, .left = 0},
    {.rows = M, .left = 1},
    {.rows = M, .left = 0, .job = '2'},
    {.rows = M, .left = 1},
    {.rows = M / 2, .left = 0},
    {.rows = M / 2, .left = 1},
    {.rows = M / 2, .left = 0},
    {.rows = M, .left = 1, .is_useful = true},
    {.rows = M, .left = 0},
    {.rows = M, .left = 1, .task = TASK},
    {.rows = M, .left = 0},
    {.rows = M, .left = 1, .rank = 64},
    {.rows = M, .left = 0},
    {.rows = M, .left = 0}, /* the same again: drained before */
    {.rows = 4, .left = 1, .is_plain = true},
    {.rows = M, .left = 0, .task = ""},
    {.rows = M, .left = 1},
    {.rows = M, .left = 0, .job = '3', .item = 1, .is_stale = true},
    {.rows = M, .left = 1},
    {.rows = M, .left = 0},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* All that was found, and how much of it was there after each step. */
struct record {
    struct two_lefts_found found;
    uint32_t after[STEPS];
    bool is_known[2]; /* a product of this left operand went through */
    uint32_t site;
};

/* Begins as everything does that changes a left operand: its first bytes are new ones. */
static enum status multiply(struct record *record, struct two_lefts *bench,
                            const struct step *step, uint8_t number)
{
    int8_t fresh[CHANGED];
    struct matmul product = {.site = {.product = record->site, .item = step->item},
                             .m = step->rows,
                             .a = {bench->left[step->left], 0},
                             .b = bench->weights,
                             .c = {step->is_useful ? bench->c : NULL, 0}};
    enum status status;

    for (int i = 0; i < CHANGED; i++)
        fresh[i] = (int8_t)((number * 37 + i * 11) % 129 - 64);
    status = device_write(bench->device, product.a.buffer, 0, fresh, sizeof fresh);
    if (record->is_known[step->left])
        product.change.size = CHANGED;
    if (!status)
        status = matmul_run(bench->mine.port, &product);
    record->is_known[step->left] = !status;
    return status;
}

static void record_steps(struct record *record, struct two_lefts *bench)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        const struct step *step = &steps[i];

        if (step->job)
            two_lefts_job(bench, step->job);
        if (step->rank)
            two_lefts_rank(bench, step->rank);
        if (step->task)
            scheme_noisy_gemm.assign(bench->mine.run, step->task);
        if (i && step->left == steps[i - 1].left)
            assert_int_equal(matmul_drain(bench->mine.port), STATUS_OK);
        record->site += !step->item;
        assert_int_equal(multiply(record, bench, step, (uint8_t)i),
                         step->is_stale ? STATUS_STALE : STATUS_OK);
        two_lefts_take(bench, &record->found);
        record->after[i] = record->found.count;
    }
    assert_int_equal(matmul_drain(bench->mine.port), STATUS_OK);
    two_lefts_take(bench, &record->found);
}

static void expect_same(const struct record *record, const struct record *expected)
{
    assert_int_equal(record->found.count, expected->found.count);
    assert_memory_equal(record->found.digests, expected->found.digests,
                        expected->found.count * sizeof expected->found.digests[0]);
    for (uint32_t i = 0; i < STEPS; i++) {
        const struct step *step = &steps[i];
        const bool is_over = step->is_useful || step->is_plain || step->is_stale;

        assert_int_equal(record->after[i], is_over ? expected->after[i]
                                           : i     ? expected->after[i - 1]
                                                   : 0);
    }
}

/* Whatever the order of the streams, by the texts and by a kernel of its own, and with
 * room for one set of scratch. */
static void test_finds_what_the_processor_finds(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    const uint64_t memory = stand_in->memory;
    struct record *expected = memory_new(struct record);
    struct two_lefts bench;

    assert_non_null(expected);
    two_lefts_open(&bench, "cpu", NULL);
    record_steps(expected, &bench);
    two_lefts_close(&bench);
    assert_in_range(expected->found.count, 50, 250); /* 606 tiles, one in four */
    for (uint32_t i = 0; i < 5; i++) {
        struct record *record = memory_new(struct record);

        assert_non_null(record);
        stand_in->lag = i % 3;
        stand_in->memory = i == 4 ? 2 << 20 : memory;
        two_lefts_open(&bench, "cuda", i == 3 ? NULL : "plain");
        record_steps(record, &bench);
        two_lefts_close(&bench);
        expect_same(record, expected);
        memory_free(record);
    }
    stand_in->memory = memory;
    memory_free(expected);
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
}

/* Jobs are replaced at any moment: before a product begins, in its middle, while it is on
 * its way.  What is found proves under its own job. */
static void test_jobs_come_and_go(void **state)
{
    enum { TRIES = 20000, ENOUGH = 5 };
    struct cuda_stand_in *stand_in = *state;
    struct two_lefts_found *found = memory_new(struct two_lefts_found);
    struct job_storm storm;
    uint32_t ended = 0, gone_through = 0;
    struct two_lefts bench;

    assert_non_null(found);
    stand_in->lag = LAG_NONE;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    job_storm_begin(&storm, bench.mine.jobs,
                    &(struct job){.cert_version = 3,
                                  .min_rank = 32,
                                  .target = bench.mine.check.target});
    for (uint32_t i = 0;
         i < TRIES && (found->count < ENOUGH || ended < ENOUGH || !gone_through); i++) {
        const enum status status =
            two_lefts_mine(&bench, i % 2, (struct matmul_change){0, 0});
        assert_true(status == STATUS_OK || status == STATUS_STALE);
        ended += status == STATUS_STALE;
        gone_through += status == STATUS_OK;
        found->count = found->count < ENOUGH ? found->count : ENOUGH;
        two_lefts_take(&bench, found);
    }
    job_storm_end(&storm);
    assert_true(found->count >= ENOUGH);
    assert_true(ended >= ENOUGH);
    two_lefts_close(&bench);
    memory_free(found);
}

/* A product that nobody drains: its operands are freed, and it with them. */
static void test_ends_with_a_product_on_its_way(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct two_lefts bench;

        stand_in->lag = lag;
        two_lefts_open(&bench, "cuda", "plain");
        two_lefts_rank(&bench, 32);
        assert_int_equal(two_lefts_mine(&bench, 0, (struct matmul_change){0, 0}),
                         STATUS_OK);
        two_lefts_close(&bench);
    }
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
}

static void expect_no_twins(const struct record *record)
{
    for (uint32_t i = 0; i < record->found.count; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_memory_not_equal(record->found.digests[i], record->found.digests[j],
                                    BLAKE3_SIZE);
}

/* The n-th call into the device fails, for every n of two products and a drain: what was
 * found leaves once, the fault is told once, and the next products are right. */
static void test_right_again_after_a_fault(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    uint64_t fault = 0;
    bool is_over = false;
    struct two_lefts bench;

    stand_in->lag = LAG_LATE;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    while (!is_over) {
        struct record *record = memory_new(struct record);
        uint32_t faults = 0;

        assert_non_null(record);
        two_lefts_job(&bench, (char)('0' + fault % 2));
        device_fail_at(bench.device, ++fault);
        for (uint32_t i = 0; i < 6; i++) {
            const struct step step = {.rows = M, .left = i % 2};
            enum status status = i == 2 || i == 5 ? matmul_drain(bench.mine.port)
                                                  : multiply(record, &bench, &step,
                                                             (uint8_t)(fault * 5 + i));
            assert_true(status == STATUS_OK || status == STATUS_DEVICE_LOST);
            faults += status != STATUS_OK;
            is_over = i == 2 && !faults;
            if (i == 2) {
                device_fail_at(bench.device, 0);
                two_lefts_take(&bench, &record->found);
                record->after[0] = record->found.count;
            }
            if (is_over)
                break;
        }
        assert_true(faults == !is_over);
        two_lefts_take(&bench, &record->found);
        assert_true(is_over || record->found.count > record->after[0]);
        expect_no_twins(record);
        memory_free(record);
    }
    assert_true(fault > 20);
    two_lefts_close(&bench);
}

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        STAND_IN_TEST(test_finds_what_the_processor_finds),
        STAND_IN_TEST(test_jobs_come_and_go),
        STAND_IN_TEST(test_ends_with_a_product_on_its_way),
        STAND_IN_TEST(test_right_again_after_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
