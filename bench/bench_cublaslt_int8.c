/*
 * bench_cublaslt_int8.c - NVIDIA's own int8 product beside ours, on the same card, in the
 * same process, of the same operands.
 *
 * Of the ways that the library proposes the fastest is taken.  In the clock: the product,
 * from its call to its end.  The left operand is another one each time, as ours is.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "backends/cuda/cuda_calls.h"
#include "bench/bench.h"
#include "bench/cublaslt.h"
#include "bench/product_check.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum { SEED_B = 2, TRIES = 3 };

struct bench {
    struct device *device;
    struct generated operands;
    struct buffer *c, *workspace;
    struct cublaslt *lt;
    uint32_t way;
    uint64_t seed_a;
};

static void cublaslt_int8_close(struct bench *bench)
{
    if (!bench)
        return;
    cublaslt_close(bench->lt);
    device_buffer_free(bench->device, bench->workspace);
    device_buffer_free(bench->device, bench->c);
    generated_free(&bench->operands);
    memory_free(bench);
}

static enum status cublaslt_int8_run(struct bench *bench, double *value,
                                     struct error *err)
{
    const struct model_shape s = bench->operands.shape;
    enum status status = generated_left(&bench->operands, ++bench->seed_a, s.m);

    if (!status)
        status = device_finish(bench->device);
    if (!status)
        status = cuda_enter(bench->device);
    const uint64_t start = clock_ns();

    if (status)
        return error_set(err, status, "the product failed: %s", status_text(status));
    status = cublaslt_run(bench->lt, bench->way, err);
    if (status)
        return status;
    status = device_finish(bench->device);
    *value = (double)s.m * (double)s.n * (double)s.k / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

/* The fastest of the ways, each tried a few times. */
static enum status way_choose(struct bench *bench, struct error *err)
{
    double best = 0;
    uint32_t chosen = 0;
    enum status status = STATUS_OK;

    for (uint32_t way = 0; !status && way < cublaslt_ways(bench->lt); way++)
        for (int i = 0; !status && i < TRIES; i++) {
            double value;
            bench->way = way;
            status = cublaslt_int8_run(bench, &value, err);
            if (status || value <= best)
                continue;
            best = value;
            chosen = way;
        }
    bench->way = chosen;
    return status;
}

static enum status operands_make(struct bench *bench, const struct bench_setup *setup,
                                 struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    enum status status = generated_new(&bench->operands, setup->device, shape, err);

    if (status)
        return status;
    status = device_buffer_new(setup->device, (size_t)setup->m * setup->n * 4, &bench->c);
    if (!status)
        status = device_buffer_new(setup->device, CUBLASLT_WORKSPACE, &bench->workspace);
    if (!status)
        status = generated_right(&bench->operands, SEED_B);
    if (!status)
        status = device_finish(setup->device);
    return status ? error_set(err, status, "no operands: %s", status_text(status))
                  : STATUS_OK;
}

static enum status cublaslt_int8_ready(struct bench *bench,
                                       const struct bench_setup *setup, struct error *err)
{
    enum status status = operands_make(bench, setup, err);
    double value;

    if (status)
        return status;
    const struct cublaslt_product product = {
        .m = setup->m,
        .n = setup->n,
        .k = setup->k,
        .a = cuda_view((struct view){bench->operands.left, 0}),
        .bt = cuda_view((struct view){bench->operands.right, 0}),
        .c = cuda_view((struct view){bench->c, 0}),
        .workspace = cuda_view((struct view){bench->workspace, 0}),
        .stream = setup->device->order};
    status = cuda_enter(setup->device);
    if (status)
        return error_set(err, status, "%s", status_text(status));
    status = cublaslt_open(setup->cublaslt, &product, &bench->lt, err);
    if (!status)
        status = way_choose(bench, err);
    if (!status)
        status = cublaslt_int8_run(bench, &value, err);
    const struct product_check check = {.device = setup->device,
                                        .c = bench->c,
                                        .shape = bench->operands.shape,
                                        .seed_a = bench->seed_a,
                                        .seed_b = SEED_B};
    return status ? status : product_check(&check, err);
}

static enum status cublaslt_int8_open(const struct bench_setup *setup, struct bench **out,
                                      struct error *err)
{
    *out = NULL;
    if (setup->device->head.backend != &backend_cuda)
        return error_set(err, STATUS_ABSENT, "cuBLASLt runs on CUDA devices only");
    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    (*out)->device = setup->device;
    return cublaslt_int8_ready(*out, setup, err);
}

static void cublaslt_int8_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k);
}

const struct bench_kind bench_cublaslt_int8 = {
    .name = "cublaslt_int8",
    .unit = "GMAC/s",
    .open = cublaslt_int8_open,
    .close = cublaslt_int8_close,
    .run = cublaslt_int8_run,
    .shape = cublaslt_int8_shape,
};
