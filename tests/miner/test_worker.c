/*
 * test_worker.c - claimed: an assignment goes through worker and prover to its answer,
 * its shares hold and leave before it; what cannot be done is handed back with a reason;
 * a device that fails ends its worker with a sentence; what does not verify never leaves,
 * nor does the result it came with.
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
#include "miner/base/memory.h"
#include "miner/models/safetensors.h"
#include "miner/tasks/sequences.h"
#include "tests/bert_case.h"
#include "tests/made_model.h"
#include "tests/ring.h"

enum { ITEMS = 24, LENGTH = 40 };

/* 2^-22 of all tickets, before the factor of a tile: some shares a product. */
#define EASY "000003ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
/* Nothing ever meets it. */
#define HARD "0000000000000000000000000000000000000000000000000000000000000001"

static char folder[256], models[300];
static char made_id[MODEL_ID_SIZE + 1];

static struct blob made_input(uint32_t items)
{
    struct sequences list = {.count = items, .total = (uint64_t)items * LENGTH};
    struct blob out = blob_empty(1 << 24);
    struct error err = {0};

    list.lengths = memory_array(items, sizeof(*list.lengths));
    list.ids = memory_array(list.total, sizeof(*list.ids));
    assert_non_null(list.lengths);
    assert_non_null(list.ids);
    for (uint32_t i = 0; i < items; i++)
        list.lengths[i] = LENGTH;
    for (uint64_t i = 0; i < list.total; i++)
        list.ids[i] = (int32_t)(i * 31 % MADE_VOCABULARY);
    if (sequences_write(&list, &out, &err))
        fail_msg("%s", error_text(&err));
    memory_free(list.lengths);
    memory_free(list.ids);
    return out;
}

static struct assignment *made_work(uint32_t items, char id)
{
    struct blob input = made_input(items);
    struct assignment *work = ring_work("embed", made_id, &input, id);

    blob_free(&input);
    return work;
}

/* The first answer is the acceptance. */
static void expect_accept(struct ring *ring)
{
    uint32_t shares = 0;
    struct answer *answer = ring_answer(ring, ANSWER_ACCEPT, &shares);

    assert_int_equal(shares, 0);
    answer_free(answer);
}

static struct answer *expect_done(struct ring *ring, char id, uint32_t *shares)
{
    struct answer *answer;
    char expected_id[TASK_ID_SIZE + 1] = {0};

    memset(expected_id, id, TASK_ID_SIZE);
    expect_accept(ring);
    answer = ring_answer(ring, ANSWER_DONE, shares);
    assert_string_equal(answer->task_id, expected_id);
    return answer;
}

static void test_a_task_is_mined_and_answered(void **state)
{
    const struct ring_options options = {.models = models};
    struct ring ring;
    struct ledger_totals totals;
    struct answer *mined, *plain;
    uint32_t shares = 0, none = 0;
    char hash[65];

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false);
    ring_assign(&ring, made_work(ITEMS, 'a'));
    mined = expect_done(&ring, 'a', &shares);
    assert_true(shares > 0);
    assert_true(mined->proved_macs > 0);
    assert_true(mined->proved_macs < mined->macs); /* k = 64 cannot be proved */
    answer_result_hash(made_id, mined->task_id, blob_bytes(&mined->output), hash);
    assert_string_equal(mined->result_hash, hash);
    ledger_read(ring.ledger, clock_ms(), &totals);
    assert_true(totals.usefulness == 1);
    assert_true(totals.all.hashes > 0);
    assert_int_equal(totals.all.shares.invalid, 0);

    /* The station is kept; without a chance to find anything the answer is the same. */
    ring_job(&ring, HARD, false);
    ring_assign(&ring, made_work(ITEMS, 'b'));
    plain = expect_done(&ring, 'b', &none);
    assert_int_equal(none, 0);
    assert_int_equal(plain->output.size, mined->output.size);
    assert_memory_equal(plain->output.data, mined->output.data, plain->output.size);
    answer_free(plain);
    answer_free(mined);
    ring_close(&ring);
}

