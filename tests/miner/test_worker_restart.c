/*
 * test_worker_restart.c - claimed: a device that dies, or whose findings do not verify,
 * is said, counted and taken out, its task goes back, and the others go on; after a rest
 * it is opened and tested again and works; a device without room declines with the
 * figures.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "miner/setback.h"
#include "tests/ring.h"

enum { WAIT_MS = 60000, TASKS = 12 };

/* Nothing ever meets it; and what most products of this test do. */
#define HARD "0000000000000000000000000000000000000000000000000000000000000001"
#define EASY "000003ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static struct ledger_device wait_for(struct ring *ring,
                                     bool (*is_so)(const struct ledger_device *))
{
    const uint64_t until = clock_ms() + WAIT_MS;
    struct ledger_device device;

    do {
        assert_true(clock_ms() < until);
        ledger_read_device(ring->ledger, 0, clock_ms(), &device);
    } while (!is_so(&device));
    return device;
}

/* The ledger hears of a loss before the worker lies down; and where others were quick,
 * one may not have begun yet. */
static void wait_for_state(const struct worker *worker, enum worker_state state)
{
    const uint64_t until = clock_ms() + WAIT_MS;

    while (worker_state(worker) != state)
        assert_true(clock_ms() < until);
}

static bool is_lost(const struct ledger_device *device)
{
    return device->is_lost;
}

static bool is_back(const struct ledger_device *device)
{
    return device->restarts == 1 && !device->is_lost;
}

/* Every task is taken by one of three workers and each ends once, answered or declined.
 */
static void count_ends(struct ring *ring, uint32_t *done, uint32_t *declined)
{
    uint32_t ends = 0;

    while (ends < TASKS) {
        struct outgoing *out = ring_next(ring);
        if (out->kind == OUTGOING_ANSWER && out->as.answer->kind == ANSWER_DONE) {
            ends++;
            ++*done;
        }
        if (out->kind == OUTGOING_ANSWER && out->as.answer->kind == ANSWER_DECLINE) {
            assert_non_null(strstr(out->as.answer->reason, "device failed"));
            ends++;
            ++*declined;
        }
        outgoing_free(out);
    }
}

static void test_the_others_go_on(void **state)
{
    const struct ring_options options = {.fail_at = 3, .rest_ms = 3600000, .helpers = 2};
    struct ring ring;
    uint32_t done = 0, declined = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    for (int i = 0; i < TASKS; i++)
        ring_assign(&ring, ring_product(64, 64, 2048, (char)('a' + i)));
    count_ends(&ring, &done, &declined);
    assert_true(done >= TASKS - 1);
    /* Whoever was quick took all there was: then the first worker fails at the next. */
    while (!declined) {
        ring_assign(&ring, ring_product(64, 64, 2048, 'z'));
        struct outgoing *out;
        do {
            out = ring_next(&ring);
            assert_int_equal(out->kind, OUTGOING_ANSWER);
            declined += out->as.answer->kind == ANSWER_DECLINE;
            done = out->as.answer->kind == ANSWER_DONE;
            outgoing_free(out);
        } while (!declined && !done);
    }
    const struct ledger_device device = wait_for(&ring, is_lost);
    assert_non_null(strstr(device.state, "the device failed; tried again in 3600 s"));
    wait_for_state(ring.worker, WORKER_RESTING);
    wait_for_state(ring.helpers[0], WORKER_READY);
    wait_for_state(ring.helpers[1], WORKER_READY);
    ring_close(&ring); /* wakes it out of its hour of rest */
}

static void expect_accept(struct ring *ring)
{
    uint32_t shares = 0;

    answer_free(ring_answer(ring, ANSWER_ACCEPT, &shares));
}

static void test_a_lost_device_comes_back(void **state)
{
    const struct ring_options options = {.fail_at = 5, .rest_ms = 1};
    struct ring ring;
    uint32_t shares = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    ring_assign(&ring, ring_product(64, 64, 2048, 'a'));
    expect_accept(&ring);
    answer_free(ring_answer(&ring, ANSWER_DECLINE, &shares));
    ring_assign(&ring, ring_product(64, 64, 2048, 'a'));
    expect_accept(&ring);
    answer_free(ring_answer(&ring, ANSWER_DONE, &shares));
    const struct ledger_device device = wait_for(&ring, is_back);
    assert_string_equal(device.state, "");
    wait_for_state(ring.worker, WORKER_READY);
    ring_close(&ring);
}

