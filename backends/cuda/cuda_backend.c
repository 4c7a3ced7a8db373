/*
 * cuda_backend.c - NVIDIA cards through their driver, which is opened at run time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/cuda/cuda_calls.h"
#include "miner/base/memory.h"

#ifndef CUDA_ABSENT /* why this build has no kernels, by cuda.cmake */
#define CUDA_ABSENT NULL
#endif

/* Nothing of it is left on the card, whatever was there; a card that failed is left to
 * itself. */
static void cuda_close(struct device *device)
{
    if (device->context) {
        device->is_lost |= device->driver.context_set(device->context) != CUDA_OK;
        if (device->order)
            (void)device->driver.stream_finish(device->order);
        if (device->work)
            (void)device->driver.stream_finish(device->work);
        cuda_sets_free(device);
        cuda_staging_free(device);
        cuda_modules_unload(device);
        if (device->order)
            (void)device->driver.stream_free(device->order);
        if (device->work)
            (void)device->driver.stream_free(device->work);
        (void)device->driver.context_set(NULL);
        (void)device->driver.primary_release(device->number);
    }
    cuda_driver_close(&device->driver);
    memory_free(device);
}

static enum status device_find(struct device *device, uint32_t index, struct error *err)
{
    struct device_info *info = &device->head.info;
    int count = 0;
    enum status status = cuda_driver_open(&device->driver, err);

    if (status) {
        error_prefix(err, "cuda");
        return status;
    }
    if (device->driver.device_count(&count) || count < 0 || index >= (unsigned)count)
        return error_set(err, STATUS_NO_DEVICE, "cuda: no device %u, the driver knows %d",
                         index, count < 0 ? 0 : count);
    cuda_info_fill(&device->driver, (int)index, info, &device->traits, &device->number);
    if (info->reason[0])
        return error_set(err, STATUS_NO_DEVICE, "cuda: %s: %s", info->name, info->reason);
    return STATUS_OK;
}

static int context_make(struct device *device)
{
    size_t size = 0, free_size = 0;
    int code;

    if (device->driver.primary_set_flags) /* refused where it is in use: as good */
        (void)device->driver.primary_set_flags(device->number, CUDA_CONTEXT_BLOCKS);
    code = device->driver.primary_retain(&device->context, device->number);
    if (!code)
        code = device->driver.context_set(device->context);
    if (!code)
        code = device->driver.memory_info(&free_size, &size);
    device->head.info.memory_free_bytes = free_size;
    return code;
}

/* Preparations go before products: they are short, and the next product waits for them.
 */
static int streams_make(struct device *device)
{
    int least = 0, greatest = 0;
    int code = device->driver.stream_priorities(&least, &greatest);

    if (!code)
        code = device->driver.stream_new(&device->order, CUDA_STREAM_APART, greatest);
    if (!code)
        code = device->driver.stream_new(&device->work, CUDA_STREAM_APART, least);
    return code;
}

static enum status device_make(struct device *device,
                               const struct device_options *options, struct error *err)
{
    const char *variant =
        options && options->variant ? options->variant : getenv("MINERVA_CUDA");
    struct device_info *info = &device->head.info;
    char text[CUDA_SENTENCE_MAX];
    int code = context_make(device);
    enum status status;

    if (!code)
        code = streams_make(device);
    if (code)
        return error_set(err,
                         code == CUDA_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_NO_DEVICE,
                         "cuda: %s: %s", info->name,
                         cuda_driver_text(&device->driver, code, text, sizeof text));
    status = cuda_modules_load(device, err);
    if (!status)
        status = cuda_ways_fill(device, options ? options->kernel_cache : NULL, err);
    if (!status && variant)
        status = cuda_row_name_only(device, variant, err);
    if (status)
        return status;
    status = cuda_staging_new(device);
    if (!status)
        status = cuda_sets_new(device);
    if (status)
        return error_set(err, status, "cuda: %s: %s", info->name, status_text(status));
    snprintf(info->variant, sizeof info->variant, "%s", cuda_row_name(device));
    return STATUS_OK;
}

static enum status cuda_open(uint32_t index, const struct device_options *options,
                             struct device **out, struct error *err)
{
    struct device *device = memory_new(struct device);
    enum status status;

    if (!device)
        return error_set(err, STATUS_NO_MEMORY, "cuda: no memory for a device");
    status = device_find(device, index, err);
    if (!status)
        status = device_make(device, options, err);
    if (status) {
        cuda_close(device);
        return status;
    }
    *out = device;
    return STATUS_OK;
}

static enum status cuda_buffer_new(struct device *device, size_t size,
                                   struct buffer **out)
{
    struct buffer *buffer = memory_new(struct buffer);
    enum status status = buffer ? cuda_enter(device) : STATUS_NO_MEMORY;

    if (!status)
        status = cuda_memory_new(device, size, &buffer->address);
    if (status) {
        memory_free(buffer);
        return status;
    }
    *out = buffer;
    return STATUS_OK;
}

/* A card that failed may still take its memory back. */
static void cuda_buffer_free(struct device *device, struct buffer *buffer)
{
    (void)device->driver.context_set(device->context);
    (void)cuda_touch(device, buffer, NULL);
    cuda_memory_free(device, buffer->address);
    memory_free(buffer);
}

static enum status cuda_write(struct device *device, struct buffer *to, size_t offset,
                              const void *from, size_t size)
{
    enum status status = cuda_enter(device);

    if (!status)
        status = cuda_touch(device, to, NULL);
    return status ? status : cuda_send(device, to->address + offset, from, size);
}

static enum status cuda_read(struct device *device, const struct buffer *from,
                             size_t offset, void *to, size_t size)
{
    enum status status = cuda_enter(device);

    if (!status)
        status = cuda_touch(device, from, NULL);
    return status ? status : cuda_fetch(device, from->address + offset, to, size);
}

static enum status cuda_finish(struct device *device)
{
    enum status status = cuda_enter(device);

    if (!status)
        status = cuda_check(device, device->driver.stream_finish(device->order),
                            "waiting for the card");
    if (!status)
        status = cuda_check(device, device->driver.stream_finish(device->work),
                            "waiting for the card");
    return status;
}

const struct backend backend_cuda = {
    .abi = BACKEND_ABI,
    .name = "cuda",
    .absent = CUDA_ABSENT,
    .probe = cuda_probe,
    .open = cuda_open,
    .close = cuda_close,
    .buffer_new = cuda_buffer_new,
    .buffer_free = cuda_buffer_free,
    .write = cuda_write,
    .read = cuda_read,
    .launch = cuda_launch_text,
    .launch_then = cuda_launch_then,
    .finish = cuda_finish,
    .packed_new = cuda_packed_new,
    .packed_free = cuda_packed_free,
    .pack = cuda_pack,
    .reserve = cuda_reserve,
    .prepare = cuda_prepare,
    .multiply = cuda_multiply,
    .plan = cuda_plan,
};
