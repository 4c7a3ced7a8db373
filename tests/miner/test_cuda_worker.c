/*
 * test_cuda_worker.c - claimed: a card that is lost in mid-task, or has no room, hands
 * its task back with the sentence, the other card goes on, and the lost one comes back;
 * what the last product between assignments found leaves when there is no next one.
 *
 * labels: plain
 * Against the stand-in for the driver; no card is asked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "tests/ring.h"
#include "tests/stand_in/stand_in_find.h"

enum { WAIT_MS = 60000, LAUNCH_FAILED = 719, GIB = 1 << 30, MIB = 1 << 20 };

/* Nothing ever meets it. */
#define HARD "0000000000000000000000000000000000000000000000000000000000000001"

static struct cuda_stand_in *stand_in;

static void expect(struct ring *ring, enum answer_kind kind, const char *part)
{
    uint32_t shares = 0;
    struct answer *answer = ring_answer(ring, kind, &shares);

    if (!strstr(answer->reason, part))
        fail_msg("\"%s\" does not say \"%s\"", answer->reason, part);
    answer_free(answer);
}

static void expect_done(struct ring *ring, char id)
{
    ring_assign(ring, ring_product(64, 64, 2048, id));
    expect(ring, ANSWER_ACCEPT, "");
    expect(ring, ANSWER_DONE, "");
}

static void test_a_lost_card_comes_back(void **state)
{
    const struct ring_options options = {.devices = "cuda", .rest_ms = 1};
    const uint64_t until = clock_ms() + WAIT_MS;
    struct ledger_device device;
    struct ring ring;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    expect_done(&ring, 'a');
    stand_in->fail_code = LAUNCH_FAILED;
    stand_in->fail_at = 5;
    ring_assign(&ring, ring_product(64, 64, 2048, 'b'));
    expect(&ring, ANSWER_ACCEPT, "");
    expect(&ring, ANSWER_DECLINE, "device failed");
    expect_done(&ring, 'c');
    do {
        assert_true(clock_ms() < until);
        ledger_read_device(ring.ledger, 0, clock_ms(), &device);
    } while (device.is_lost || device.restarts != 1);
    assert_string_equal(device.state, "");
    ring_close(&ring);
}

/* Whichever card takes it; until it is answered or declined. */
static void carry_one(struct ring *ring)
{
    bool is_over = false;

    ring_assign(ring, ring_product(64, 64, 2048, 'd'));
    while (!is_over) {
        struct outgoing *out = ring_next(ring);
        is_over =
            out->kind == OUTGOING_ANSWER && (out->as.answer->kind == ANSWER_DONE ||
                                             out->as.answer->kind == ANSWER_DECLINE);
        outgoing_free(out);
    }
}

static void test_the_other_card_goes_on(void **state)
{
    const struct ring_options options = {
        .devices = "1a:00.0,1b:00.0", .helpers = 1, .fail_at = 1, .rest_ms = 3600000};
    const uint64_t until = clock_ms() + WAIT_MS;
    struct ledger_device device;
    struct ring ring;

    (void)state;
    stand_in->devices = 2;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    do {
        assert_true(clock_ms() < until);
        carry_one(&ring);
        ledger_read_device(ring.ledger, 0, clock_ms(), &device);
    } while (!device.is_lost);
    assert_non_null(strstr(device.state, "device 0 (cuda)"));
    assert_non_null(strstr(device.state, "tried again in 3600 s"));
    expect_done(&ring, 'e'); /* the first one rests */
    assert_int_equal(worker_state(ring.worker), WORKER_RESTING);
    assert_int_equal(worker_state(ring.helpers[0]), WORKER_READY);
    ring_close(&ring);
    stand_in->devices = 1;
}

static void test_a_small_card_declines_with_the_figures(void **state)
{
    const struct ring_options options = {.devices = "cuda"};
    struct ring ring;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    expect_done(&ring, 'f');
    stand_in->memory = stand_in->memory_held + MIB;
    ring_assign(&ring, ring_product(1024, 1024, 2048, 'g'));
    expect(&ring, ANSWER_ACCEPT, "");
    expect(&ring, ANSWER_DECLINE, "the device has no room for another ");
    stand_in->memory = GIB;
    expect_done(&ring, 'h');
    ring_close(&ring);
    assert_int_equal(stand_in->memory_held, 0);
}

