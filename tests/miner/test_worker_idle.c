/*
 * test_worker_idle.c - claimed: between assignments a worker mines the shape that a job
 * dictates as it is, changes it in mid-session with the next job, leaves a shape alone
 * that does not fit its memory or limits and goes on with the next job, and mines its own
 * shape when none is dictated.
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
#include "miner/work/plain_proof.h"
#include "tests/ring.h"

enum { RANK = 128, WAIT_FOR_MS = 60000 };

/* 2^-25 of all tickets, before the factor of a tile. */
#define TARGET "0000007fffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static uint8_t put_job(struct ring *ring, uint8_t number, const struct job_shape *shape)
{
    struct job job = {.cert_version = 3, .min_rank = RANK, .unassigned = true};

    if (shape)
        job.shape = *shape;
    job.header[0] = number;
    snprintf(job.id, sizeof job.id, "%u", number);
    assert_int_equal(target_from_hex(TARGET, &job.target, NULL), STATUS_OK);
    mailbox_put(ring->jobs, job_new(&job));
    return number;
}

/* The first share under the job of that number; those before it are of older jobs. */
static void take_share(struct ring *ring, uint8_t number, struct proof *proof)
{
    const uint64_t until = clock_ms() + WAIT_FOR_MS;
    struct pow_check check = {.cert_version = 3, .min_rank = RANK};
    char id[8];
    bool is_found = false;

    snprintf(id, sizeof id, "%u", number);
    check.header[0] = number;
    assert_int_equal(target_from_hex(TARGET, &check.target, NULL), STATUS_OK);
    while (!is_found) {
        struct outgoing *out = ring_next(ring);
        struct error err = {0};
        uint8_t ticket[DIGEST_SIZE];
        assert_int_equal(out->kind, OUTGOING_SHARE);
        const struct share *share = out->as.share;
        is_found = strcmp(share->job->id, id) == 0;
        if (is_found &&
            (plain_proof_decode(blob_bytes(&share->plain_proof), proof, &err) ||
             scheme_noisy_gemm.verify(proof, &check, ticket, &err)))
            fail_msg("%s", error_text(&err));
        outgoing_free(out);
        assert_true(clock_ms() < until);
    }
}

static struct pattern apart(uint32_t stride)
{
    const uint32_t offsets[] = {0, stride};
    struct pattern pattern;

    assert_true(pattern_from_offsets(offsets, 2, &pattern));
    return pattern;
}

static void expect_mined(struct ring *ring, uint8_t number, const struct job_shape *shape)
{
    struct proof proof;

    take_share(ring, put_job(ring, number, shape), &proof);
    assert_int_equal(proof.m, shape->m);
    assert_int_equal(proof.n, shape->n);
    assert_int_equal(proof.k, shape->k);
    assert_int_equal(proof.rank, shape->rank);
    assert_int_equal(proof.a.row_count, shape->rows.count);
    assert_int_equal(proof.b.row_count, shape->columns.count);
    for (uint32_t i = 0; i < shape->rows.count; i++)
        assert_int_equal(proof.a.rows[i], proof.a.rows[0] + shape->rows.offsets[i]);
    for (uint32_t i = 0; i < shape->columns.count; i++)
        assert_int_equal(proof.b.rows[i], proof.b.rows[0] + shape->columns.offsets[i]);
    proof_free(&proof);
}

static void dictated_shapes_come_and_go(void **state)
{
    const struct job_shape first = {
        true, 256, 384, 2048, RANK, apart(32), pattern_range(64)};
    const struct job_shape second = {
        true, 512, 256, 4096, RANK, apart(8), pattern_range(32)};
    /* 3/4 of no machine's memory. */
    const struct job_shape huge = {true, 1 << 24,   1 << 24,          65536,
                                   RANK, apart(32), pattern_range(64)};
    const struct job_shape *const shapes[] = {&first, &second, &huge, &first, &huge};
    const struct ring_options options = {.mines_idle = true};
    struct ring ring;
    struct proof proof;
    uint8_t number = 0;

    (void)state;
    ring_open(&ring, &options);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i] == &huge)
            put_job(&ring, ++number, shapes[i]);
        else
            expect_mined(&ring, ++number, shapes[i]);
    }
    /* None dictated: of its own, and small enough for every pool. */
    take_share(&ring, put_job(&ring, ++number, NULL), &proof);
    assert_int_equal(proof.rank, RANK);
    assert_in_range(proof.m, 32, 16384);
    assert_in_range(proof.n, 128, 16384);
    proof_free(&proof);
    assert_int_equal(worker_state(ring.worker), WORKER_READY);
    expect_mined(&ring, ++number, &second);
    ring_close(&ring);
}

/* The sentence that the worker logs, once. */
static void what_does_not_fit_is_told_with_both_figures(void **state)
{
    const struct device_options options = {.threads = 1};
    const struct workshop_ports ports = {.jobs = NULL}; /* no product is begun */
    const struct job job = {
        .cert_version = 3,
        .min_rank = RANK,
        .unassigned = true,
        .shape = {true, 8192, 4096, 4096, RANK, apart(32), pattern_range(64)}};
    struct device *device;
    struct workshop shop;
    struct error err = {0};

    (void)state;
    assert_int_equal(device_open(&backend_cpu, 0, &options, &device, NULL), STATUS_OK);
    ((struct device_head *)(void *)device)->info.memory_bytes = (uint64_t)128 << 20;
    workshop_begin(&shop, device, 0, &ports);
    assert_int_equal(workshop_idle(&shop, &job, &err), STATUS_NO_MEMORY);
    assert_string_equal(err.text, "mining 8192 x 4096 x 4096 needs 195 MiB, the device "
                                  "has 96 to spare for it");
    workshop_end(&shop);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dictated_shapes_come_and_go),
        cmocka_unit_test(what_does_not_fit_is_told_with_both_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
