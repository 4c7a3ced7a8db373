/*
 * pow_bench.c - a CPU device with a proof-of-work run on it, for tests.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/pow_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

static void put(struct pow_bench *bench, size_t size, struct buffer **out,
                const void *data)
{
    assert_int_equal(device_buffer_new(bench->device, size, out), STATUS_OK);
    if (data)
        assert_int_equal(device_write(bench->device, *out, 0, data, size), STATUS_OK);
}

void pow_bench_multiply_naively(struct pow_bench *bench, const int8_t *a, const int8_t *b)
{
    for (size_t i = 0; i < bench->m; i++) {
        for (size_t j = 0; j < bench->n; j++) {
            int32_t sum = 0;
            for (size_t l = 0; l < bench->k; l++)
                sum += a[i * bench->k + l] * b[j * bench->k + l];
            bench->expected[i * bench->n + j] = sum;
        }
    }
}

void pow_bench_open_on(struct pow_bench *bench, const struct pow_case *c,
                       size_t queue_size, struct device *device)
{
    const struct pow_limits limits = {
        .m = c->m, .n = c->n, .k = c->k, .hits = POW_BENCH_HITS};
    struct error err = {0};
    size_t size = (size_t)c->m * c->n;

    *bench = (struct pow_bench){.device = device, .m = c->m, .n = c->n, .k = c->k};
    matmul_port_plain(&bench->plain, bench->device);
    assert_int_equal(mailbox_new(job_hold, job_drop, &bench->jobs), STATUS_OK);
    assert_int_equal(queue_new(queue_size, outgoing_free, &bench->findings), STATUS_OK);
    put(bench, (size_t)c->m * c->k, &bench->a, c->a);
    put(bench, (size_t)c->n * c->k, &bench->b, c->b);
    put(bench, size * sizeof(int32_t), &bench->c, NULL);
    assert_int_equal(weights_new(bench->device, (struct view){bench->b, 0}, c->n, c->k,
                                 &bench->weights),
                     STATUS_OK);
    bench->expected = memory_array(size, sizeof(int32_t));
    bench->product = memory_array(size, sizeof(int32_t));
    assert_true(bench->expected && bench->product);
    pow_bench_multiply_naively(bench, c->a, c->b);
    const struct pow_outlet outlet = {bench->findings, 3};
    if (scheme_noisy_gemm.begin(bench->jobs, &bench->plain, &limits, &outlet, &bench->run,
                                &err))
        fail_msg("%s", error_text(&err));
    bench->port = scheme_noisy_gemm.port(bench->run);
}

bool pow_bench_open_variant(struct pow_bench *bench, const struct pow_case *c,
                            size_t queue_size, const char *variant)
{
    const struct device_options options = {.threads = 2, .variant = variant};
    struct device *device;
    struct error err = {0};
    enum status status = device_open(backend_find("cpu"), 0, &options, &device, &err);

    if (status == STATUS_ABSENT && variant)
        return false;
    if (status)
        fail_msg("%s", error_text(&err));
    pow_bench_open_on(bench, c, queue_size, device);
    return true;
}

void pow_bench_open(struct pow_bench *bench, const struct pow_case *c, size_t queue_size)
{
    assert_true(pow_bench_open_variant(bench, c, queue_size, NULL));
}

void pow_bench_close(struct pow_bench *bench)
{
    scheme_noisy_gemm.end(bench->run);
    weights_free(bench->weights);
    device_buffer_free(bench->device, bench->a);
    device_buffer_free(bench->device, bench->b);
    device_buffer_free(bench->device, bench->c);
    for (size_t i = 0; i < sizeof bench->rooms / sizeof bench->rooms[0]; i++)
        device_buffer_free(bench->device, bench->rooms[i]);
    device_close(bench->device);
    queue_free(bench->findings);
    mailbox_free(bench->jobs);
    memory_free(bench->expected);
    memory_free(bench->product);
}

void pow_bench_job(struct pow_bench *bench, const struct pow_case *c,
                   struct target target, uint8_t last)
{
    struct job job = {.cert_version = c->cert_version, .min_rank = 32, .target = target};

    memcpy(job.header, c->header, sizeof job.header);
    if (last)
        job.header[JOB_HEADER_SIZE - 1] = last;
    snprintf(job.id, sizeof job.id, "job %u", last);
    mailbox_put(bench->jobs, job_new(&job));
}

void pow_bench_make(struct pow_bench *bench, struct pow_case *c)
{
    const size_t count = (size_t)c->m * c->k;
    float *x = memory_array(count, sizeof *x), *scale = memory_array(c->m, sizeof *scale);
    uint32_t fault = UINT32_MAX;
    void *const views[] = {x, c->a, scale, &fault};

    assert_true(x && scale);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(i * 2654435761u % 8191) - 4095.0f;
    put(bench, count * sizeof *x, &bench->rooms[0], x);
    put(bench, c->m * sizeof *scale, &bench->rooms[1], NULL);
    put(bench, sizeof fault, &bench->rooms[2], NULL);
    bench->maker = (struct launch){.kernel = KERNEL_quantise7,
                                   .last = c->m,
                                   .views = {{bench->rooms[0], 0},
                                             {bench->a, 0},
                                             {bench->rooms[1], 0},
                                             {bench->rooms[2], 0}},
                                   .scalars = {{.u32 = c->k}, {.u32 = c->k}}};
    kernel_table[KERNEL_quantise7].run(0, c->m, views, bench->maker.scalars);
    assert_int_equal(device_write(bench->device, bench->a, 0, c->a, count), STATUS_OK);
    pow_bench_multiply_naively(bench, c->a, c->b);
    memory_free(x);
    memory_free(scale);
}

enum status pow_bench_multiply(struct pow_bench *bench, struct matmul_site site)
{
    const struct matmul product = {.site = site,
                                   .m = bench->m,
                                   .a = {bench->a, 0},
                                   .made_by = bench->made_by,
                                   .b = bench->weights,
                                   .c = {bench->c, 0}};

    return matmul_run(bench->port, &product);
}

void pow_bench_expect_product(struct pow_bench *bench, struct matmul_site site)
{
    const size_t size = (size_t)bench->m * bench->n * sizeof(int32_t);

    memset(bench->product, 0x55, size);
    assert_int_equal(device_write(bench->device, bench->c, 0, bench->product, size),
                     STATUS_OK);
    assert_int_equal(pow_bench_multiply(bench, site), STATUS_OK);
    assert_int_equal(matmul_drain(bench->port), STATUS_OK);
    assert_int_equal(device_read(bench->device, bench->c, 0, bench->product, size),
                     STATUS_OK);
    assert_memory_equal(bench->product, bench->expected, size);
}

struct outgoing *pow_bench_take(struct pow_bench *bench)
{
    void *outgoing = NULL;

    if (queue_take(bench->findings, 0, &outgoing))
        return NULL;
    return outgoing;
}

struct pow_bench_round pow_bench_round(struct pow_bench *bench)
{
    const uint64_t before = device_counters(bench->device)->launches;
    struct pow_bench_round round = {0};

    pow_bench_expect_product(bench, (struct matmul_site){0});
    round.launches = device_counters(bench->device)->launches - before;
    for (struct outgoing *o; (o = pow_bench_take(bench)); outgoing_free(o)) {
        struct share *share;
        assert_int_equal(scheme_noisy_gemm.prove(o->as.finding, &share, NULL), STATUS_OK);
        memcpy(round.tickets[round.count++], o->as.finding->ticket, 32);
        share_free(share);
    }
    return round;
}

uint32_t pow_bench_prove_all(struct pow_bench *bench, const char *job_id)
{
    uint32_t count = 0;

    for (struct outgoing *outgoing; (outgoing = pow_bench_take(bench)); count++) {
        struct share *share;
        struct error err = {0};
        assert_int_equal(outgoing->kind, OUTGOING_FINDING);
        assert_string_equal(outgoing->as.finding->job->id, job_id);
        if (scheme_noisy_gemm.prove(outgoing->as.finding, &share, &err))
            fail_msg("%s", error_text(&err));
        share_free(share);
        outgoing_free(outgoing);
    }
    return count;
}

struct target pow_bench_one_in(uint64_t tiles, uint32_t k)
{
    return target_from_work(tiles * pow_work_factor(8, 16, k, 128));
}
