/*
 * test_idle.c - claims: idle mining's matrices are those of its seed, no two attempts
 * share a root or a ticket although all but a chunk of the left matrix stays, every proof
 * verifies, the shapes and patterns that a pool dictates are mined as they are, and a
 * replaced job ends the product under it, but keeps what was found.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "miner/tasks/generated.h"
#include "miner/tasks/idle.h"
#include "tests/easy_mine.h"
#include "tests/job_storm.h"

enum { M = 256, N = 256, K = 2048, RANK = 128, FOUND_MAX = 4096, HITS_MAX = 512 };

/* T = 2^231: a tile of 2^19 multiply-accumulates (256 elements) wins one time in 64. */
#define TARGET "08000000000000000000000000000000000000000000000000000000000"

struct bench {
    struct device *device;
    struct easy_mine mine;
    struct idle *idle;
    uint8_t (*tickets)[32]; /* of all shares so far */
    uint32_t count;
};

static void bench_open(struct bench *bench)
{
    const struct device_options options = {.threads = 2};
    const struct pow_limits limits = {M, N, K, HITS_MAX};

    *bench = (struct bench){.count = 0};
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &bench->device, NULL),
                     STATUS_OK);
    easy_mine_open(&bench->mine, bench->device, &limits, RANK, TARGET);
    assert_int_equal(
        idle_new(bench->device, (struct model_shape){M, N, K}, true, &bench->idle, NULL),
        STATUS_OK);
    bench->tickets = memory_array(FOUND_MAX, 32);
    assert_non_null(bench->tickets);
}

static void bench_close(struct bench *bench)
{
    idle_free(bench->idle);
    easy_mine_close(&bench->mine);
    device_close(bench->device);
    memory_free(bench->tickets);
}

/* Another job: with this last byte of the header, and a shape or none. */
static void bench_job(struct bench *bench, uint8_t last, const struct job_shape *shape)
{
    struct job job = {.cert_version = bench->mine.check.cert_version,
                      .min_rank = bench->mine.check.min_rank,
                      .target = bench->mine.check.target,
                      .unassigned = true};

    bench->mine.check.header[JOB_HEADER_SIZE - 1] = last;
    memcpy(job.header, bench->mine.check.header, JOB_HEADER_SIZE);
    if (shape)
        job.shape = *shape;
    mailbox_put(bench->mine.jobs, job_new(&job));
}

/* One attempt; its tickets are new ones, all under one root, which goes to root.  The
 * last share's proof stays for the caller. */
static uint32_t attempt(struct bench *bench, uint8_t root[32], struct proof *last)
{
    const uint32_t before = bench->count;
    struct share *share;
    struct proof proof;

    assert_int_equal(idle_run(bench->idle, bench->mine.port), STATUS_OK);
    while (easy_mine_take(&bench->mine, &share, &proof)) {
        assert_true(bench->count < FOUND_MAX);
        for (uint32_t i = 0; i < bench->count; i++)
            assert_memory_not_equal(bench->tickets[i], share->ticket, 32);
        memcpy(bench->tickets[bench->count++], share->ticket, 32);
        if (bench->count > before + 1) {
            assert_memory_equal(root, proof.a.root, 32);
            proof_free(last);
        }
        memcpy(root, proof.a.root, 32);
        *last = proof;
        share_free(share);
    }
    return bench->count - before;
}

/* In between something else goes through the port. */
static void run_another(struct bench *bench)
{
    const struct matmul product = {
        .m = 64, .a = idle_operand(bench->idle)->values, .b = idle_operand(bench->idle)};
    struct share *share;
    struct proof proof;

    assert_int_equal(matmul_run(bench->mine.port, &product), STATUS_OK);
    while (easy_mine_take(&bench->mine, &share, &proof)) {
        share_free(share);
        proof_free(&proof);
    }
}

static void no_two_attempts_share_tickets(void **state)
{
    enum { ATTEMPTS = 12 };
    static uint8_t roots[ATTEMPTS][32];
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        struct proof proof;
        if (i % 4 == 3)
            bench_job(&bench, (uint8_t)i, NULL); /* all is hashed under another key */
        if (i == 6)
            run_another(&bench);
        /* 256 tiles, one in 64 wins: none at all has odds of 2 %, nine of ten 10^-16. */
        if (attempt(&bench, roots[i], &proof))
            proof_free(&proof);
        for (uint32_t j = 0; j < i; j++)
            if (roots[j][0] | roots[j][1] | roots[j][2] | roots[j][3])
                assert_memory_not_equal(roots[i], roots[j], 32);
    }
    assert_true(bench.count > ATTEMPTS);
    assert_int_equal(bench.mine.port->proved_macs,
                     (uint64_t)ATTEMPTS * M * N * K + (uint64_t)64 * N * K);
    bench_close(&bench);
}

