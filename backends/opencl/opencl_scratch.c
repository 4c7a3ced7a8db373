/*
 * opencl_scratch.c - what products need beside their operands.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_device.h"
#include "backends/opencl/opencl_order.h"
#include "backends/opencl/opencl_part.h"
#include "backends/opencl/opencl_product.h"
#include "miner/base/memory.h"

enum status opencl_room_grow(struct device *device, struct opencl_room *room,
                             uint64_t size)
{
    enum status status;

    if (room->memory && room->size >= size)
        return STATUS_OK;
    opencl_memory_free(device, room->memory);
    *room = (struct opencl_room){.size = 0};
    status = opencl_memory_new(device, size, &room->memory);
    room->size = status ? 0 : size;
    return status;
}

static void room_free(struct device *device, struct opencl_room *room)
{
    opencl_memory_free(device, room->memory);
    *room = (struct opencl_room){.size = 0};
}

static enum status order_grow(struct device *device, struct opencl_order *order,
                              uint32_t lines)
{
    const uint64_t slots = opencl_order_slots_max(lines);
    enum status status;

    if (slots <= order->host_max)
        return STATUS_OK;
    order->is_set = false;
    order->host_max = 0;
    memory_free(order->host);
    order->host = memory_array(slots, sizeof *order->host);
    status = order->host
                 ? opencl_room_grow(device, &order->room, slots * sizeof *order->host)
                 : STATUS_NO_MEMORY;
    order->host_max = status ? 0 : (uint32_t)slots;
    return status;
}

uint32_t opencl_band_slots(const struct device *device, uint32_t k_padded)
{
    const struct opencl_scratch *scratch = &device->scratch;

    return (uint32_t)(scratch->left.size / k_padded / device->row->left_size);
}

/* Slots that are packed at a time: within a bound, but room for the patterns that need
 * most. */
static uint64_t band_slots_max(const struct device *device, uint32_t m, uint32_t k_padded)
{
    enum { SLOTS_MIN = 2048 };
    const uint64_t size = OPENCL_BAND_SIZE < device->head.info.piece_bytes
                              ? OPENCL_BAND_SIZE
                              : device->head.info.piece_bytes;
    const uint64_t fit = size / k_padded / device->row->left_size;
    const uint64_t all = opencl_order_slots_max(m);
    const uint64_t most = fit > SLOTS_MIN ? fit : SLOTS_MIN;

    return all < most ? all : most;
}

/* Slices at most for this k and smaller ones: ranks are 32 at least and k <= 4 r r. */
static uint64_t slices_max(uint32_t k)
{
    uint64_t rank = 32;

    while (4 * rank * rank < k)
        rank *= 2;
    return k / rank + 1;
}

static uint64_t folds_size(uint32_t m, uint32_t n, uint32_t k)
{
    enum { PARTS_MAX = 8 }; /* tickets with a share of one block */
    const uint64_t blocks = (opencl_order_slots_max(m) / BLOCK_ROWS + 1) *
                            (opencl_order_slots_max(n) / BLOCK_COLUMNS + 1);
    const uint64_t slices = slices_max(k) * PARTS_MAX * sizeof(uint32_t);

    return blocks < OPENCL_FOLDS_SIZE / slices ? blocks * slices : OPENCL_FOLDS_SIZE;
}

static enum status mining_reserve(struct device *device)
{
    struct opencl_scratch *scratch = &device->scratch;
    const struct opencl_matmul *row = device->row;
    const uint64_t k = opencl_pad(scratch->k, K_UNIT), rank = scratch->rank;
    const uint64_t extra = (1 + OPENCL_LIMBS_MAX) * rank;
    const uint64_t band = band_slots_max(device, scratch->m, (uint32_t)k);
    const uint64_t columns = opencl_order_slots_max(scratch->n);
    const uint64_t window = columns < OPENCL_WINDOW_MAX ? columns : OPENCL_WINDOW_MAX;
    const struct {
        struct opencl_room *room;
        uint64_t size;
    } wanted[] = {
        {&scratch->right, row->reorders ? window * k : 0},
        {&scratch->folds, folds_size(scratch->m, scratch->n, scratch->k)},
        {&scratch->dense, scratch->m * rank},
        {&scratch->pairs, 4 * (uint64_t)scratch->k},
        {&scratch->seed, 32},
        {&scratch->sparse_left,
         opencl_pad((uint32_t)rank, row->cell_rows) * k * row->left_size},
        {&scratch->sparse_right, opencl_pad((uint32_t)rank, row->cell_columns) * k},
        {&scratch->left_extra, band * extra * row->left_size},
        {&scratch->right_extra, window * extra},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < sizeof wanted / sizeof wanted[0]; i++)
        status = opencl_room_grow(device, wanted[i].room, wanted[i].size);
    return status;
}

enum status opencl_reserve(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                           uint32_t rank)
{
    struct opencl_scratch *scratch = &device->scratch;
    const uint32_t k_padded = opencl_pad(k > scratch->k ? k : scratch->k, K_UNIT);
    enum status status;

    scratch->m = m > scratch->m ? m : scratch->m;
    scratch->n = n > scratch->n ? n : scratch->n;
    scratch->k = k > scratch->k ? k : scratch->k;
    scratch->rank = rank > scratch->rank ? rank : scratch->rank;
    if (!scratch->m || !scratch->n || !scratch->k)
        return STATUS_OK;
    status = order_grow(device, &scratch->rows, scratch->m);
    if (!status)
        status = order_grow(device, &scratch->columns, scratch->n);
    if (!status)
        status = opencl_room_grow(device, &scratch->flag, sizeof(uint32_t));
    if (!status)
        status = opencl_room_grow(device, &scratch->left,
                                  band_slots_max(device, scratch->m, k_padded) *
                                      k_padded * device->row->left_size);
    if (!status && scratch->rank)
        status = mining_reserve(device);
    return status;
}

void opencl_scratch_free(struct device *device)
{
    struct opencl_scratch *scratch = &device->scratch;
    struct opencl_room *const rooms[] = {
        &scratch->rows.room,    &scratch->columns.room, &scratch->left,
        &scratch->right,        &scratch->folds,        &scratch->dense,
        &scratch->pairs,        &scratch->seed,         &scratch->sparse_left,
        &scratch->sparse_right, &scratch->left_extra,   &scratch->right_extra,
        &scratch->flag};

    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        room_free(device, rooms[i]);
    memory_free(scratch->rows.host);
    memory_free(scratch->columns.host);
    *scratch = (struct opencl_scratch){.m = 0};
}
