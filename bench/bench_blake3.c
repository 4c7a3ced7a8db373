/*
 * bench_blake3.c - the root of a keyed BLAKE3 tree over an operand's bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum { SEED = 5, KEY_BYTE = 0x42 };

struct bench {
    struct device *device;
    struct buffer *data, *key, *levels[2];
    uint64_t size; /* m * k: what a product's commitment hashes */
};

static void blake3_close(struct bench *bench)
{
    if (!bench)
        return;
    device_buffer_free(bench->device, bench->data);
    device_buffer_free(bench->device, bench->key);
    device_buffer_free(bench->device, bench->levels[0]);
    device_buffer_free(bench->device, bench->levels[1]);
    memory_free(bench);
}

/* Ends in the level that is named. */
static enum status tree(struct bench *bench, unsigned *level)
{
    uint64_t count = (bench->size + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
    struct launch launch = {
        .kernel = KERNEL_blake3_chunks,
        .last = count,
        .views = {{bench->data, 0}, {bench->key, 0}, {bench->levels[0], 0}},
        .scalars = {{.u64 = bench->size}, {.u32 = count == 1}},
    };
    enum status status = device_launch(bench->device, &launch);

    *level = 0;
    launch.kernel = KERNEL_blake3_parents;
    for (; !status && count > 1; count = (count + 1) / 2) {
        launch.last = (count + 1) / 2;
        launch.views[0].buffer = bench->levels[*level];
        launch.views[2].buffer = bench->levels[ *level ^= 1];
        launch.scalars[0].u64 = count;
        launch.scalars[1].u32 = count == 2;
        status = device_launch(bench->device, &launch);
    }
    return status ? status : device_finish(bench->device);
}

static enum status blake3_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t start = clock_ns();
    unsigned level;
    const enum status status = tree(bench, &level);

    *value = (double)bench->size / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the tree failed: %s", status_text(status))
                  : STATUS_OK;
}

static enum status blake3_check(struct bench *bench, uint8_t *bytes, struct error *err)
{
    const uint64_t padded =
        (bench->size + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK * BLAKE3_CHUNK;
    uint8_t key[BLAKE3_SIZE], root[BLAKE3_SIZE], expected[BLAKE3_SIZE];
    unsigned level = 0;
    enum status status;

    memset(key, KEY_BYTE, sizeof key);
    generated_fill(bytes, bench->size, SEED);
    blake3_hash(bytes, (size_t)padded, key, expected);
    status = device_write(bench->device, bench->data, 0, bytes, (size_t)bench->size);
    if (!status)
        status = device_write(bench->device, bench->key, 0, key, sizeof key);
    if (!status)
        status = tree(bench, &level);
    if (!status)
        status = device_read(bench->device, bench->levels[level], 0, root, sizeof root);
    if (status)
        return error_set(err, status, "the tree failed: %s", status_text(status));
    if (memcmp(root, expected, sizeof root) != 0)
        return error_set(err, STATUS_MISMATCH, "the root of %" PRIu64 " bytes is wrong",
                         bench->size);
    return STATUS_OK;
}

static enum status blake3_open(const struct bench_setup *setup, struct bench **out,
                               struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);
    const uint64_t size = (uint64_t)setup->m * setup->k, chunks = size / BLAKE3_CHUNK + 1;
    uint8_t *bytes = memory_array((size_t)chunks, BLAKE3_CHUNK);
    enum status status = STATUS_NO_MEMORY;

    if (bench && bytes) {
        bench->device = setup->device;
        bench->size = size;
        status = device_buffer_new(setup->device, (size_t)size, &bench->data);
    }
    if (!status)
        status = device_buffer_new(setup->device, BLAKE3_SIZE, &bench->key);
    for (int i = 0; !status && i < 2; i++)
        status = device_buffer_new(setup->device, (size_t)chunks * BLAKE3_SIZE,
                                   &bench->levels[i]);
    if (status)
        error_set(err, status, "no room for %" PRIu64 " bytes: %s", size,
                  status_text(status));
    else
        status = blake3_check(bench, bytes, err);
    memory_free(bytes);
    return status;
}

static void blake3_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "%" PRIu64 "-bytes", bench->size);
}

const struct bench_kind bench_blake3 = {
    .name = "blake3",
    .unit = "GB/s",
    .open = blake3_open,
    .close = blake3_close,
    .run = blake3_run,
    .shape = blake3_shape,
};
