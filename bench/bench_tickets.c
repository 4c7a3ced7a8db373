/*
 * bench_tickets.c - the step between the plain product and mining: one product of the
 * device's own under a job, its right operand noised beforehand.
 *
 * In the clock: the left operand's noise, the product, its fold and its tickets; not the
 * left operand's commitment, which mining has.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum { SEED_B = 2, HITS_MAX = 64, WORK_MAX = 256 };

struct bench {
    struct device *device;
    struct generated operands;
    struct packed *packed;
    struct buffer *hits;
    struct matmul_plan tile;
    struct mining mining;
    uint64_t seed_a;
};

static void tickets_close(struct bench *bench)
{
    if (!bench)
        return;
    device_packed_free(bench->device, bench->packed);
    device_buffer_free(bench->device, bench->hits);
    generated_free(&bench->operands);
    memory_free(bench);
}

static enum status multiply(struct bench *bench)
{
    const struct multiply product = {.m = (uint32_t)bench->operands.shape.m,
                                     .a = {bench->operands.left, 0},
                                     .b = bench->packed,
                                     .mining = &bench->mining};
    const enum status status = device_multiply(bench->device, &product);

    return status ? status : device_finish(bench->device);
}

static enum status tickets_run(struct bench *bench, double *value, struct error *err)
{
    const struct model_shape s = bench->operands.shape;
    enum status status = generated_left(&bench->operands, ++bench->seed_a, s.m);
    uint64_t start;

    if (!status)
        status = device_finish(bench->device);
    start = clock_ns();
    if (!status)
        status = multiply(bench);
    *value = (double)s.m * (double)s.n * (double)s.k / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the product failed: %s", status_text(status))
                  : STATUS_OK;
}

/* Under a bound that everything meets, every tile is a hit; then under one that nothing
 * does.  That tickets are right is mining's check. */
static enum status hits_check(struct bench *bench, struct error *err)
{
    const struct model_shape s = bench->operands.shape;
    const uint64_t tiles = pattern_starts(bench->mining.rows, s.m) *
                           pattern_starts(bench->mining.columns, s.n);
    uint32_t count = 0;
    double value;

    memset(bench->mining.bound, 0xff, sizeof bench->mining.bound);
    enum status status = tickets_run(bench, &value, err);
    if (!status)
        status = device_read(bench->device, bench->hits, 0, &count, sizeof count);
    if (!status && count != tiles)
        return error_set(err, STATUS_MISMATCH, "%u tiles are hits, expected all %llu",
                         count, (unsigned long long)tiles);
    memset(bench->mining.bound, 0, sizeof bench->mining.bound);
    return status;
}

static enum status operands_make(struct bench *bench, const struct bench_setup *setup,
                                 struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    struct device *device = setup->device;
    enum status status = generated_new(&bench->operands, device, shape, err);

    if (status)
        return status;
    status = generated_right(&bench->operands, SEED_B);
    if (!status)
        status = device_buffer_new(
            device, sizeof(struct hits) + HITS_MAX * sizeof(struct hit), &bench->hits);
    if (!status)
        status = device_packed_new(device, setup->n, setup->k, &bench->packed);
    if (!status)
        status = device_pack(device, bench->packed,
                             (struct view){bench->operands.right, 0}, &bench->mining.b);
    if (!status)
        status = device_reserve(device, setup->m, setup->n, setup->k, setup->rank);
    return status ? error_set(err, status, "no operands: %s", status_text(status))
                  : STATUS_OK;
}

static enum status tickets_open(const struct bench_setup *setup, struct bench **out,
                                struct error *err)
{
    struct bench *bench = memory_new(struct bench);
    enum status status = STATUS_OK;

    *out = bench;
    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    bench->device = setup->device;
    bench->tile = setup->tile;
    if (!bench->tile.rows.count)
        status = device_plan(setup->device, setup->m, setup->n, setup->k, WORK_MAX,
                             &bench->tile);
    if (status)
        return error_set(err, status, "no tile fits %u x %u: %s", setup->m, setup->n,
                         status_text(status));
    bench->mining = (struct mining){.a.rank = setup->rank,
                                    .b.rank = setup->rank,
                                    .rows = &bench->tile.rows,
                                    .columns = &bench->tile.columns,
                                    .hits_max = HITS_MAX};
    memset(bench->mining.a.seed, 1, sizeof bench->mining.a.seed);
    memset(bench->mining.b.seed, 2, sizeof bench->mining.b.seed);
    status = operands_make(bench, setup, err);
    if (status)
        return status;
    bench->mining.hits = (struct view){bench->hits, 0};
    return hits_check(bench, err);
}

static void tickets_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k, bench->mining.a.rank);
}

const struct bench_kind bench_tickets = {
    .name = "tickets",
    .unit = "GMAC/s",
    .open = tickets_open,
    .close = tickets_close,
    .run = tickets_run,
    .shape = tickets_shape,
};