/* The worked cases of an independent implementation, through the whole ring. */
static void test_tiny_bert_is_exact(void **state)
{
    const char *source = TEST_DATA "/models/tiny-bert";
    struct bert_cases cases =
        bert_cases_read(TEST_DATA "/models/tiny-bert/expected.json", "C2");
    const struct sequences list = {
        .count = cases.count, .lengths = cases.lengths, .ids = cases.ids};
    struct sequences all = list;
    struct ring ring;
    struct blob input = blob_empty(1 << 20);
    struct safetensors out;
    struct error err = {0};
    char tiny[256], artifact[300], id[MODEL_ID_SIZE + 1];
    uint32_t shares = 0;

    (void)state;
    for (uint32_t i = 0; i < cases.count; i++)
        all.total += cases.lengths[i];
    assert_int_equal(sequences_write(&all, &input, &err), STATUS_OK);
    made_folder(tiny, sizeof(tiny));
    snprintf(artifact, sizeof(artifact), "%s/tiny", tiny);
    assert_int_equal(model_import(source, artifact, PRECISION_W7A14, id, &err),
                     STATUS_OK);

    const struct ring_options options = {.models = artifact};
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false);
    ring_assign(&ring, ring_work("embed", id, &input, 'c'));
    struct answer *answer = expect_done(&ring, 'c', &shares);
    assert_int_equal(shares, 0); /* its products are too short for a proof */
    assert_int_equal(answer->proved_macs, 0);
    assert_int_equal(safetensors_parse_canonical(blob_bytes(&answer->output), &out, &err),
                     STATUS_OK);
    const struct tensor *vectors = safetensors_find(&out, "embeddings");
    assert_non_null(vectors);
    assert_int_equal(vectors->data.size, (size_t)4 * cases.count * cases.width);
    assert_memory_equal(vectors->data.data, cases.vectors, vectors->data.size);
    safetensors_free(&out);
    answer_free(answer);
    ring_close(&ring);
    blob_free(&input);
    bert_cases_free(&cases);
    made_folder_remove(tiny);
}

static void expect_declined(struct ring *ring, const char *part)
{
    uint32_t shares = 0;
    struct answer *answer = ring_answer(ring, ANSWER_DECLINE, &shares);

    if (!strstr(answer->reason, part))
        fail_msg("\"%s\" does not say \"%s\"", answer->reason, part);
    answer_free(answer);
}

static void test_what_cannot_be_done_is_declined(void **state)
{
    const struct ring_options options = {.models = models};
    struct ring ring;
    struct ledger_totals totals;
    struct blob nonsense = blob_empty(64), input = made_input(1);
    struct answer *answer;
    uint32_t shares = 0;
    char unknown[MODEL_ID_SIZE + 1] = {0};

    (void)state;
    memset(unknown, 'e', MODEL_ID_SIZE);
    assert_int_equal(blob_add(&nonsense, "nonsense", 8), STATUS_OK);
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false);
    ring_assign(&ring, ring_work("fold", made_id, &input, '1')); /* not even accepted */
    expect_declined(&ring, "\"fold\"");
    ring_assign(&ring, ring_work("embed", unknown, &input, '2'));
    expect_accept(&ring);
    expect_declined(&ring, "eeeeeeeeeeeeeeee");
    ring_assign(&ring, ring_work("embed", made_id, &nonsense, '3'));
    expect_accept(&ring);
    expect_declined(&ring, "");
    ring_assign(&ring, ring_product(1, 2, 65, '4'));
    expect_accept(&ring);
    expect_declined(&ring, "");
    /* And after all that it works. */
    ring_assign(&ring, ring_product(64, 64, 128, '5'));
    answer = expect_done(&ring, '5', &shares);
    answer_free(answer);
    ledger_read(ring.ledger, clock_ms(), &totals);
    assert_int_equal(totals.tasks[LEDGER_TASK_DECLINED], 4);
    ring_close(&ring);
    blob_free(&nonsense);
    blob_free(&input);
}

/* Wherever the device fails, the task comes back and the worker says why it ends. */
static void test_a_lost_device_hands_its_task_back(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 200; n = n * 3 + 1) {
        const struct ring_options options = {.models = models, .fail_at = n};
        struct ring ring;
        struct ledger_totals totals;
        const char *sentence;
        ring_open(&ring, &options);
        ring_job(&ring, HARD, false);
        ring_assign(&ring, made_work(ITEMS, 'd'));
        expect_accept(&ring);
        expect_declined(&ring, "device failed");
        assert_int_equal(ring_end(&ring, &sentence), STATUS_DEVICE_LOST);
        assert_non_null(strstr(sentence, "device failed"));
        ledger_read(ring.ledger, clock_ms(), &totals);
        assert_true(totals.all.is_lost);
        ring_close(&ring);
    }
}

static void test_a_stop_hands_the_task_back(void **state)
{
    const struct ring_options options = {.models = models};
    struct ring ring;
    const char *sentence;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    ring_assign(&ring, made_work(4000, 'f')); /* minutes of work */
    expect_accept(&ring);
    stop_ask(&ring.stop, 0);
    expect_declined(&ring, "stopping");
    assert_int_equal(ring_end(&ring, &sentence), STATUS_OK);
    ring_close(&ring);
}

static void test_a_stop_with_time_lets_the_task_finish(void **state)
{
    const struct ring_options options = {.models = models};
    struct ring ring;
    const char *sentence;
    uint32_t shares = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, HARD, false);
    ring_assign(&ring, made_work(ITEMS, 'f'));
    expect_accept(&ring);
    stop_ask(&ring.stop, clock_ms() + 600000);
    answer_free(ring_answer(&ring, ANSWER_DONE, &shares));
    assert_int_equal(ring_end(&ring, &sentence), STATUS_OK);
    ring_close(&ring);
}

