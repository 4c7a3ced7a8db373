/*
 * cuda_scratch.c - all memory products work in besides buffers and packed operands.
 *
 * There are two sets, so that an operand can be prepared while the product before it
 * runs; one where two would take more than an eighth of the card.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"

enum { SEED_SIZE = 32, MEMORY_SHARE = 8 };

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

enum status cuda_sets_new(struct device *device)
{
    enum status status = STATUS_OK;

    device->set_count = 2;
    for (size_t i = 0; !status && i < 2; i++) {
        struct cuda_set *set = &device->sets[i];

        status = cuda_memory_new(device, SEED_SIZE, &set->seed);
        if (!status)
            status = cuda_check(
                device, device->driver.event_new(&set->prepared, CUDA_EVENT_PLAIN),
                "making an event");
        if (!status)
            status = cuda_check(
                device, device->driver.event_new(&set->done.event, CUDA_EVENT_PLAIN),
                "making an event");
        if (!status)
            status = cuda_check(
                device,
                device->driver.event_new(&device->slices[i].event, CUDA_EVENT_PLAIN),
                "making an event");
    }
    return status;
}

static void event_free(const struct device *device, struct cuda_event *event)
{
    if (event)
        (void)device->driver.event_free(event);
}

void cuda_sets_free(struct device *device)
{
    for (size_t i = 0; i < 2; i++) {
        struct cuda_set *set = &device->sets[i];
        const uint64_t rooms[] = {set->left.address,
                                  set->dense.address,
                                  set->pairs.address,
                                  set->x.address,
                                  set->y.address,
                                  set->extra.address,
                                  set->rows.room.address,
                                  set->columns.room.address,
                                  set->seed};

        for (size_t j = 0; j < sizeof rooms / sizeof rooms[0]; j++)
            cuda_memory_free(device, rooms[j]);
        event_free(device, set->prepared);
        event_free(device, set->done.event);
        event_free(device, device->slices[i].event);
    }
}

/* The most that any way this card may take asks for. */
static uint64_t extra_size(const struct device *device)
{
    uint64_t most = 0;

    for (size_t i = 0; i < cuda_row_count; i++) {
        if (!cuda_row_runs(cuda_rows[i], device->traits.capability))
            continue;
        const uint64_t size = cuda_rows[i]->scratch(device->sizes.m, device->sizes.n,
                                                    device->sizes.k, device->sizes.rank);
        most = size > most ? size : most;
    }
    return most;
}

/* Tile indices hold each row or column once at most. */
static enum status indices_grow(struct device *device, struct cuda_indices *indices,
                                uint32_t size)
{
    if (indices->room.size < size * sizeof(uint32_t))
        indices->is_set = false;
    return cuda_room_grow(device, &indices->room, size, sizeof(uint32_t));
}

static enum status set_grow(struct device *device, struct cuda_set *set)
{
    const uint64_t stride = cuda_pad(device->sizes.k, CUDA_K_UNIT);
    const uint32_t rank = device->sizes.rank;
    enum status status = cuda_room_grow(device, &set->left, device->sizes.m, stride);

    if (!status)
        status = cuda_room_grow(device, &set->extra, 1, extra_size(device));
    if (status || !rank)
        return status;
    status = cuda_room_grow(device, &set->dense, device->sizes.m, rank);
    if (!status)
        status =
            cuda_room_grow(device, &set->pairs, device->sizes.k, 2 * sizeof(uint16_t));
    if (!status)
        status = cuda_room_grow(device, &set->x, device->sizes.m, rank * sizeof(int32_t));
    if (!status)
        status = cuda_room_grow(device, &set->y, device->sizes.n, rank * sizeof(int32_t));
    if (!status)
        status = indices_grow(device, &set->rows, device->sizes.m);
    if (!status)
        status = indices_grow(device, &set->columns, device->sizes.n);
    return status;
}

static uint64_t set_size(const struct device *device)
{
    const uint64_t sums = (uint64_t)device->sizes.rank * sizeof(int32_t);

    return device->sizes.m *
               (cuda_pad(device->sizes.k, CUDA_K_UNIT) + device->sizes.rank + sums) +
           device->sizes.n * sums + extra_size(device);
}

static enum status sets_grow(struct device *device, const struct cuda_sizes *sizes)
{
    enum status status = STATUS_OK;

    device->sizes = *sizes;
    if (2 * set_size(device) > device->head.info.memory_bytes / MEMORY_SHARE)
        device->set_count = 1;
    device->set = 0;
    for (uint32_t i = 0; !status && i < device->set_count; i++)
        status = set_grow(device, &device->sets[i]);
    return status;
}

/* What there was before is there again where there is no room for more. */
enum status cuda_reserve(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                         uint32_t rank)
{
    const struct cuda_sizes before = device->sizes;
    const struct cuda_sizes sizes = {larger(before.m, m), larger(before.n, n),
                                     larger(before.k, k), larger(before.rank, rank)};
    enum status status = cuda_enter(device);

    device->ahead.is_set = false;
    for (uint32_t i = 0; !status && i < device->set_count; i++)
        status = cuda_set_wait(device, &device->sets[i]);
    if (status)
        return status;
    status = sets_grow(device, &sizes);
    if (status && sets_grow(device, &before))
        device->sizes = (struct cuda_sizes){.m = 0};
    return status;
}
