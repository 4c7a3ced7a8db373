/*
 * cpu_scratch.c - all memory a device works in besides buffers and packed operands.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/cpu_tiles.h"
#include "miner/base/memory.h"

enum {
    WAVE_SIZE = 64 << 20,  /* packed rows of a held at once */
    WAVE_PANELS_MIN = 64,  /* more than the 16 panels of the tallest tile */
    GROUPS_MAX = 4,        /* of tile rows in a panel */
    LIMBS_MAX = 2,         /* of a correction's sums */
    STRIPS_SIZE = 4 << 20, /* folds of many blocks; more where one band needs it */
    RANK_MIN = 32,
};

uint32_t cpu_wave_panels(const struct cpu_matmul *row, uint32_t m, uint32_t k)
{
    const uint64_t panel = (uint64_t)CPU_ROWS * cpu_pad(k, CPU_K_UNIT) * row->unit;
    const uint64_t fit = WAVE_SIZE / panel, all = cpu_tiles_panels_max(m);
    const uint64_t wave = fit > WAVE_PANELS_MIN ? fit : WAVE_PANELS_MIN;

    return (uint32_t)(all < wave ? all : wave);
}

uint32_t cpu_slices_max(uint32_t k)
{
    uint64_t rank = RANK_MIN, below = 0;

    for (; 4 * rank * rank < k; rank *= 2)
        below = 4 * rank; /* slices of the largest k that the smaller rank suits */
    return (uint32_t)(k / rank > below ? k / rank : below);
}

/* At least count * size bytes; what was there is gone when it grows. */
static enum status room_grow(struct cpu_room *room, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return STATUS_NO_MEMORY;
    if (count * size <= room->size)
        return STATUS_OK;
    memory_free(room->data);
    room->size = 0;
    room->data = memory_array(count, size);
    if (!room->data)
        return STATUS_NO_MEMORY;
    room->size = count * size;
    return STATUS_OK;
}

static enum status desk_grow(struct cpu_desk *desk, const struct cpu_scratch *s,
                             size_t unit)
{
    const size_t k = cpu_pad(s->k, CPU_K_UNIT), n = cpu_pad(s->n, CPU_COLUMNS);
    const size_t fold = GROUPS_MAX * sizeof(uint32_t);
    const size_t slices = cpu_pad(cpu_slices_max(s->k), 16);
    const size_t strips = slices * n * fold;
    enum status status;

    status = room_grow(&desk->lines, CPU_COLUMNS + 1, k);
    if (!status)
        status = room_grow(&desk->c, CPU_ROWS + 1, CPU_COLUMNS * sizeof(int32_t));
    if (status || !s->rank)
        return status;
    status = room_grow(&desk->clean, CPU_COLUMNS + 1, k);
    if (!status)
        status = room_grow(&desk->panel, CPU_COLUMNS, k * unit);
    if (!status)
        status = room_grow(&desk->sums, s->rank, CPU_COLUMNS * sizeof(int32_t));
    if (!status)
        status = room_grow(&desk->folds, slices, CPU_COLUMNS * fold);
    if (!status)
        status = room_grow(&desk->strips, 1, strips > STRIPS_SIZE ? strips : STRIPS_SIZE);
    return status;
}

static enum status shared_grow(struct cpu_scratch *s, const struct cpu_matmul *row)
{
    const size_t k = cpu_pad(s->k, CPU_K_UNIT), n = cpu_pad(s->n, CPU_COLUMNS);
    const size_t wave = cpu_wave_panels(row, s->m, s->k);
    const size_t extra = 2 * LIMBS_MAX * (size_t)s->rank * sizeof(int16_t);
    enum status status;

    status =
        room_grow(&s->order, cpu_tiles_panels_max(s->m), CPU_ROWS * sizeof(uint32_t));
    if (!status)
        status = room_grow(&s->left, wave, CPU_ROWS * k * row->unit);
    if (status || !s->rank)
        return status;
    status = room_grow(&s->left_extra, wave, CPU_ROWS * extra);
    if (!status)
        status = room_grow(&s->right_extra, n, extra);
    if (!status)
        status = room_grow(&s->dense, s->m, s->rank);
    if (!status)
        status = room_grow(&s->pairs, s->k, 2 * sizeof(uint16_t));
    return status;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

enum status cpu_reserve(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                        uint32_t rank)
{
    struct cpu_scratch *scratch = &device->scratch;
    enum status status;

    scratch->m = larger(scratch->m, m);
    scratch->n = larger(scratch->n, n);
    scratch->k = larger(scratch->k, k);
    scratch->rank = larger(scratch->rank, rank);
    status = shared_grow(scratch, device->row);
    for (uint32_t i = 0; !status && i < cpu_threads_count(device->threads); i++)
        status = desk_grow(&scratch->desks[i], scratch, device->row->unit);
    return status;
}

static void desk_free(struct cpu_desk *desk)
{
    memory_free(desk->lines.data);
    memory_free(desk->clean.data);
    memory_free(desk->panel.data);
    memory_free(desk->sums.data);
    memory_free(desk->folds.data);
    memory_free(desk->strips.data);
    memory_free(desk->c.data);
}

void cpu_scratch_free(struct cpu_scratch *scratch, uint32_t threads)
{
    for (uint32_t i = 0; scratch->desks && i < threads; i++)
        desk_free(&scratch->desks[i]);
    memory_free(scratch->desks);
    memory_free(scratch->order.data);
    memory_free(scratch->left.data);
    memory_free(scratch->left_extra.data);
    memory_free(scratch->right_extra.data);
    memory_free(scratch->dense.data);
    memory_free(scratch->pairs.data);
}
