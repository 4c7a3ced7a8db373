/*
 * test_gauge.c - claim: a gauge tells clock and watts of what was between begin and end,
 * however short, by the card's counter of energy where it has one; what cannot be read is
 * unknown; a device without sensors, and a processor, have no gauge.
 *
 * labels: tsan
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/gauge.h"
#include "miner/base/clock.h"

enum { SPAN_NS = 100000000 }; /* a few samples */

static struct device_entry card(bool is_gpu)
{
    struct device_entry entry = {.backend = backend_find("opencl")};

    assert_non_null(entry.backend);
    entry.info.is_gpu = is_gpu;
    snprintf(entry.info.bus, sizeof entry.info.bus, "41:00.0");
    return entry;
}

static struct gauge *gauge_of(bool is_gpu, const char *library)
{
    const struct device_entry entry = card(is_gpu);
    const struct sensors_options options = {.system = "/nonexistent", .library = library};
    struct gauge *gauge;

    assert_int_equal(gauge_open(&entry, &options, &gauge), STATUS_OK);
    return gauge;
}

static const char *shim(void)
{
    static char library[512];
    const char *build = getenv("BUILD");

    if (!build)
        skip();
    snprintf(library, sizeof library, "%s/stand-in/libnvml_shim.so", build);
    return library;
}

static void spend(uint64_t ns)
{
    const uint64_t end = clock_ns() + ns;

    while (clock_ns() < end)
        continue;
}

static void test_known(void **state)
{
    struct gauge *gauge = gauge_of(true, shim());
    struct gauge_sum sum = {.clocks = 0};
    double mhz = 0, watts = 0;

    (void)state;
    assert_non_null(gauge);
    gauge_begin(gauge);
    gauge_end(gauge, &sum); /* at once: one sample, two looks at the counter */
    assert_int_equal(sum.clocks, 1);
    assert_true(sum.energy_j >= 5 - 1e-9);
    gauge_begin(gauge);
    spend(SPAN_NS);
    gauge_end(gauge, &sum);
    assert_true(sum.clocks > 1);
    assert_true(sum.energy_s >= SPAN_NS / 1e9);
    assert_true(gauge_clock(&sum, &mhz));
    assert_true(mhz > 1754.9 && mhz < 1755.1);
    assert_true(gauge_power(&sum, &watts));
    assert_true(watts > 0);
    gauge_close(gauge);
}

static void test_old(void **state)
{
    struct gauge_sum sum = {.clocks = 0};
    double mhz, watts = 0;

    (void)state;
    assert_int_equal(setenv("NVML_SHIM", "old", 1), 0);
    struct gauge *gauge = gauge_of(true, shim());
    assert_non_null(gauge);
    gauge_begin(gauge);
    gauge_end(gauge, &sum);
    assert_false(gauge_clock(&sum, &mhz));
    assert_true(gauge_power(&sum, &watts));
    assert_true(watts > 338.4 && watts < 338.6);
    gauge_close(gauge);
    assert_int_equal(unsetenv("NVML_SHIM"), 0);
}

static void test_none(void **state)
{
    struct gauge_sum sum = {.clocks = 0};
    double value;

    (void)state;
    assert_null(gauge_of(true, "libminerva-is-not-there.so"));
    assert_null(gauge_of(false, shim()));
    gauge_begin(NULL);
    gauge_end(NULL, &sum);
    assert_false(gauge_clock(&sum, &value));
    assert_false(gauge_power(&sum, &value));
    gauge_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known),
                                       cmocka_unit_test(test_old),
                                       cmocka_unit_test(test_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
