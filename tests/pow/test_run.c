/*
 * test_run.c - claims: a run on the CPU device finds the best tile of every worked case
 * and hands back the exact product; its findings prove; it changes jobs between sites
 * only, computes plainly what cannot carry a proof, and is right again after a device's
 * fault; a left operand that is made on the way is made once, and changes nothing else.
 *
 * labels: avx2 portable
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "tests/pow_bench.h"

/* A case dictated to the run: one finding, the best tile, and its proof byte for byte. */
static void run_case(struct pow_bench *bench, const struct pow_case *c)
{
    const struct noisy_gemm_choice choice = {c->rank, {c->rows, c->columns}};
    uint8_t digest[32];
    struct share *share;
    struct error err = {0};

    noisy_gemm_dictate(bench->run, &choice);
    pow_bench_job(bench, c, pow_case_target(c), 0);
    scheme_noisy_gemm.assign(bench->run, "0123456789abcdef0123456789abcdef");
    pow_bench_expect_product(bench, (struct matmul_site){1, 2, 3, 4});
    blake3_hash(bench->product, (size_t)c->m * c->n * 4, NULL, digest);
    assert_memory_equal(digest, c->product_hash, 32);

    struct outgoing *outgoing = pow_bench_take(bench);
    assert_non_null(outgoing);
    assert_null(pow_bench_take(bench));
    const struct finding *finding = outgoing->as.finding;
    assert_memory_equal(finding->ticket, c->best_ticket, 32);
    assert_string_equal(finding->task_id, "0123456789abcdef0123456789abcdef");
    assert_int_equal(finding->device, 3);
    assert_memory_equal(&finding->site, (&(struct site){1, 2, 3, 4}),
                        sizeof(struct site));
    if (scheme_noisy_gemm.prove(finding, &share, &err))
        fail_msg("%s: %s", c->name, error_text(&err));
    assert_int_equal(share->plain_proof.size, c->proof.size);
    assert_memory_equal(share->plain_proof.data, c->proof.data, c->proof.size);
    share_free(share);
    outgoing_free(outgoing);
}

static void worked_cases_through_the_port(void **state)
{
    static const char *const variants[] = {
        NULL,
#define CPU_MATMUL(row) #row,
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
    };
    enum { VARIANTS = sizeof variants / sizeof variants[0] };

    (void)state;
    for (unsigned i = 0; i < VARIANTS * POW_CASES; i++) {
        const char *const variant = variants[i % VARIANTS];
        struct pow_case c;
        struct pow_bench bench;
        pow_case_open(i / VARIANTS, &c);
        if (pow_bench_open_variant(&bench, &c, POW_BENCH_QUEUE, variant)) {
            run_case(&bench, &c);
            pow_bench_close(&bench);
        } else {
            print_message("%s: %s is not on this processor\n", c.name, variant);
        }
        pow_case_close(&c);
    }
}

static void findings_of_the_devices_own_tile_prove(void **state)
{
    struct pow_case c;
    struct pow_bench bench;

    (void)state;
    pow_case_open(2, &c); /* 128 x 128 x 2048 */
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    const uint64_t macs = (uint64_t)c.m * c.n * c.k;
    uint32_t proved = 0;
    for (uint32_t version = 1; version <= 3; version++) {
        c.cert_version = version;
        pow_bench_job(&bench, &c, pow_bench_one_in(8, c.k), (uint8_t)version);
        for (uint32_t product = 0; product < 3; product++) {
            char id[8];
            snprintf(id, sizeof id, "job %u", version);
            c.a[product]++; /* another left operand: other tickets */
            assert_int_equal(device_write(bench.device, bench.a, 0, c.a, 16), STATUS_OK);
            pow_bench_multiply_naively(&bench, c.a, c.b);
            pow_bench_expect_product(&bench,
                                     (struct matmul_site){version, 0, product, 0});
            proved += pow_bench_prove_all(&bench, id);
        }
    }
    assert_in_range(proved, 40, 400); /* 9 products x 128 tiles / 8 on average: 144 */
    assert_int_equal(bench.port->macs, 9 * macs);
    assert_int_equal(bench.port->proved_macs, 9 * macs);
    assert_true(bench.port->hashes == 9.0 * (double)macs); /* rank divides k, below 128 */
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void findings_come_sorted_and_repeat(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    uint64_t last[2] = {0, 0}, keys[2][POW_BENCH_HITS];
    uint32_t counts[2] = {0, 0};

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 0);
    for (uint32_t pass = 0; pass < 2; pass++) {
        pow_bench_expect_product(&bench, (struct matmul_site){0});
        for (struct outgoing *o; (o = pow_bench_take(&bench)); outgoing_free(o)) {
            const struct proof *proof = &o->as.finding->proof;
            const uint64_t key = proof->a.rows[0] << 32 | proof->b.rows[0];
            assert_true(!counts[pass] || key > last[pass]);
            assert_true(counts[pass] < POW_BENCH_HITS);
            keys[pass][counts[pass]++] = last[pass] = key;
        }
    }
    assert_true(counts[0] > 1);
    assert_int_equal(counts[0], counts[1]);
    assert_memory_equal(keys[0], keys[1], counts[0] * sizeof **keys);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void one_job_for_all_parts_of_a_site(void **state)
{
    struct pow_case c;
    struct pow_bench bench;

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 1);
    pow_bench_expect_product(&bench, (struct matmul_site){0, 0, 5, 0});
    assert_true(pow_bench_prove_all(&bench, "job 1") > 0);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 2);
    pow_bench_expect_product(&bench, (struct matmul_site){0, 0, 5, 1});
    pow_bench_expect_product(&bench, (struct matmul_site){0, 0, 5, 2});
    assert_true(pow_bench_prove_all(&bench, "job 1") > 0);
    pow_bench_expect_product(&bench, (struct matmul_site){0, 0, 6, 0});
    assert_true(pow_bench_prove_all(&bench, "job 2") > 0);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 3);
    pow_bench_expect_product(&bench,
                             (struct matmul_site){0, 0, 6, 0}); /* the product again */
    assert_true(pow_bench_prove_all(&bench, "job 3") > 0);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 4);
    scheme_noisy_gemm.assign(bench.run, ""); /* another task's product of that name */
    pow_bench_expect_product(&bench, (struct matmul_site){0, 0, 6, 1});
    assert_true(pow_bench_prove_all(&bench, "job 4") > 0);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

