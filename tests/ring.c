/*
 * ring.c - builds the ring of worker and prover around a test.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/work/plain_proof.h"

enum { WAIT_MS = 60000, QUEUE_MAX = 1024 };

static struct device_entry entry_of(const char *words, uint32_t number)
{
    struct device_list list;
    struct error err = {0};

    if (device_list_probe(&list, &err) || device_list_select(&list, words, &err))
        fail_msg("%s", error_text(&err));
    return list.entries[number % list.count];
}

struct device_entry ring_device(void)
{
    return entry_of("cpu", 0);
}

static void make_objects(struct ring *ring, const struct ring_options *options)
{
    const struct model_shelf_options shelf = {.folders = {options->models},
                                              .folder_count = options->models != NULL,
                                              .cache = ""};
    struct error err = {0};

    assert_int_equal(ledger_new(1 + options->helpers, clock_ms(), &ring->ledger),
                     STATUS_OK);
    assert_int_equal(mailbox_new(job_hold, job_drop, &ring->jobs), STATUS_OK);
    assert_int_equal(queue_new(QUEUE_MAX, assignment_free, &ring->assignments),
                     STATUS_OK);
    assert_int_equal(queue_new(QUEUE_MAX, outgoing_free, &ring->findings), STATUS_OK);
    assert_int_equal(queue_new(QUEUE_MAX, outgoing_free, &ring->outbox), STATUS_OK);
    if (model_shelf_open(&shelf, &ring->shelf, &err))
        fail_msg("%s", error_text(&err));
}

static struct worker *begin_worker(struct ring *ring, const struct ring_options *options,
                                   uint32_t number)
{
    struct worker_options of_worker = {
        .entry = entry_of(options->devices ? options->devices : "cpu", number),
        .number = number,
        .device = {.threads = 2},
        .mines_idle = options->mines_idle};
    const struct worker_ports ports = {.shop = {.jobs = ring->jobs,
                                                .findings = ring->findings,
                                                .ledger = ring->ledger,
                                                .stop = &ring->stop,
                                                .shelf = ring->shelf},
                                       .assignments = ring->assignments,
                                       .rounds = &ring->rounds,
                                       .busy_ms = &ring->busy_ms,
                                       .is_paused = &ring->is_paused};
    const uint64_t until = clock_ms() + WAIT_MS;
    struct worker *worker;

    if (!number) {
        of_worker.fail_at = options->fail_at;
        of_worker.rest_ms = options->rest_ms;
        of_worker.bytes_max = options->bytes_max;
    }
    assert_int_equal(worker_start(&of_worker, &worker), STATUS_OK);
    while (worker_state(worker) == WORKER_STARTING)
        assert_true(clock_ms() < until);
    if (worker_state(worker) == WORKER_ENDED) {
        const char *sentence;
        (void)worker_outcome(worker, &sentence);
        fail_msg("%s", sentence);
    }
    worker_begin(worker, &ports);
    return worker;
}

void ring_open(struct ring *ring, const struct ring_options *options)
{
    *ring = (struct ring){0};
    make_objects(ring, options);
    if (!options->without_prover) {
        const struct prover_ports ports = {.findings = ring->findings,
                                           .outbox = ring->outbox,
                                           .answers = ring->outbox,
                                           .ledger = ring->ledger};
        assert_int_equal(prover_start(&scheme_noisy_gemm, &ports, &ring->prover),
                         STATUS_OK);
    }
    ring->worker = begin_worker(ring, options, 0);
    assert_true(options->helpers <= RING_HELPERS_MAX);
    for (uint32_t i = 0; i < options->helpers; i++)
        ring->helpers[i] = begin_worker(ring, options, i + 1);
}

void ring_close(struct ring *ring)
{
    stop_ask(&ring->stop, 0);
    queue_close(ring->assignments);
    worker_join(ring->worker);
    for (size_t i = 0; i < RING_HELPERS_MAX; i++)
        worker_join(ring->helpers[i]);
    queue_close(ring->findings);
    queue_close(ring->outbox);
    prover_join(ring->prover);
    model_shelf_close(ring->shelf);
    queue_free(ring->outbox);
    queue_free(ring->findings);
    queue_free(ring->assignments);
    mailbox_free(ring->jobs);
    ledger_free(ring->ledger);
}

void ring_job(struct ring *ring, const char *target, bool unassigned)
{
    struct job job = {
        .cert_version = 3, .min_rank = RING_MIN_RANK, .unassigned = unassigned};

    for (size_t i = 0; i < JOB_HEADER_SIZE; i++)
        job.header[i] = (uint8_t)(i * 7 + 3);
    assert_int_equal(target_from_hex(target, &job.target, NULL), STATUS_OK);
    ring->check = (struct pow_check){
        .cert_version = 3, .min_rank = RING_MIN_RANK, .target = job.target};
    memcpy(ring->check.header, job.header, JOB_HEADER_SIZE);
    mailbox_put(ring->jobs, job_new(&job));
}

void ring_assign(struct ring *ring, struct assignment *work)
{
    assert_non_null(work);
    assert_int_equal(queue_put(ring->assignments, work, WAIT_MS), STATUS_OK);
}

struct outgoing *ring_next(struct ring *ring)
{
    void *out = NULL;

    assert_int_equal(queue_take(ring->outbox, WAIT_MS, &out), STATUS_OK);
    return out;
}

/* A share that left must hold for whoever looks at its bytes alone. */
static void check_share(const struct ring *ring, const struct share *share)
{
    struct proof proof;
    struct error err = {0};
    uint8_t ticket[DIGEST_SIZE];

    if (plain_proof_decode(blob_bytes(&share->plain_proof), &proof, &err) ||
        scheme_noisy_gemm.verify(&proof, &ring->check, ticket, &err))
        fail_msg("%s", error_text(&err));
    assert_memory_equal(ticket, share->ticket, sizeof(ticket));
    proof_free(&proof);
}

