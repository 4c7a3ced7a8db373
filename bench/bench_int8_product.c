/*
 * bench_int8_product.c - the clean int8 product, right operand packed beforehand.
 *
 * In the clock: packing of the left operand and the product.  The left operand is another
 * one each time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/product_check.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum { SEED_B = 2 };

struct bench {
    struct device *device;
    struct generated operands;
    struct buffer *c;
    struct matmul_port port;
    uint64_t seed_a;
};

static void int8_product_close(struct bench *bench)
{
    if (!bench)
        return;
    generated_free(&bench->operands);
    device_buffer_free(bench->device, bench->c);
    memory_free(bench);
}

static enum status int8_product_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->operands.shape;
    uint64_t start;
    enum status status = generated_left(&bench->operands, ++bench->seed_a, s.m);

    if (!status)
        status = device_finish(bench->device);
    start = clock_ns();
    if (!status)
        status =
            generated_run(&bench->operands, &bench->port, (struct view){bench->c, 0});
    if (!status)
        status = device_finish(bench->device);
    *value = (double)s.m * (double)s.n * (double)s.k / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

static enum status int8_product_ready(struct bench *bench,
                                      const struct bench_setup *setup, struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    double value;
    enum status status = generated_new(&bench->operands, setup->device, shape, err);

    if (status)
        return status;
    status = device_buffer_new(setup->device, (size_t)setup->m * setup->n * 4, &bench->c);
    if (!status)
        status = generated_right(&bench->operands, SEED_B);
    if (status)
        return error_set(err, status, "no operands: %s", status_text(status));
    matmul_port_plain(&bench->port, setup->device);
    status = int8_product_run(bench, &value, err);
    const struct product_check check = {.device = setup->device,
                                        .c = bench->c,
                                        .shape = shape,
                                        .seed_a = bench->seed_a,
                                        .seed_b = SEED_B};
    return status ? status : product_check(&check, err);
}

static enum status int8_product_open(const struct bench_setup *setup, struct bench **out,
                                     struct error *err)
{
    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    (*out)->device = setup->device;
    return int8_product_ready(*out, setup, err);
}

static void int8_product_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k);
}

const struct bench_kind bench_int8_product = {
    .name = "int8_product",
    .unit = "GMAC/s",
    .open = int8_product_open,
    .close = int8_product_close,
    .run = int8_product_run,
    .shape = int8_product_shape,
};