static void test_idle_products_are_counted_apart(void **state)
{
    const struct ring_options options = {.models = models, .mines_idle = true};
    struct ring ring;
    struct ledger_totals totals;
    struct outgoing *out;
    uint32_t shares = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false); /* tasks only: nothing is mined idly */
    ring_assign(&ring, made_work(ITEMS, 'a'));
    answer_free(expect_done(&ring, 'a', &shares));
    ledger_read(ring.ledger, clock_ms(), &totals);
    assert_true(totals.usefulness == 1);

    ring_job(&ring, EASY, true);
    out = ring_next(&ring);
    assert_int_equal(out->kind, OUTGOING_SHARE);
    assert_string_equal(out->as.share->task_id, "");
    outgoing_free(out);
    /* The product is booked when it is over, which may be a moment after its first share.
     */
    const uint64_t until = clock_ms() + 60000;
    do {
        ledger_read(ring.ledger, clock_ms(), &totals);
        assert_true(clock_ms() < until);
    } while (totals.usefulness == 1);
    ring_close(&ring);
}

/* One bit of an opened chunk changed on its way, as a faulty device would. */
static void test_what_does_not_verify_stays_here(void **state)
{
    const struct ring_options options = {.models = models, .without_prover = true};
    struct prover_ports ports;
    struct ring ring;
    struct ledger_device device;
    struct outgoing *out = NULL;
    void *taken;
    uint32_t findings = 0, shares = 0;

    (void)state;
    ring_open(&ring, &options);
    ring_job(&ring, EASY, false);
    ring_assign(&ring, made_work(ITEMS, 'a'));
    struct queue *changed;
    assert_int_equal(queue_new(1024, outgoing_free, &changed), STATUS_OK);
    do {
        assert_int_equal(queue_take(ring.findings, 10000, &taken), STATUS_OK);
        out = taken;
        if (out->kind == OUTGOING_FINDING && findings++ == 0)
            out->as.finding->proof.a.chunks[5] ^= 1;
        assert_int_equal(queue_put(changed, out, 0), STATUS_OK);
    } while (out->kind != OUTGOING_ANSWER || out->as.answer->kind != ANSWER_DONE);
    assert_true(findings > 1);

    ports = (struct prover_ports){.findings = changed,
                                  .outbox = ring.outbox,
                                  .answers = ring.outbox,
                                  .ledger = ring.ledger};
    assert_int_equal(prover_start(&scheme_noisy_gemm, &ports, &ring.prover), STATUS_OK);
    expect_accept(&ring);
    struct answer *answer = ring_answer(&ring, ANSWER_DECLINE, &shares);
    assert_non_null(strstr(answer->reason, "computes wrongly"));
    assert_int_equal(answer->output.size, 0);
    answer_free(answer);
    assert_int_equal(shares, findings - 1);
    ledger_read_device(ring.ledger, 0, clock_ms(), &device);
    assert_int_equal(device.shares.invalid, 1);
    queue_close(changed);
    prover_join(ring.prover);
    ring.prover = NULL;
    queue_free(changed);
    ring_close(&ring);
}

static void test_a_device_that_does_not_open_is_no_worker(void **state)
{
    struct worker_options options = {.entry = ring_device()};
    struct worker *worker;
    const char *sentence;
    const uint64_t until = clock_ms() + 10000;

    (void)state;
    options.entry.index = 77;
    assert_int_equal(worker_start(&options, &worker), STATUS_OK);
    while (worker_state(worker) != WORKER_ENDED)
        assert_true(clock_ms() < until);
    assert_int_equal(worker_outcome(worker, &sentence), STATUS_NO_DEVICE);
    assert_non_null(strstr(sentence, "cannot be opened"));
    worker_join(worker);
}

static int begin(void **state)
{
    const struct made_model model = {.seed = 3, .huge_word = -1};

    (void)state;
    made_folder(folder, sizeof(folder));
    struct artifact *artifact = made_model_open(&model, folder, PRECISION_W7A14);
    snprintf(made_id, sizeof(made_id), "%s", artifact_id(artifact));
    snprintf(models, sizeof(models), "%s/artifact", folder);
    artifact_close(artifact);
    return 0;
}

static int end(void **state)
{
    (void)state;
    made_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_is_mined_and_answered),
        cmocka_unit_test(test_tiny_bert_is_exact),
        cmocka_unit_test(test_what_cannot_be_done_is_declined),
        cmocka_unit_test(test_a_lost_device_hands_its_task_back),
        cmocka_unit_test(test_a_stop_hands_the_task_back),
        cmocka_unit_test(test_a_stop_with_time_lets_the_task_finish),
        cmocka_unit_test(test_idle_products_are_counted_apart),
        cmocka_unit_test(test_what_does_not_verify_stays_here),
        cmocka_unit_test(test_a_device_that_does_not_open_is_no_worker),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