static struct pattern pattern_of(const uint32_t *offsets, uint32_t count)
{
    struct pattern pattern;

    assert_true(pattern_from_offsets(offsets, count, &pattern));
    return pattern;
}

static void dictated_patterns_are_mined(void **state)
{
    static const uint32_t two[] = {0, 32}, four[] = {0, 8, 64, 72}, far[] = {0, 128};
    const struct job_shape shapes[] = {
        {true, M, N, K, RANK, pattern_of(two, 2), pattern_range(64)},
        {true, M, N, K, RANK, pattern_range(64), pattern_of(two, 2)},
        {true, M, N, K, RANK, pattern_of(four, 4), pattern_range(8)},
        {true, M, N, K, RANK, pattern_of(four, 4), pattern_range(64)},
        {true, M, N, K, RANK, pattern_range(16), pattern_range(16)},
        {true, M, N, K, RANK, pattern_range(2), pattern_range(128)},
        {true, M, N, K, RANK, pattern_range(128), pattern_range(2)},
        {true, M, N, K, RANK, pattern_of(far, 2), pattern_range(32)},
    };
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint8_t root[32];
        uint32_t count = 0;
        bench_job(&bench, (uint8_t)i, &shapes[i]);
        for (int tries = 0; tries < 50 && !count; tries++) {
            struct proof proof;
            count = attempt(&bench, root, &proof);
            if (!count)
                continue;
            assert_int_equal(proof.a.row_count, shapes[i].rows.count);
            assert_int_equal(proof.b.row_count, shapes[i].columns.count);
            for (uint32_t r = 0; r < proof.a.row_count; r++)
                assert_int_equal(proof.a.rows[r] - proof.a.rows[0],
                                 shapes[i].rows.offsets[r]);
            for (uint32_t c = 0; c < proof.b.row_count; c++)
                assert_int_equal(proof.b.rows[c] - proof.b.rows[0],
                                 shapes[i].columns.offsets[c]);
            proof_free(&proof);
        }
        if (!count)
            fail_msg("nothing was found with shape %zu", i);
    }
    bench_close(&bench);
}

/* A product that is not the one a pool fixed must not mine for it. */
static void other_products_do_not_mine_a_dictated_job(void **state)
{
    struct job_shape shape = {true, M, N, K, RANK, pattern_range(16), pattern_range(16)};
    uint64_t *const sides[] = {&shape.m, &shape.n, &shape.k};
    uint8_t root[32];
    struct proof proof;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (int i = 0; i < 3; i++) {
        *sides[i] *= 2;
        bench_job(&bench, (uint8_t)i, &shape);
        *sides[i] /= 2;
        assert_int_equal(attempt(&bench, root, &proof), 0);
        assert_int_equal(bench.mine.port->proved_macs, 0);
    }
    shape.rank = 64; /* below the job's own smallest */
    bench_job(&bench, 9, &shape);
    assert_int_equal(attempt(&bench, root, &proof), 0);
    assert_int_equal(bench.mine.port->proved_macs, 0);
    bench_close(&bench);
}

/* A count that is not the one seen, from the beginning: nothing is searched, unless the
 * product itself is wanted. */
static void a_replaced_job_ends_its_product(void **state)
{
    const struct pattern rows = pattern_range(16), columns = pattern_range(16);
    const uint64_t count = 8;
    struct buffer *hits, *c;
    struct hits found;
    struct bench bench;

    (void)state;
    bench_open(&bench);
    struct weights *b = idle_operand(bench.idle);
    struct mining mining = {.a = {{1}, RANK},
                            .b = {{2}, RANK},
                            .rows = &rows,
                            .columns = &columns,
                            .count = &count};
    memset(mining.bound, 0xff, sizeof mining.bound); /* every tile wins */
    assert_int_equal(weights_reserve_noised(b, 1), STATUS_OK);
    assert_int_equal(device_pack(bench.device, b->noised, b->values, &mining.b),
                     STATUS_OK);
    assert_int_equal(device_buffer_new(bench.device, sizeof found, &hits), STATUS_OK);
    assert_int_equal(device_buffer_new(bench.device, sizeof(int32_t) * M * N, &c),
                     STATUS_OK);
    mining.hits = (struct view){hits, 0};
    for (int wanted = 0; wanted < 2; wanted++)
        for (uint64_t seen = count - 1; seen <= count; seen++) {
            const struct multiply multiply = {.m = M,
                                              .a = b->values,
                                              .b = b->noised,
                                              .c = {wanted ? c : NULL, 0},
                                              .mining = &mining};
            const bool is_left = !wanted && seen != count;
            mining.seen = seen;
            assert_int_equal(device_multiply(bench.device, &multiply),
                             is_left ? STATUS_STALE : STATUS_OK);
            assert_int_equal(device_read(bench.device, hits, 0, &found, sizeof found),
                             STATUS_OK);
            assert_int_equal(found.count, is_left ? 0 : M / 16 * (N / 16));
        }
    device_buffer_free(bench.device, hits);
    device_buffer_free(bench.device, c);
    bench_close(&bench);
}

