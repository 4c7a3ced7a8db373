/*
 * peers_onednn.c - oneDNN's three ways to a product of int8 (version 2 of its C
 * interface).
 *
 * In the clock: the call alone.  Primitives are made and weights are packed beforehand,
 * as ours are.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <string.h>

#include "bench/peers/peers.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum { SEED_A = 1, SEED_B = 2 };

struct bench {
    struct model_shape shape;
    int8_t *a, *b; /* m x k, and n x k: B transposed */
    int32_t *c, *ours;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t matmul;
    dnnl_memory_t memory_a, memory_b, memory_c;
};

void onednn_version(char text[DEVICE_TEXT_MAX])
{
    const dnnl_version_t *version = dnnl_version();

    snprintf(text, DEVICE_TEXT_MAX, "oneDNN %d.%d.%d", version->major, version->minor,
             version->patch);
}

static void onednn_close(struct bench *bench)
{
    if (!bench)
        return;
    dnnl_memory_destroy(bench->memory_a);
    dnnl_memory_destroy(bench->memory_b);
    dnnl_memory_destroy(bench->memory_c);
    dnnl_primitive_destroy(bench->matmul);
    dnnl_stream_destroy(bench->stream);
    dnnl_engine_destroy(bench->engine);
    memory_free(bench->a);
    memory_free(bench->b);
    memory_free(bench->c);
    memory_free(bench->ours);
    memory_free(bench);
}

/* A status of oneDNN's as one of ours. */
static enum status checked(dnnl_status_t status, struct error *err)
{
    if (status == dnnl_success)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_SUPPORTED, "oneDNN answers %d", (int)status);
}

static dnnl_status_t gemm_call(const struct bench *bench)
{
    const dnnl_dim_t m = (dnnl_dim_t)bench->shape.m, n = (dnnl_dim_t)bench->shape.n,
                     k = (dnnl_dim_t)bench->shape.k;
    const int32_t zero = 0;

    return dnnl_gemm_s8s8s32('N', 'T', 'F', m, n, k, 1, bench->a, k, 0, bench->b, k, 0, 0,
                             bench->c, n, &zero);
}

static dnnl_status_t matmul_call(const struct bench *bench)
{
    const dnnl_exec_arg_t operands[] = {
        {DNNL_ARG_SRC, bench->memory_a},
        {DNNL_ARG_WEIGHTS, bench->memory_b},
        {DNNL_ARG_DST, bench->memory_c},
    };
    const dnnl_status_t status =
        dnnl_primitive_execute(bench->matmul, bench->stream, 3, operands);

    return status ? status : dnnl_stream_wait(bench->stream);
}

static enum status onednn_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->shape;
    const uint64_t start = clock_ns();
    const dnnl_status_t status = bench->matmul ? matmul_call(bench) : gemm_call(bench);

    *value = (double)s.m * (double)s.n * (double)s.k / (double)(clock_ns() - start);
    return checked(status, err);
}

/* ---- the answer: ours, element by element ---------------------------------------- */

static enum status ours_read(struct bench *bench, struct generated *operands,
                             struct buffer *c)
{
    struct device *device = operands->device;
    struct matmul_port port;
    enum status status = generated_right(operands, SEED_B);

    matmul_port_plain(&port, device);
    if (!status)
        status = generated_left(operands, SEED_A, bench->shape.m);
    if (!status)
        status = generated_run(operands, &port, (struct view){c, 0});
    if (!status)
        status = device_finish(device);
    return status ? status
                  : device_read(device, c, 0, bench->ours, device_buffer_size(c));
}

static enum status ours_make(struct bench *bench, struct device *device,
                             struct error *err)
{
    struct generated operands = {.device = NULL};
    struct buffer *c = NULL;
    enum status status = generated_new(&operands, device, bench->shape, err);

    if (status)
        return status;
    status = device_buffer_new(device, (size_t)(bench->shape.m * bench->shape.n) * 4, &c);
    if (!status)
        status = ours_read(bench, &operands, c);
    device_buffer_free(device, c);
    generated_free(&operands);
    return status
               ? error_set(err, status, "our own product failed: %s", status_text(status))
               : STATUS_OK;
}

static enum status onednn_check(struct bench *bench, struct device *device,
                                struct error *err)
{
    const uint64_t n = bench->shape.n, elements = bench->shape.m * n;
    double value;
    enum status status = ours_make(bench, device, err);

    if (!status)
        status = onednn_run(bench, &value, err);
    if (status)
        return status;
    for (uint64_t i = 0; i < elements; i++)
        if (bench->c[i] != bench->ours[i])
            return error_set(err, STATUS_MISMATCH,
                             "element %" PRIu64 ",%" PRIu64 " is %" PRId32
                             ", oneDNN says %" PRId32,
                             i / n, i % n, bench->ours[i], bench->c[i]);
    memory_free(bench->ours);
    bench->ours = NULL;
    return STATUS_OK;
}

/* ---- open ------------------------------------------------------------------------ */

static enum status operands_make(struct bench *bench)
{
    const struct model_shape s = bench->shape;

    bench->a = memory_array((size_t)s.m, (size_t)s.k);
    bench->b = memory_array((size_t)s.n, (size_t)s.k);
    bench->c = memory_array((size_t)(s.m * s.n), sizeof *bench->c);
    bench->ours = memory_array((size_t)(s.m * s.n), sizeof *bench->ours);
    if (!bench->a || !bench->b || !bench->c || !bench->ours)
        return STATUS_NO_MEMORY;
    generated_fill((uint8_t *)bench->a, s.m * s.k, SEED_A);
    generated_fill((uint8_t *)bench->b, s.n * s.k, SEED_B);
    memset(bench->c, 0x55, (size_t)(s.m * s.n) * sizeof *bench->c);
    return STATUS_OK;
}

