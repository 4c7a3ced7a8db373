/*
 * test_ledger.c - claimed: rates are sums over whole seconds and unknown before their
 * window is full; usefulness, effective rate and its error follow from the counts; many
 * threads lose nothing.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "miner/ledger.h"
#include "miner/rate.h"

static void near(double value, double expected, double error)
{
    if (!(fabs(value - expected) <= error))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void test_windows_fill(void **state)
{
    static struct rate rate;
    double out = -1;

    (void)state;
    rate_begin(&rate, 5000);
    for (uint64_t s = 0; s < 10; s++) {
        assert_false(rate_over(&rate, 5000 + s * 1000 + 999, 10, &out));
        rate_add(&rate, 5000 + s * 1000 + 500, 100);
    }
    assert_true(rate_over(&rate, 15000, 10, &out));
    near(out, 100, 1e-9);
    /* What runs now is left out. */
    rate_add(&rate, 15200, 1e6);
    assert_true(rate_over(&rate, 15900, 10, &out));
    near(out, 100, 1e-9);
    assert_true(rate_over(&rate, 16000, 10, &out));
    near(out, (900 + 1e6) / 10, 1e-6);
    assert_false(rate_over(&rate, 16000, 60, &out));
    near(rate.total, 1000 + 1e6, 1e-6);
}

static void test_silence_empties_windows(void **state)
{
    static struct rate rate;
    double out = -1;

    (void)state;
    rate_begin(&rate, 0);
    for (uint64_t s = 0; s < 2000; s++)
        rate_add(&rate, s * 1000, 7);
    assert_true(rate_over(&rate, 2000000, 900, &out));
    near(out, 7, 1e-9);
    assert_true(rate_over(&rate, 2450000, 900, &out));
    near(out, 3.5, 1e-9);
    assert_true(rate_over(&rate, 2450000, 60, &out));
    near(out, 0, 0);
    /* A silence longer than the ring, and a clock that another thread read a little
     * earlier. */
    rate_add(&rate, 900000000, 5);
    rate_add(&rate, 899999500, 5);
    assert_true(rate_over(&rate, 900001000, 10, &out));
    near(out, 1, 1e-9);
    rate_add(&rate, 0, 5);
    assert_true(rate_over(&rate, 900001000, 900, &out));
    near(out, 10.0 / 900, 1e-9);
}

static void test_books(void **state)
{
    struct ledger *ledger;
    struct ledger_totals totals;
    struct ledger_device device;

    (void)state;
    assert_int_equal(ledger_new(2, 1000, &ledger), STATUS_OK);
    ledger_read(ledger, 1500, &totals);
    near(totals.usefulness, 0, 0);
    near(totals.effective_error, 0, 0);
    assert_false(totals.all.is_known[0]);

    ledger_job(ledger, 4e6, 2000);
    ledger_hashes(ledger, 0, 3e6, true, 2500);
    ledger_hashes(ledger, 1, 1e6, false, 2500);
    for (int i = 0; i < 4; i++)
        ledger_share(ledger, 0, LEDGER_ACCEPTED, 4e6, NULL);
    ledger_job(ledger, 8e6, 9000);
    ledger_share(ledger, 1, LEDGER_STALE, 4e6, "stale job");
    ledger_share(ledger, 1, LEDGER_REJECTED, 4e6, "invalid proof");
    ledger_share(ledger, 0, LEDGER_REJECTED, 4e6, "invalid proof");
    ledger_share(ledger, 0, LEDGER_REJECTED, 4e6, "");
    ledger_invalid(ledger, 1);
    ledger_task(ledger, LEDGER_TASK_DONE);
    ledger_lost(ledger, 1, "the fan stands still; tried again in 10 s");

    ledger_read(ledger, 12000, &totals);
    assert_int_equal(totals.all.shares.verdicts[LEDGER_ACCEPTED], 4);
    assert_int_equal(totals.all.shares.verdicts[LEDGER_STALE], 1);
    assert_int_equal(totals.all.shares.verdicts[LEDGER_REJECTED], 3);
    assert_int_equal(totals.all.shares.invalid, 1);
    near(totals.usefulness, 0.75, 1e-12);
    near(totals.effective, 16e6 / 10, 1e-6);
    near(totals.effective_error, 50, 1e-9);
    near(totals.work, 8e6, 0);
    assert_int_equal(totals.tasks[LEDGER_TASK_DONE], 1);
    assert_int_equal(totals.reason_count, 3);
    assert_string_equal(totals.reasons[1].text, "invalid proof");
    assert_int_equal(totals.reasons[1].count, 2);
    assert_string_equal(totals.reasons[2].text, "no reason given");
    assert_true(totals.all.is_known[0]);
    near(totals.all.rates[0], 4e6 / 10, 1e-6);
    assert_false(totals.all.is_known[1]);
    assert_false(totals.all.is_lost);

    ledger_read_device(ledger, 1, 12000, &device);
    assert_int_equal(device.shares.verdicts[LEDGER_STALE], 1);
    assert_int_equal(device.shares.invalid, 1);
    assert_int_equal(ledger_invalid_count(ledger, 1), 1);
    assert_int_equal(ledger_invalid_count(ledger, 0), 0);
    assert_true(device.is_lost);
    assert_int_equal(device.restarts, 0);
    assert_string_equal(device.state, "the fan stands still; tried again in 10 s");
    ledger_lost(ledger, 0, "so does its own");
    ledger_read(ledger, 12000, &totals);
    assert_true(totals.all.is_lost);
    ledger_back(ledger, 1);
    ledger_read(ledger, 12000, &totals);
    assert_false(totals.all.is_lost);
    assert_int_equal(totals.all.restarts, 1);
    ledger_read_device(ledger, 1, 12000, &device);
    assert_false(device.is_lost);
    assert_int_equal(device.restarts, 1);
    assert_string_equal(device.state, "");
    ledger_free(ledger);
}