/* The test stands between worker and prover and changes one bit of an opened chunk. */
static void test_a_device_that_computes_wrongly_is_taken_out(void **state)
{
    const struct ring_options options = {.rest_ms = 1, .without_prover = true};
    struct prover_ports ports;
    struct ring ring;
    struct queue *changed;
    void *taken;
    uint32_t shares = 0;
    bool found = false;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false);
    assert_int_equal(queue_new(1024, outgoing_free, &changed), STATUS_OK);
    ports = (struct prover_ports){.findings = changed,
                                  .outbox = ring.outbox,
                                  .answers = ring.outbox,
                                  .ledger = ring.ledger};
    assert_int_equal(prover_start(&scheme_noisy_gemm, &ports, &ring.prover), STATUS_OK);
    ring_assign(&ring, ring_product(512, 512, 2048, 'a'));
    for (bool is_done = false; !is_done;) {
        assert_int_equal(queue_take(ring.findings, WAIT_MS, &taken), STATUS_OK);
        struct outgoing *out = taken;
        is_done = out->kind == OUTGOING_ANSWER && out->as.answer->kind == ANSWER_DONE;
        if (out->kind == OUTGOING_FINDING && !found) {
            out->as.finding->proof.a.chunks[5] ^= 1;
            found = true;
        }
        assert_int_equal(queue_put(changed, out, WAIT_MS), STATUS_OK);
    }
    assert_true(found);
    expect_accept(&ring);
    struct answer *answer = ring_answer(&ring, ANSWER_DECLINE, &shares);
    assert_non_null(strstr(answer->reason, "did not verify"));
    answer_free(answer);
    const struct ledger_device device = wait_for(&ring, is_back);
    assert_int_equal(device.shares.invalid, 1);
    queue_close(changed);
    prover_join(ring.prover);
    ring.prover = NULL;
    queue_free(changed);
    ring_close(&ring);
}

static void test_a_device_without_room_declines(void **state)
{
    const struct ring_options options = {.bytes_max = 3 << 20};
    struct ring ring;
    uint32_t shares = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    ring_assign(&ring, ring_product(1024, 1024, 2048, 'a'));
    expect_accept(&ring);
    struct answer *answer = ring_answer(&ring, ANSWER_DECLINE, &shares);
    if (!strstr(answer->reason, "the device has no room for another ") ||
        !strstr(answer->reason, " MB: the task holds "))
        fail_msg("%s", answer->reason);
    answer_free(answer);
    ring_assign(&ring, ring_product(64, 64, 2048, 'b')); /* this one fits */
    expect_accept(&ring);
    answer_free(ring_answer(&ring, ANSWER_DONE, &shares));
    ring_close(&ring);
}

static void test_rests_grow_and_end(void **state)
{
    static const uint64_t rests[SETBACK_TRIES] = {10, 20, 40, 80, 160, 320, 640, 640};
    struct setback setback = {.first_ms = 10}, none = {0};

    (void)state;
    for (int i = 0; i < SETBACK_TRIES; i++)
        assert_int_equal(setback_rest_ms(&setback, 5), rests[i]);
    assert_int_equal(setback_rest_ms(&setback, 5), 0);
    assert_int_equal(setback_rest_ms(&setback, SETBACK_HEALTHY_MS), 10);
    assert_int_equal(setback_rest_ms(&setback, SETBACK_HEALTHY_MS - 1), 20);
    assert_int_equal(setback_rest_ms(&none, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_others_go_on),
        cmocka_unit_test(test_a_lost_device_comes_back),
        cmocka_unit_test(test_a_device_that_computes_wrongly_is_taken_out),
        cmocka_unit_test(test_a_device_without_room_declines),
        cmocka_unit_test(test_rests_grow_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
