/*
 * cpu_backend.c - the processor as a device: memory is memory, a launch is a loop over
 * threads.
 *
 * Everything is done when a call returns, so finish() has nothing to wait for.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/cpu/cpu_device.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_memory.h"
#include "backends/in_turn.h"
#include "backends/near_tile.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

static void info_fill(const struct cpu_matmul *row, uint32_t threads,
                      struct device_info *info)
{
    char features[64];

    *info = (struct device_info){.bus = "-", .threads = threads};
    cpu_name(info->name, sizeof info->name);
    cpu_features_text(row->needs, features, sizeof features);
    snprintf(info->detail, sizeof info->detail, "%s%s%s%s", row->name,
             features[0] ? " (" : "", features, features[0] ? ")" : "");
    snprintf(info->variant, sizeof info->variant, "%s", row->name);
    info->memory_bytes = cpu_memory_total();
    info->memory_free_bytes = cpu_memory_free();
}

static enum status cpu_probe(struct device_info *list, size_t cap, size_t *count)
{
    const struct cpu_matmul *row;
    enum status status = cpu_matmul_choose(NULL, &row, NULL);

    *count = 0;
    if (status || !cap)
        return status;
    info_fill(row, thread_processors(), &list[0]);
    *count = 1;
    return STATUS_OK;
}

static void cpu_close(struct device *device)
{
    cpu_scratch_free(&device->scratch,
                     device->threads ? cpu_threads_count(device->threads) : 0);
    cpu_threads_free(device->threads);
    memory_free(device);
}

/* The definition of every kernel; over it the same text compiled for this row's
 * instructions, and what it has tuned. */
static void kernels_fill(struct device *device)
{
    const struct cpu_matmul *row = device->row;

    for (size_t i = 0; i < KERNEL_COUNT; i++)
        device->kernels[i] =
            row->texts && row->texts[i] ? row->texts[i] : kernel_table[i].run;
    for (size_t i = 0; i < row->override_count; i++)
        device->kernels[row->overrides[i].kernel] = row->overrides[i].run;
}

static enum status cpu_open(uint32_t index, const struct device_options *options,
                            struct device **out, struct error *err)
{
    const uint32_t threads =
        options && options->threads ? options->threads : thread_processors();
    const struct cpu_matmul *row;
    struct device *device;
    enum status status;

    if (index)
        return error_set(err, STATUS_NO_DEVICE,
                         "cpu: no device %u, there is one, numbered 0", index);
    status = cpu_matmul_choose(options ? options->variant : NULL, &row, err);
    if (status)
        return status;
    device = memory_new(struct device);
    if (!device)
        return error_set(err, STATUS_NO_MEMORY, "cpu: no memory for a device");
    device->row = row;
    kernels_fill(device);
    status = cpu_threads_new(threads, &device->threads);
    if (!status)
        device->scratch.desks = memory_array(threads, sizeof *device->scratch.desks);
    if (status || !device->scratch.desks) {
        cpu_close(device);
        return error_set(err, STATUS_NO_MEMORY, "cpu: %u threads cannot be started",
                         threads);
    }
    info_fill(row, cpu_threads_count(device->threads), &device->head.info);
    *out = device;
    return STATUS_OK;
}

static enum status cpu_buffer_new(struct device *device, size_t size, struct buffer **out)
{
    struct buffer *buffer = memory_new(struct buffer);

    (void)device;
    if (!buffer)
        return STATUS_NO_MEMORY;
    buffer->data = memory_array(size, 1);
    if (!buffer->data) {
        memory_free(buffer);
        return STATUS_NO_MEMORY;
    }
    *out = buffer;
    return STATUS_OK;
}

static void cpu_buffer_free(struct device *device, struct buffer *buffer)
{
    (void)device;
    memory_free(buffer->data);
    memory_free(buffer);
}

static enum status cpu_write(struct device *device, struct buffer *to, size_t offset,
                             const void *from, size_t size)
{
    (void)device;
    memcpy(to->data + offset, from, size);
    return STATUS_OK;
}

static enum status cpu_read(struct device *device, const struct buffer *from,
                            size_t offset, void *to, size_t size)
{
    (void)device;
    memcpy(to, from->data + offset, size);
    return STATUS_OK;
}

struct cpu_launch {
    kernel_function *run;
    void *views[KERNEL_VIEWS_MAX];
    const union scalar *scalars;
    uint64_t first;
};

static void launch_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    const struct cpu_launch *launch = context;

    (void)thread;
    launch->run(launch->first + first, launch->first + last, launch->views,
                launch->scalars);
}

/* Units worth waking a thread for: single elements are not. */
static uint64_t grain_min(enum kernel kernel)
{
    switch (kernel) {
    case KERNEL_silu:
    case KERNEL_gelu:
    case KERNEL_residual:
    case KERNEL_test_matrix:
        return 2048;
    case KERNEL_noise_dense:
    case KERNEL_noise_pairs:
    case KERNEL_ticket_hash:
    case KERNEL_blake3_parents:
        return 32;
    case KERNEL_blake3_chunks: /* sixteen go side by side */
        return 16;
    default:
        return 1;
    }
}

static enum status cpu_launch(struct device *device, const struct launch *launch)
{
    enum { PARTS_PER_THREAD = 16 };
    const uint64_t count = launch->last - launch->first,
                   least = grain_min(launch->kernel);
    const uint64_t even = count / (PARTS_PER_THREAD * cpu_threads_count(device->threads));
    struct cpu_launch run = {
        .run = device->kernels[launch->kernel],
        .scalars = launch->scalars,
        .first = launch->first,
    };

    for (size_t i = 0; i < KERNEL_VIEWS_MAX; i++)
        run.views[i] = cpu_view(launch->views[i]);
    cpu_threads_run(device->threads, launch_part, &run, count,
                    (even / least + 1) * least);
    return STATUS_OK;
}

/* Whoever would prepare multiplies. */
static enum status cpu_prepare(struct device *device, const struct multiply *multiply)
{
    (void)device;
    (void)multiply;
    return STATUS_OK;
}

static enum status cpu_finish(struct device *device)
{
    (void)device;
    return STATUS_OK;
}

static enum status cpu_plan(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                            uint32_t work_max, struct matmul_plan *out)
{
    (void)device;
    (void)k;
    return near_tile_plan(m, n, work_max, out);
}

const struct backend backend_cpu = {
    .abi = BACKEND_ABI,
    .name = "cpu",
    .absent = NULL,
    .probe = cpu_probe,
    .open = cpu_open,
    .close = cpu_close,
    .buffer_new = cpu_buffer_new,
    .buffer_free = cpu_buffer_free,
    .write = cpu_write,
    .read = cpu_read,
    .launch = cpu_launch,
    .launch_then = in_turn_launch,
    .finish = cpu_finish,
    .packed_new = cpu_packed_new,
    .packed_free = cpu_packed_free,
    .pack = cpu_pack,
    .reserve = cpu_reserve,
    .prepare = cpu_prepare,
    .multiply = cpu_multiply,
    .plan = cpu_plan,
};