struct answer *ring_answer(struct ring *ring, enum answer_kind kind, uint32_t *shares)
{
    for (;;) {
        struct outgoing *out = ring_next(ring);
        struct answer *answer = NULL;
        if (out->kind == OUTGOING_SHARE) {
            check_share(ring, out->as.share);
            ++*shares;
        } else if (out->as.answer->kind != ANSWER_PROGRESS) {
            answer = out->as.answer;
            if (answer->kind != kind)
                fail_msg("answer %d instead of %d: %s", answer->kind, kind,
                         answer->reason);
            out->as.answer = NULL;
        }
        outgoing_free(out);
        if (answer)
            return answer;
    }
}

enum status ring_end(struct ring *ring, const char **sentence)
{
    const uint64_t until = clock_ms() + WAIT_MS;

    while (worker_state(ring->worker) != WORKER_ENDED)
        assert_true(clock_ms() < until);
    return worker_outcome(ring->worker, sentence);
}

struct assignment *ring_work(const char *kind, const char *model, struct blob *input,
                             char id)
{
    struct assignment *work = memory_new(struct assignment);

    assert_non_null(work);
    memset(work->id, id, TASK_ID_SIZE);
    snprintf(work->kind, sizeof(work->kind), "%s", kind);
    snprintf(work->model, sizeof(work->model), "%s", model);
    work->rows = ASSIGNMENT_ROWS_DEFAULT;
    work->lease_s = 600;
    if (input) {
        work->input = blob_empty(input->size);
        assert_int_equal(blob_add(&work->input, input->data, input->size), STATUS_OK);
    }
    return work;
}

struct assignment *ring_product(uint64_t m, uint64_t n, uint64_t k, char id)
{
    struct assignment *work = ring_work("matmul", "", NULL, id);

    work->parameters =
        (struct task_parameters){.has_shape = true, .m = m, .n = n, .k = k, .seed = 9};
    return work;
}