/* Runs one product; it must come out right and unproved. */
static void expect_plain(struct pow_bench *bench)
{
    const uint64_t proved = bench->port->proved_macs, macs = bench->port->macs;

    pow_bench_expect_product(bench, (struct matmul_site){0});
    assert_int_equal(bench->port->proved_macs, proved);
    assert_int_equal(bench->port->macs, macs + (uint64_t)bench->m * bench->n * bench->k);
    assert_null(pow_bench_take(bench));
}

static void what_cannot_carry_a_proof_is_plain(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    struct job job;
    struct target all;

    (void)state;
    pow_case_open(5, &c); /* k 1280: no rank of 128 */
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    expect_plain(&bench); /* no job */

    job = (struct job){
        .cert_version = 3, .min_rank = 128, .target = pow_bench_one_in(4, c.k)};
    mailbox_put(bench.jobs, job_new(&job));
    expect_plain(&bench);
    job.min_rank = 64;
    job.cert_version = 4;
    mailbox_put(bench.jobs, job_new(&job));
    expect_plain(&bench);
    job.cert_version = 0;
    mailbox_put(bench.jobs, job_new(&job));
    expect_plain(&bench);
    job.cert_version = 3;
    memset(all.le, 0xff, sizeof all.le);
    job.target = all; /* no bound of it fits 256 bits */
    mailbox_put(bench.jobs, job_new(&job));
    expect_plain(&bench);
    job.target = pow_case_generous_target(pow_work_factor(1, 31, c.k, 64));
    mailbox_put(bench.jobs, job_new(&job));
    expect_plain(&bench);

    job.target = pow_bench_one_in(4, c.k);
    mailbox_put(bench.jobs, job_new(&job));
    const struct noisy_gemm_choice wide = {64, {pattern_range(2), pattern_range(128)}};
    noisy_gemm_dictate(bench.run, &wide); /* n is 96 */
    expect_plain(&bench);
    noisy_gemm_dictate(bench.run, NULL);
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    assert_true(bench.port->proved_macs > 0);
    mailbox_put(bench.jobs, NULL); /* the pool went away */
    assert_true(pow_bench_prove_all(&bench, "") > 0);
    expect_plain(&bench);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void an_easy_target_gets_a_smaller_tile(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    uint32_t count = 0;

    (void)state;
    pow_case_open(5, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    /* 32 elements a tile still fit 256 bits, 34 no more. */
    pow_bench_job(&bench, &c, pow_case_generous_target(pow_work_factor(1, 32, c.k, 32)),
                  0);
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    for (struct outgoing *o; (o = pow_bench_take(&bench)); outgoing_free(o)) {
        const struct proof *proof = &o->as.finding->proof;
        assert_int_equal(proof->a.row_count * proof->b.row_count, 32);
        count++;
    }
    assert_int_equal(count, POW_BENCH_HITS); /* almost all of the 240 tiles win */
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void weights_keep_what_a_job_derived(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    uint64_t before, first, again, other;

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    assert_int_equal(scheme_noisy_gemm.prepare(bench.run, bench.weights, NULL),
                     STATUS_OK);
    assert_non_null(bench.weights->noised);
    pow_bench_job(&bench, &c, pow_bench_one_in(100, c.k), 1);
    before = device_counters(bench.device)->launches;
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    first = device_counters(bench.device)->launches - before;
    before += first;
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    again = device_counters(bench.device)->launches - before;
    before += again;
    assert_true(again < first);
    pow_bench_job(&bench, &c, pow_bench_one_in(200, c.k),
                  1); /* another target, the same header */
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    assert_int_equal(device_counters(bench.device)->launches - before, again);
    before += again;
    pow_bench_job(&bench, &c, pow_bench_one_in(100, c.k), 2);
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    other = device_counters(bench.device)->launches - before;
    assert_int_equal(other, first);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void a_full_queue_drops_and_goes_on(void **state)
{
    struct pow_case c;
    struct pow_bench bench;

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, 1);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 0);
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    assert_int_equal(pow_bench_prove_all(&bench, "job 0"), 1);
    queue_close(bench.findings);
    pow_bench_expect_product(&bench, (struct matmul_site){0});
    assert_null(pow_bench_take(&bench));
    pow_bench_close(&bench);
    pow_case_close(&c);
}

/* The n-th call into the device fails, for every n of a product under a new job. */
static void right_again_after_a_fault(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    uint64_t faults = 0;
    enum status status = STATUS_DEVICE_LOST;

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    while (status) {
        pow_bench_job(&bench, &c, pow_bench_one_in(16, c.k), (uint8_t)(1 + faults % 200));
        device_fail_at(bench.device, ++faults);
        status = pow_bench_multiply(&bench, (struct matmul_site){0});
        assert_true(status == STATUS_OK || status == STATUS_DEVICE_LOST);
        device_fail_at(bench.device, 0);
        pow_bench_expect_product(&bench, (struct matmul_site){0});
        for (struct outgoing *o; (o = pow_bench_take(&bench)); outgoing_free(o)) {
            struct share *share;
            assert_int_equal(scheme_noisy_gemm.prove(o->as.finding, &share, NULL),
                             STATUS_OK);
            share_free(share);
        }
    }
    assert_true(faults > 8);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void a_left_operand_is_made_once(void **state)
{
    const uint8_t junk[4096] = {1, 2, 3};
    struct pow_case c;
    struct pow_bench bench;

    (void)state;
    pow_case_open(2, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    pow_bench_make(&bench, &c);
    for (uint8_t is_mined = 0; is_mined < 2; is_mined++) {
        if (is_mined) {
            pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 1);
            (void)pow_bench_round(&bench); /* commits the weights */
        }
        const struct pow_bench_round there = pow_bench_round(&bench);
        assert_int_equal(
            device_write(bench.device, bench.a, sizeof junk, junk, sizeof junk),
            STATUS_OK);
        bench.made_by = &bench.maker;
        const struct pow_bench_round made = pow_bench_round(&bench);
        bench.made_by = NULL;
        assert_int_equal(made.launches, there.launches + 1);
        assert_int_equal(made.count, there.count);
        assert_memory_equal(made.tickets, there.tickets, sizeof made.tickets);
        assert_int_equal(made.count > 1, is_mined);
        assert_int_equal(bench.port->proved_macs > 0, is_mined);
    }
    pow_bench_close(&bench);
    pow_case_close(&c);
}

static void no_memory_is_a_sentence(void **state)
{
    struct pow_case c;
    struct pow_bench bench;
    enum status status = STATUS_NO_MEMORY;
    uint64_t n = 0;

    (void)state;
    pow_case_open(6, &c);
    pow_bench_open(&bench, &c, POW_BENCH_QUEUE);
    const struct pow_limits limits = {
        .m = c.m, .n = c.n, .k = c.k, .hits = POW_BENCH_HITS};
    const struct pow_outlet outlet = {bench.findings, 0};
    while (status) {
        struct pow_run *run;
        struct error err = {0};
        memory_fail_at(++n);
        status = scheme_noisy_gemm.begin(bench.jobs, &bench.plain, &limits, &outlet, &run,
                                         &err);
        memory_fail_at(0);
        if (status) {
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_non_null(strstr(err.text, "mining products of up to 64 x 64 x 2048"));
            assert_null(run);
        } else {
            scheme_noisy_gemm.end(run);
        }
    }
    assert_true(n > 3);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_cases_through_the_port),
        cmocka_unit_test(findings_of_the_devices_own_tile_prove),
        cmocka_unit_test(findings_come_sorted_and_repeat),
        cmocka_unit_test(one_job_for_all_parts_of_a_site),
        cmocka_unit_test(what_cannot_carry_a_proof_is_plain),
        cmocka_unit_test(an_easy_target_gets_a_smaller_tile),
        cmocka_unit_test(weights_keep_what_a_job_derived),
        cmocka_unit_test(a_full_queue_drops_and_goes_on),
        cmocka_unit_test(right_again_after_a_fault),
        cmocka_unit_test(a_left_operand_is_made_once),
        cmocka_unit_test(no_memory_is_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
