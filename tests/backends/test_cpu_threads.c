/*
 * test_cpu_threads.c - claim: a range is worked on exactly once however many threads
 * share it, runs may follow one another at once or after the threads fell asleep, no
 * thread number is at two places at a time, floats are exact in all of them, and a pool
 * that has all processors keeps its threads apart on them.
 *
 * labels: tsan
 *
 * SPDX-License-Identifier: MIT
 */
#include <fenv.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_threads.h"
#include "miner/base/clock.h"
#include "miner/base/thread.h"

enum { UNITS = 5000, THREADS = 8 };

struct tally {
    atomic_uchar seen[UNITS];
    atomic_uchar inside[THREADS];
    atomic_uint
        wrong; /* threads met themselves, or a float was flushed or rounded otherwise */
    uint32_t pause_us;
};

static void spend(uint32_t us)
{
    const uint64_t end = clock_ns() + (uint64_t)us * 1000;

    while (clock_ns() < end)
        cpu_pause();
}

/* A subnormal result, from a subnormal operand, rounded to nearest. */
static int floats_are_exact(void)
{
    volatile float tiny = 1e-40f, half = 0.5f, one = 1.0f, ulp = 5.9604644775390625e-8f;
    volatile float product = tiny * half, sum = one + ulp; /* a tie, to even */

    return product > 0.0f && product < tiny && sum == one;
}

static void count(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    struct tally *tally = context;

    if (thread >= THREADS || atomic_exchange(&tally->inside[thread], 1) ||
        !floats_are_exact())
        atomic_fetch_add(&tally->wrong, 1);
    for (uint64_t i = first; i < last; i++)
        atomic_fetch_add(&tally->seen[i], 1);
    spend(tally->pause_us);
    atomic_store(&tally->inside[thread % THREADS], 0);
}

static void range_check(struct cpu_threads *threads, uint64_t last, uint64_t grain,
                        uint32_t pause_us)
{
    static struct tally tally;

    memset(&tally, 0, sizeof tally);
    tally.pause_us = pause_us;
    cpu_threads_run(threads, count, &tally, last, grain);
    assert_int_equal(atomic_load(&tally.wrong), 0);
    for (uint64_t i = 0; i < UNITS; i++)
        assert_int_equal(atomic_load(&tally.seen[i]), i < last);
}

static struct cpu_threads *pool_make(uint32_t count_wanted)
{
    struct cpu_threads *threads;

    assert_int_equal(cpu_threads_new(count_wanted, &threads), STATUS_OK);
    assert_int_equal(cpu_threads_count(threads), count_wanted);
    return threads;
}

static void test_ranges(void **state)
{
    static const uint64_t lasts[] = {0, 1, 2, 7, 64, 1000, UNITS};
    static const uint64_t grains[] = {1, 3, 64, 100000};

    (void)state;
    for (uint32_t t = 1; t <= THREADS; t++) {
        struct cpu_threads *threads = pool_make(t);

        for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++)
            for (size_t j = 0; j < sizeof grains / sizeof grains[0]; j++)
                range_check(threads, lasts[i], grains[j], 0);
        cpu_threads_free(threads);
    }
}

/* Gaps around the time after which threads go to sleep, where a wake-up could be lost. */
static void test_naps(void **state)
{
    struct cpu_threads *threads = pool_make(3);

    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        range_check(threads, 12, 1, i % 4 ? 0 : 20);
        spend(i % 150);
    }
    cpu_threads_free(threads);
}

/* A pool that never ran, and pools one after the other. */
static void test_lives(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 30; i++) {
        struct cpu_threads *threads = pool_make(1 + i % THREADS);

        if (i % 3)
            range_check(threads, 100, 1, 0);
        cpu_threads_free(threads);
    }
    cpu_threads_free(NULL);
}

/* The caller's own mode does not matter: it is set right before it works. */
static void test_float_mode(void **state)
{
    struct cpu_threads *threads = pool_make(4);

    (void)state;
    assert_int_equal(fesetround(FE_UPWARD), 0);
    range_check(threads, 200, 1, 5);
    assert_true(floats_are_exact());
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    cpu_threads_free(threads);
}

enum { PLACES = 64 };

/* Where each thread of a pool may run. */
struct places {
    cpu_set_t of[PLACES];
    atomic_uint arrived; /* a bit a thread */
    uint32_t everybody;
};

/* A thread that has come waits for the others, so that every one of them gets a part. */
static void look(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    struct places *places = context;
    const uint64_t end = clock_ns() + 10000000000u;

    (void)first;
    (void)last;
    if (sched_getaffinity(0, sizeof places->of[0], &places->of[thread]))
        return;
    atomic_fetch_or(&places->arrived, 1u << thread);
    while (atomic_load(&places->arrived) != places->everybody && clock_ns() < end)
        sched_yield();
}

static void places_find(uint32_t threads, struct places *places)
{
    struct cpu_threads *pool = pool_make(threads);

    memset(places, 0, sizeof *places);
    places->everybody = (1u << threads) - 1;
    cpu_threads_run(pool, look, places, threads, 1);
    cpu_threads_free(pool);
    assert_int_equal(atomic_load(&places->arrived), places->everybody);
}

static void test_pinned(void **state)
{
    const uint32_t all = thread_processors();
    struct places places;
    cpu_set_t used;

    (void)state;
    if (all < 2 || all >= 31)
        return; /* a lone processor starts no thread */
    CPU_ZERO(&used);
    places_find(all, &places);
    for (uint32_t i = 1; i < all; i++) {
        assert_int_equal(CPU_COUNT(&places.of[i]), 1);
        CPU_OR(&used, &used, &places.of[i]);
    }
    assert_int_equal(CPU_COUNT(&used), all - 1);
    assert_int_equal(CPU_COUNT(&places.of[0]), all);

    places_find(all + 1, &places);
    for (uint32_t i = 0; i <= all; i++)
        assert_int_equal(CPU_COUNT(&places.of[i]), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges), cmocka_unit_test(test_naps),
        cmocka_unit_test(test_lives),  cmocka_unit_test(test_float_mode),
        cmocka_unit_test(test_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
