/*
 * Claim: a pool's puzzle is solved beside the caller's thread, the solution is right, and
 * an unsolvable one is given up at once.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/bytes.h"
#include "pool-protocol/puzzle.h"

static struct puzzle_task counted_task(uint32_t bits)
{
    struct puzzle_task task = {.bits = bits};

    for (int i = 0; i < PUZZLE_SEED_SIZE; i++)
        task.seed[i] = (uint8_t)i;
    return task;
}

/* The known answers of pearl-pools.md, appendix B. */
static void known_answers_hold(void **state)
{
    struct puzzle_task task = counted_task(12);

    (void)state;
    assert_true(puzzle_is_solved_by(&task, 6356));
    assert_false(puzzle_is_solved_by(&task, 6355));
    for (uint64_t nonce = 0; nonce < 6356; nonce++)
        assert_false(puzzle_is_solved_by(&task, nonce));
    task.bits = 13;
    assert_false(puzzle_is_solved_by(&task, 6356));
    for (int i = 0; i < PUZZLE_SEED_SIZE; i++)
        task.seed[i] = 0x5a;
    task.bits = 16;
    assert_true(puzzle_is_solved_by(&task, 59944));
    task.bits = 0;
    assert_true(puzzle_is_solved_by(&task, 1));
}

static void a_solution_wakes_its_waiter(void **state)
{
    const struct puzzle_task task = counted_task(14);
    struct puzzle *puzzle = NULL;
    uint64_t nonce = 0;
    const int wake = eventfd(0, EFD_CLOEXEC);
    struct pollfd fd = {.fd = wake, .events = POLLIN};

    (void)state;
    assert_int_equal(puzzle_start(&task, wake, &puzzle, NULL), STATUS_OK);
    assert_true(puzzle_is_same(puzzle_task(puzzle), &task));
    assert_int_equal(poll(&fd, 1, 60000), 1);
    assert_true(puzzle_take(puzzle, &nonce));
    assert_true(puzzle_is_solved_by(&task, nonce));
    puzzle_stop(puzzle);
    close(wake);
}

static void a_search_is_broken_off(void **state)
{
    const struct puzzle_task task = counted_task(PUZZLE_BITS_MAX);
    struct puzzle *puzzle = NULL;
    uint64_t nonce = 0;

    (void)state;
    assert_int_equal(puzzle_start(&task, -1, &puzzle, NULL), STATUS_OK);
    assert_false(puzzle_take(puzzle, &nonce));
    puzzle_stop(puzzle);
    puzzle_stop(NULL);
}

static void tasks_are_compared(void **state)
{
    struct puzzle_task a = counted_task(12), b = counted_task(12);

    (void)state;
    assert_true(puzzle_is_same(&a, &b));
    b.bits = 13;
    assert_false(puzzle_is_same(&a, &b));
    b = a;
    b.seed[31] ^= 1;
    assert_false(puzzle_is_same(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_hold),
        cmocka_unit_test(a_solution_wakes_its_waiter),
        cmocka_unit_test(a_search_is_broken_off),
        cmocka_unit_test(tasks_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
