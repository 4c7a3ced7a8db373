/*
 * bench_mma_peak.c - the tensor cores of a CUDA card fed by nothing but registers (and on
 * Hopper by shared memory that never changes): what a product's speed is a share of.
 *
 * In the clock: one launch over all multiprocessors, long enough that its begin and end
 * do not count.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "backends/cuda/cuda_calls.h"
#include "bench/bench.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

enum { SEED = 12345, ROUNDS_FIRST = 4, ROUNDS_MAX = 1 << 24, RUN_NS = 10000000 };

static const struct peak { /* the better one first */
    const char *entry;
    struct cuda_grid grid; /* parts: blocks a multiprocessor */
    uint64_t warps;        /* that share one product */
    double macs;           /* of their products in a round */
} peaks[] = {
    {"cuda_peak_wgmma",
     {.parts = 1, .threads = 256, .shared = 2 * 64 * 128 + 256 * 128},
     4,
     16.0 * 64 * 256 * 32},
    {"cuda_peak_mma", {.parts = 2, .threads = 256}, 1, 8.0 * 16 * 8 * 32},
};

enum { PEAKS = sizeof peaks / sizeof peaks[0], WARP_SIZE = 32 };

struct bench {
    struct device *device;
    const struct peak *peak;
    struct cuda_function *entry;
    struct cuda_grid grid;
    struct buffer *sums;
    uint32_t rounds;
};

static void mma_peak_close(struct bench *bench)
{
    if (!bench)
        return;
    device_buffer_free(bench->device, bench->sums);
    memory_free(bench);
}

static uint64_t threads_of(const struct bench *bench)
{
    return bench->grid.parts * bench->grid.threads;
}

static enum status launch(struct bench *bench, uint32_t rounds)
{
    struct device *device = bench->device;
    uint64_t sums = cuda_view((struct view){bench->sums, 0});
    uint32_t seed = SEED;
    void *arguments[] = {&rounds, &seed, &sums};
    enum status status = cuda_enter(device);

    if (!status)
        status =
            cuda_launch(device, bench->entry, &bench->grid, arguments, device->order);
    return status ? status : device_finish(device);
}

static enum status mma_peak_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t start = clock_ns();
    const enum status status = launch(bench, bench->rounds);
    const double warps = (double)threads_of(bench) / WARP_SIZE;

    *value = warps / (double)bench->peak->warps * bench->peak->macs * bench->rounds /
             (double)(clock_ns() - start);
    return status ? error_set(err, status, "the peak failed: %s", status_text(status))
                  : STATUS_OK;
}

/* Twice the rounds must give twice the sums. */
static enum status sums_check(struct bench *bench, struct error *err)
{
    const uint64_t count = threads_of(bench);
    uint32_t *once = memory_array(count, sizeof *once),
             *twice = memory_array(count, sizeof *twice), some = 0;
    enum status status = once && twice ? launch(bench, 1) : STATUS_NO_MEMORY;

    if (!status)
        status = device_read(bench->device, bench->sums, 0, once, count * sizeof *once);
    if (!status)
        status = launch(bench, 2);
    if (!status)
        status = device_read(bench->device, bench->sums, 0, twice, count * sizeof *twice);
    if (status)
        error_set(err, status, "the peak failed: %s", status_text(status));
    for (uint64_t i = 0; !status && i < count; i++) {
        some |= once[i];
        if (twice[i] != 2 * once[i])
            status = error_set(err, STATUS_MISMATCH,
                               "thread %llu adds up %u in two rounds, expected %u",
                               (unsigned long long)i, twice[i], 2 * once[i]);
    }
    if (!status && !some)
        status = error_set(err, STATUS_MISMATCH, "all sums are nothing");
    memory_free(once);
    memory_free(twice);
    return status;
}

/* So many rounds that a run takes a while. */
static enum status rounds_choose(struct bench *bench, struct error *err)
{
    enum status status = STATUS_OK;
    uint64_t took_ns = 0;

    for (bench->rounds = ROUNDS_FIRST; !status && bench->rounds < ROUNDS_MAX;
         bench->rounds *= 2) {
        const uint64_t start = clock_ns();
        status = launch(bench, bench->rounds);
        took_ns = clock_ns() - start;
        if (took_ns >= RUN_NS)
            break;
    }
    return status ? error_set(err, status, "the peak failed: %s", status_text(status))
                  : STATUS_OK;
}

static enum status mma_peak_ready(struct bench *bench, struct error *err)
{
    enum status status;

    for (size_t i = 0; i < PEAKS && !bench->entry; i++) {
        bench->peak = &peaks[i];
        bench->entry = cuda_entry_find(bench->device, peaks[i].entry);
    }
    if (!bench->entry)
        return error_set(err, STATUS_ABSENT, "this build has no kernel for the peak");
    bench->grid = bench->peak->grid;
    bench->grid.parts *= bench->device->traits.processors;
    status = device_buffer_new(bench->device, threads_of(bench) * sizeof(uint32_t),
                               &bench->sums);
    if (status)
        return error_set(err, status, "no room for the sums: %s", status_text(status));
    status = sums_check(bench, err);
    return status ? status : rounds_choose(bench, err);
}

static enum status mma_peak_open(const struct bench_setup *setup, struct bench **out,
                                 struct error *err)
{
    *out = NULL;
    if (setup->device->head.backend != &backend_cuda)
        return error_set(err, STATUS_ABSENT, "the peak is measured on CUDA devices only");
    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    (*out)->device = setup->device;
    return mma_peak_ready(*out, err);
}

static void mma_peak_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "%s", bench->peak->entry + sizeof "cuda_peak");
}

const struct bench_kind bench_mma_peak = {
    .name = "mma_peak",
    .unit = "GMAC/s",
    .open = mma_peak_open,
    .close = mma_peak_close,
    .run = mma_peak_run,
    .shape = mma_peak_shape,
};