static void shares_hold_while_jobs_come_and_go(void **state)
{
    struct job_storm storm;
    struct bench bench;
    uint32_t found = 0, ended = 0;
    void *thing;

    (void)state;
    bench_open(&bench);
    job_storm_begin(&storm, bench.mine.jobs,
                    &(struct job){.cert_version = 3,
                                  .min_rank = RANK,
                                  .target = bench.mine.check.target});
    for (int i = 0; i < 30000 && (!found || !ended); i++) {
        const enum status status = idle_run(bench.idle, bench.mine.port);
        assert_true(status == STATUS_OK || status == STATUS_STALE);
        ended += status == STATUS_STALE;
        while (!queue_take(bench.mine.found, 0, &thing)) {
            struct outgoing *out = thing;
            struct share *share;
            struct error err = {0};
            if (scheme_noisy_gemm.prove(out->as.finding, &share, &err))
                fail_msg("%s", error_text(&err));
            share_free(share);
            outgoing_free(out);
            found++;
        }
    }
    job_storm_end(&storm);
    assert_true(ended > 0);
    assert_true(found > 0);
    bench_close(&bench);
}

static void expect_drawn(const struct generated *g, const struct buffer *from,
                         uint64_t at, uint64_t size, uint64_t seed)
{
    uint8_t *expected = memory_array((size_t)size, 1),
            *is = memory_array((size_t)size, 1);

    assert_true(expected && is);
    generated_fill(expected, size, seed);
    assert_int_equal(device_read(g->device, from, (size_t)at, is, (size_t)size),
                     STATUS_OK);
    assert_memory_equal(is, expected, (size_t)size);
    memory_free(expected);
    memory_free(is);
}

/* As generated.h says it. */
static uint64_t seed_said(const struct generated_seed *seed, uint64_t attempt,
                          uint64_t strip, uint8_t side)
{
    uint8_t name[17] = {0}, digest[32];
    uint64_t out = 0;

    for (int i = 0; i < 8; i++) {
        name[i] = (uint8_t)(attempt >> 8 * i);
        name[8 + i] = (uint8_t)(strip >> 8 * i);
    }
    name[16] = side;
    blake3_hash(name, sizeof name, seed->bytes, digest);
    for (int i = 7; i >= 0; i--)
        out = out << 8 | digest[i];
    return out;
}

static void matrices_are_drawn_from_their_seed(void **state)
{
    const struct device_options options = {.threads = 2};
    const struct model_shape shape = {300, 520, 4096}; /* no whole strips */
    const uint64_t strip = GENERATED_STRIP;
    struct generated_seed seed = {{1, 2, 3, 4}};
    struct generated g;
    struct device *device;

    (void)state;
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &device, NULL),
                     STATUS_OK);
    assert_int_equal(generated_new(&g, device, shape, NULL), STATUS_OK);
    assert_int_equal(generated_draw_right(&g, &seed), STATUS_OK);
    assert_int_equal(generated_draw_left(&g, &seed, 5, shape.m * shape.k), STATUS_OK);
    assert_int_equal(generated_draw_left(&g, &seed, 6, 1024), STATUS_OK);
    expect_drawn(&g, g.right, strip, strip, seed_said(&seed, 0, 1, 1));
    expect_drawn(&g, g.right, 2 * strip, 8 * 4096, seed_said(&seed, 0, 2, 1));
    expect_drawn(&g, g.left, strip, 44 * 4096, seed_said(&seed, 5, 1, 0));
    expect_drawn(&g, g.left, 0, 1024, seed_said(&seed, 6, 0, 0));

    /* All 129 values as often as each other: 2 million draws, six standard deviations. */
    uint32_t often[129] = {0};
    const size_t size = (size_t)(shape.n * shape.k);
    int8_t *values = memory_array(size, 1);
    assert_non_null(values);
    assert_int_equal(device_read(device, g.right, 0, values, size), STATUS_OK);
    for (size_t i = 0; i < size; i++) {
        assert_in_range(values[i] + 64, 0, 128);
        often[values[i] + 64]++;
    }
    for (int i = 0; i < 129; i++)
        assert_in_range(often[i], size / 129 - 800, size / 129 + 800);
    memory_free(values);
    generated_free(&g);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_attempts_share_tickets),
        cmocka_unit_test(dictated_patterns_are_mined),
        cmocka_unit_test(other_products_do_not_mine_a_dictated_job),
        cmocka_unit_test(a_replaced_job_ends_its_product),
        cmocka_unit_test(shares_hold_while_jobs_come_and_go),
        cmocka_unit_test(matrices_are_drawn_from_their_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