/* The weights of bench->b in the layout that the primitive asks for. */
static dnnl_status_t weights_pack_as(struct bench *bench, const dnnl_memory_desc_t *plain,
                                     const dnnl_memory_desc_t *wanted)
{
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t described = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_status_t status = dnnl_memory_create(&from, plain, bench->engine, bench->b);

    if (!status)
        status = dnnl_memory_create(&bench->memory_b, wanted, bench->engine,
                                    DNNL_MEMORY_ALLOCATE);
    if (!status)
        status = dnnl_reorder_primitive_desc_create(&described, plain, bench->engine,
                                                    wanted, bench->engine, NULL);
    if (!status)
        status = dnnl_primitive_create(&reorder, described);
    if (!status) {
        const dnnl_exec_arg_t operands[] = {{DNNL_ARG_FROM, from},
                                            {DNNL_ARG_TO, bench->memory_b}};
        status = dnnl_primitive_execute(reorder, bench->stream, 2, operands);
    }
    if (!status)
        status = dnnl_stream_wait(bench->stream);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(described);
    dnnl_memory_destroy(from);
    return status;
}

struct descriptions {
    dnnl_memory_desc_t a, b, b_wanted, c;
    dnnl_primitive_desc_t matmul;
};

static dnnl_status_t describe(const struct bench *bench, dnnl_format_tag_t layout,
                              struct descriptions *out)
{
    const dnnl_dim_t m = (dnnl_dim_t)bench->shape.m, n = (dnnl_dim_t)bench->shape.n,
                     k = (dnnl_dim_t)bench->shape.k;
    const dnnl_dims_t size_a = {m, k}, size_b = {k, n}, size_c = {m, n};
    dnnl_matmul_desc_t matmul;
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&out->a, 2, size_a, dnnl_s8, dnnl_ab);

    if (!status)
        status = dnnl_memory_desc_init_by_tag(&out->b, 2, size_b, dnnl_s8, dnnl_ba);
    if (!status)
        status = dnnl_memory_desc_init_by_tag(&out->b_wanted, 2, size_b, dnnl_s8, layout);
    if (!status)
        status = dnnl_memory_desc_init_by_tag(&out->c, 2, size_c, dnnl_s32, dnnl_ab);
    if (!status)
        status = dnnl_matmul_desc_init(&matmul, &out->a, &out->b_wanted, NULL, &out->c);
    return status ? status
                  : dnnl_primitive_desc_create(&out->matmul, &matmul, NULL, bench->engine,
                                               NULL);
}

static dnnl_status_t matmul_make(struct bench *bench, dnnl_format_tag_t layout)
{
    struct descriptions made = {.matmul = NULL};
    dnnl_status_t status = dnnl_engine_create(&bench->engine, dnnl_cpu, 0);

    if (!status)
        status =
            dnnl_stream_create(&bench->stream, bench->engine, dnnl_stream_default_flags);
    if (!status)
        status = describe(bench, layout, &made);
    if (!status)
        status = dnnl_primitive_create(&bench->matmul, made.matmul);
    if (!status)
        status = weights_pack_as(
            bench, &made.b,
            dnnl_primitive_desc_query_md(made.matmul, dnnl_query_weights_md, 0));
    if (!status)
        status = dnnl_memory_create(&bench->memory_a, &made.a, bench->engine, bench->a);
    if (!status)
        status = dnnl_memory_create(&bench->memory_c, &made.c, bench->engine, bench->c);
    dnnl_primitive_desc_destroy(made.matmul);
    return status;
}

/* layout: of the weights, undef: no matmul but gemm. */
static enum status onednn_open(const struct bench_setup *setup, dnnl_format_tag_t layout,
                               struct bench **out, struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);
    enum status status = bench ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status) {
        bench->shape = (struct model_shape){setup->m, setup->n, setup->k};
        status = operands_make(bench);
    }
    if (status)
        return error_set(err, status, "no memory for the operands");
    omp_set_num_threads((int)device_info(setup->device)->threads);
    if (layout != dnnl_format_tag_undef)
        status = checked(matmul_make(bench, layout), err);
    return status ? status : onednn_check(bench, setup->device, err);
}

static enum status gemm_open(const struct bench_setup *setup, struct bench **out,
                             struct error *err)
{
    return onednn_open(setup, dnnl_format_tag_undef, out, err);
}

static enum status matmul_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    return onednn_open(setup, dnnl_ba, out, err);
}

static enum status packed_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    return onednn_open(setup, dnnl_format_tag_any, out, err);
}

static void onednn_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->shape;

    snprintf(text, BENCH_SHAPE_MAX, "%" PRIu64 ",%" PRIu64 ",%" PRIu64, s.m, s.n, s.k);
}

#define ONEDNN_KIND(word, opens)                                                         \
    {                                                                                    \
        .name = word, .unit = "GMAC/s", .open = opens, .close = onednn_close,            \
        .run = onednn_run, .shape = onednn_shape,                                        \
    }

const struct bench_kind onednn_gemm = ONEDNN_KIND("gemm_s8s8s32", gemm_open);
const struct bench_kind onednn_matmul = ONEDNN_KIND("matmul", matmul_open);
const struct bench_kind onednn_packed = ONEDNN_KIND("matmul_packed", packed_open);