enum { SIDE = 64, DEPTH = 2048, TILES = SIDE / 8 * (SIDE / 16) };

/* Of generated products: how many findings, and for how many products there are hashes.
 */
struct tally {
    uint32_t found, products;
};

/* The next thing that the worker says; a finding of no task is counted. */
static void tally_next(struct tally *tally, struct ring *ring, enum answer_kind *answer)
{
    void *thing = NULL;

    assert_int_equal(queue_take(ring->findings, WAIT_MS, &thing), STATUS_OK);
    struct outgoing *out = thing;
    if (out->kind == OUTGOING_FINDING)
        tally->found += !out->as.finding->task_id[0];
    else
        *answer = out->as.answer->kind;
    outgoing_free(out);
}

static void tally_wait(struct tally *tally, struct ring *ring, uint32_t found,
                       enum answer_kind *answer)
{
    while (tally->found < found)
        tally_next(tally, ring, answer);
}

static void tally_hashes(struct tally *tally, const struct ring *ring)
{
    struct ledger_device device;

    ledger_read_device(ring->ledger, 0, clock_ms(), &device);
    tally->products = (uint32_t)((device.hashes - device.hashes_assigned) /
                                 ((double)SIDE * SIDE * DEPTH));
}

/* Every tile of a product under this job wins. */
static void put_easy_job(struct ring *ring)
{
    struct job job = {.cert_version = 3, .min_rank = RING_MIN_RANK, .unassigned = true};

    job.shape = (struct job_shape){
        true, SIDE, SIDE, DEPTH, RING_MIN_RANK, pattern_range(8), pattern_range(16)};
    /* 2^238 - 1, times the tile's work of 2^18. */
    memset(job.target.le, 0xff, 29);
    job.target.le[29] = 0x3f;
    mailbox_put(ring->jobs, job_new(&job));
}

static void test_the_last_products_findings_leave(void **state)
{
    const struct ring_options options = {
        .devices = "cuda", .mines_idle = true, .without_prover = true};
    struct tally tally = {0};
    enum answer_kind answer = ANSWER_PROGRESS;
    struct ring ring;

    (void)state;
    stand_in->lag = LAG_LATE;
    ring_open(&ring, &options);
    put_easy_job(&ring);
    tally_wait(&tally, &ring, 4 * TILES, &answer);
    atomic_store(&ring.is_paused, true);
    for (tally_hashes(&tally, &ring); tally.found < tally.products * TILES;
         tally_hashes(&tally, &ring))
        tally_wait(&tally, &ring, tally.found + 1, &answer);
    atomic_store(&ring.is_paused, false);
    tally_wait(&tally, &ring, tally.found + 2 * TILES, &answer);
    /* An assignment, of another shape, begins when the last product before it has ended.
     */
    ring_assign(&ring, ring_product(2 * SIDE, SIDE, DEPTH, 'a'));
    while (answer != ANSWER_DONE)
        tally_next(&tally, &ring, &answer);
    tally_wait(&tally, &ring, tally.found + 2 * TILES, &answer);
    stop_ask(&ring.stop, 0);
    assert_int_equal(ring_end(&ring, &(const char *){NULL}), STATUS_OK);
    while (queue_count(ring.findings))
        tally_next(&tally, &ring, &answer);
    tally_hashes(&tally, &ring);
    assert_int_equal(tally.found, tally.products * TILES);
    ring_close(&ring);
    stand_in->lag = LAG_NONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_card_comes_back),
        cmocka_unit_test(test_the_other_card_goes_on),
        cmocka_unit_test(test_a_small_card_declines_with_the_figures),
        cmocka_unit_test(test_the_last_products_findings_leave),
    };

    setenv("MINERVA_CUDA", "plain", 1); /* the quickest to imitate */
    stand_in = stand_in_find();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