static void test_reasons_are_bounded(void **state)
{
    struct ledger *ledger;
    struct ledger_totals totals;
    char reason[32];
    uint64_t count = 0;

    (void)state;
    assert_int_equal(ledger_new(1, 0, &ledger), STATUS_OK);
    for (int i = 0; i < 100; i++) {
        snprintf(reason, sizeof(reason), "reason %d", i);
        ledger_share(ledger, 0, LEDGER_REJECTED, 1, reason);
    }
    ledger_read(ledger, 1, &totals);
    assert_int_equal(totals.reason_count, LEDGER_REASONS_MAX);
    for (size_t i = 0; i < totals.reason_count; i++)
        count += totals.reasons[i].count;
    assert_int_equal(count, 100);
    assert_string_equal(totals.reasons[LEDGER_REASONS_MAX - 1].text, "other reasons");
    ledger_free(ledger);
}

static void test_units(void **state)
{
    char text[32];

    (void)state;
    ledger_format_rate(false, 1e12, text);
    assert_string_equal(text, "n/a");
    ledger_format_rate(true, 0, text);
    assert_string_equal(text, "0.0 H/s");
    ledger_format_rate(true, 252.1e12, text);
    assert_string_equal(text, "252.1 TH/s");
    ledger_format_rate(true, 999.96e9, text);
    assert_string_equal(text, "1.0 TH/s");
    ledger_format_rate(true, 1e25, text);
    assert_string_equal(text, "10000000.0 EH/s");
}

enum { WRITERS = 4, WRITES = 2000 };

struct writer {
    struct ledger *ledger;
    size_t device;
};

static void write_books(void *context)
{
    const struct writer *writer = context;

    for (uint64_t i = 0; i < WRITES; i++) {
        ledger_hashes(writer->ledger, writer->device, 2, i % 2 == 0, i);
        ledger_share(writer->ledger, writer->device, (enum ledger_verdict)(i % 2), 1,
                     "r");
    }
}

static void test_threads_lose_nothing(void **state)
{
    struct ledger *ledger;
    struct ledger_totals totals;
    struct thread *threads[WRITERS];
    struct writer writers[WRITERS];

    (void)state;
    assert_int_equal(ledger_new(2, 0, &ledger), STATUS_OK);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ledger, i % 2};
        assert_int_equal(thread_start("writer", write_books, &writers[i], &threads[i]),
                         STATUS_OK);
    }
    for (int i = 0; i < 100; i++)
        ledger_read(ledger, 1, &totals);
    for (int i = 0; i < WRITERS; i++)
        thread_join(threads[i]);
    ledger_read(ledger, 2000, &totals);
    near(totals.all.hashes, 2.0 * WRITERS * WRITES, 0);
    near(totals.usefulness, 0.5, 0);
    assert_int_equal(totals.all.shares.verdicts[LEDGER_ACCEPTED], WRITERS * WRITES / 2);
    assert_int_equal(totals.reasons[0].count, WRITERS * WRITES / 2);
    ledger_free(ledger);
}

static void test_allocation_failures(void **state)
{
    struct ledger *ledger;
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        memory_fail_at(n);
        const enum status status = ledger_new(3, 0, &ledger);
        memory_fail_at(0);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
    assert_true(n > 2);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_fill),
        cmocka_unit_test(test_silence_empties_windows),
        cmocka_unit_test(test_books),
        cmocka_unit_test(test_reasons_are_bounded),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_threads_lose_nothing),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
