/*
 * cuda_memory.c - memory on the card, and what passes between it and the host: through
 * two halves of pinned memory, one being copied while the other is filled or emptied.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cuda/cuda_calls.h"

enum status cuda_memory_new(struct device *device, uint64_t size, uint64_t *out)
{
    const uint64_t padded = cuda_pad(size ? size : 1, CUDA_LINES_UNIT);
    enum status status = cuda_check(
        device, device->driver.memory_new(out, (size_t)padded), "taking memory");

    if (status) {
        *out = 0;
        return status;
    }
    /* Zeroed, as memory is everywhere in this program. */
    status = cuda_check(device,
                        device->driver.set_bytes(*out, 0, (size_t)padded, device->order),
                        "clearing memory");
    if (status) {
        cuda_memory_free(device, *out);
        *out = 0;
    }
    return status;
}

/* The driver may wait for what still uses it, or may not. */
void cuda_memory_free(struct device *device, uint64_t address)
{
    if (!address)
        return;
    (void)cuda_check(device, device->driver.stream_finish(device->order),
                     "waiting for the card");
    (void)cuda_check(device, device->driver.memory_free(address), "giving memory back");
}

enum status cuda_room_grow(struct device *device, struct cuda_room *room, uint64_t count,
                           uint64_t size)
{
    enum status status;

    if (size && count > SIZE_MAX / size)
        return STATUS_NO_MEMORY;
    if (count * size <= room->size)
        return STATUS_OK;
    cuda_memory_free(device, room->address);
    *room = (struct cuda_room){.size = 0};
    status = cuda_memory_new(device, count * size, &room->address);
    room->size = status ? 0 : count * size;
    return status;
}

enum status cuda_staging_new(struct device *device)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < 2; i++) {
        void *data = NULL;

        status =
            cuda_check(device, device->driver.pinned_new(&data, CUDA_STAGING_SIZE, 0),
                       "taking pinned memory");
        device->halves[i].data = status ? NULL : data;
        if (!status)
            status = cuda_check(
                device,
                device->driver.event_new(&device->halves[i].used.event, CUDA_EVENT_PLAIN),
                "making an event");
    }
    return status;
}

void cuda_staging_free(struct device *device)
{
    for (size_t i = 0; i < 2; i++) {
        if (device->halves[i].data)
            (void)device->driver.pinned_free(device->halves[i].data);
        if (device->halves[i].used.event)
            (void)device->driver.event_free(device->halves[i].used.event);
    }
}

/* Its last copy is done: the host may use it. */
static enum status half_wait(struct device *device, struct cuda_half *half)
{
    enum status status = STATUS_OK;

    if (half->used.is_set)
        status = cuda_check(device, device->driver.event_finish(half->used.event),
                            "waiting for a copy");
    half->used.is_set = false;
    return status;
}

static enum status half_mark(struct device *device, struct cuda_half *half)
{
    const enum status status = cuda_check(
        device, device->driver.event_record(half->used.event, device->order), "copying");

    half->used.is_set = !status;
    return status;
}

static struct cuda_half *half_next(struct device *device)
{
    device->half ^= 1;
    return &device->halves[device->half];
}

static size_t part_size(size_t left)
{
    return left < CUDA_STAGING_SIZE ? left : CUDA_STAGING_SIZE;
}

enum status cuda_send(struct device *device, uint64_t to, const void *from, size_t size)
{
    const uint8_t *bytes = from;

    for (size_t at = 0; at < size; at += CUDA_STAGING_SIZE) {
        struct cuda_half *half = half_next(device);
        const size_t part = part_size(size - at);
        enum status status = half_wait(device, half);

        if (status)
            return status;
        memcpy(half->data, bytes + at, part);
        status = cuda_check(
            device,
            device->driver.copy_to_device(to + at, half->data, part, device->order),
            "writing to the card");
        if (!status)
            status = half_mark(device, half);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* One part on its way into its half. */
static enum status fetch_begin(struct device *device, struct cuda_half *half,
                               uint64_t from, size_t size)
{
    enum status status = half_wait(device, half);

    if (!status)
        status = cuda_check(
            device, device->driver.copy_to_host(half->data, from, size, device->order),
            "reading from the card");
    return status ? status : half_mark(device, half);
}

enum status cuda_fetch(struct device *device, uint64_t from, void *to, size_t size)
{
    struct cuda_half *half = half_next(device);
    enum status status = fetch_begin(device, half, from, part_size(size));

    for (size_t at = 0; !status && at < size; at += CUDA_STAGING_SIZE) {
        const size_t next = at + CUDA_STAGING_SIZE;
        struct cuda_half *here = half;

        half = half_next(device);
        if (next < size)
            status = fetch_begin(device, half, from + next, part_size(size - next));
        if (!status)
            status = half_wait(device, here);
        if (!status)
            memcpy((uint8_t *)to + at, here->data, part_size(size - at));
    }
    return status;
}
