/*
 * cpu_packed.c - right operands in the order in which products read them, noised or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cpu/cpu_lines.h"
#include "backends/cpu/cpu_tiles.h"
#include "miner/base/memory.h"

enum {
    RANK_PART = 16, /* a rank is at most k / 16 (pow.md section 1) */
    FACTOR_GRAIN = 64,
};

void cpu_packed_free(struct device *device, struct packed *packed)
{
    (void)device;
    if (!packed)
        return;
    memory_free(packed->values);
    memory_free(packed->corrections);
    memory_free(packed->dense);
    memory_free(packed->pairs);
    memory_free(packed);
}

enum status cpu_packed_new(struct device *device, uint32_t n, uint32_t k,
                           struct packed **out)
{
    struct packed *packed = memory_new(struct packed);
    const size_t panel_lines = CPU_COLUMNS;
    enum status status;

    if (!packed)
        return STATUS_NO_MEMORY;
    packed->k_padded = cpu_pad(k, CPU_K_UNIT);
    packed->panels = cpu_pad(n, CPU_COLUMNS) / CPU_COLUMNS;
    packed->values =
        memory_array(packed->panels, panel_lines * packed->k_padded * device->row->unit);
    packed->corrections = memory_array(
        packed->panels, panel_lines * (cpu_slices_max(k) + 1) * sizeof(int32_t));
    packed->dense = memory_array(n, k / RANK_PART);
    packed->pairs = memory_array(k, 2 * sizeof(uint16_t));
    status = cpu_reserve(device, 0, 0, k, 0);
    if (!packed->values || !packed->corrections || !packed->dense || !packed->pairs)
        status = STATUS_NO_MEMORY;
    if (status) {
        cpu_packed_free(device, packed);
        return status;
    }
    *out = packed;
    return STATUS_OK;
}

struct stream {
    kernel_function *kernel;
    void *views[2];
    union scalar scalars[3];
};

static void stream_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    const struct stream *stream = context;

    (void)thread;
    stream->kernel(first, last, stream->views, stream->scalars);
}

void cpu_factors_make(struct device *device, const struct noise *noise,
                      const struct cpu_factors *factors)
{
    uint8_t seed[sizeof noise->seed];
    struct stream dense = {.kernel = device->kernels[KERNEL_noise_dense],
                           .views = {seed, factors->dense},
                           .scalars = {{.u32 = factors->side}, {.u64 = 0}}};
    struct stream pairs = {
        .kernel = device->kernels[KERNEL_noise_pairs],
        .views = {seed, factors->pairs},
        .scalars = {{.u32 = factors->side}, {.u32 = noise->rank}, {.u32 = factors->k}}};

    memcpy(seed, noise->seed, sizeof seed);
    cpu_threads_run(device->threads, stream_part, &dense,
                    (uint64_t)factors->lines * noise->rank / 32, FACTOR_GRAIN);
    cpu_threads_run(device->threads, stream_part, &pairs, (factors->k + 7) / 8,
                    FACTOR_GRAIN);
}

struct packing {
    struct device *device;
    struct packed *to;
    struct cpu_lines lines;
};

static void pack_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    const struct packing *packing = context;
    const struct cpu_matmul *row = packing->device->row;
    struct packed *to = packing->to;
    const size_t panel_size = (size_t)CPU_COLUMNS * to->k_padded * row->unit;
    const int8_t *lines[CPU_COLUMNS];
    uint32_t which[CPU_COLUMNS];

    for (uint64_t panel = first; panel < last; panel++) {
        for (uint32_t j = 0; j < CPU_COLUMNS; j++) {
            const uint32_t column = (uint32_t)panel * CPU_COLUMNS + j;
            which[j] = column < to->head.n ? column : CPU_NO_ROW;
        }
        cpu_lines_take(packing->device, &packing->lines, which, CPU_COLUMNS,
                       packing->device->scratch.desks[thread].lines.data, lines);
        row->pack_right(lines, to->k_padded, to->slice, to->values + panel * panel_size,
                        to->corrections + panel * (to->slices + 1) * CPU_COLUMNS);
    }
}

enum status cpu_pack(struct device *device, struct packed *to, struct view b,
                     const struct noise *noise)
{
    const uint32_t n = to->head.n, k = to->head.k;
    struct packing packing = {
        .device = device,
        .to = to,
        .lines = {.values = cpu_view(b), .k = k, .k_padded = to->k_padded},
    };

    const struct cpu_factors factors = {
        .side = 1, .lines = n, .k = k, .dense = to->dense, .pairs = to->pairs};

    to->slice = noise ? noise->rank : to->k_padded;
    to->slices = noise ? k / noise->rank : 0;
    to->tail = to->k_padded - to->slices * (noise ? noise->rank : 0);
    if (noise) {
        cpu_factors_make(device, noise, &factors);
        packing.lines.dense = to->dense;
        packing.lines.pairs = to->pairs;
        packing.lines.rank = noise->rank;
    }
    cpu_threads_run(device->threads, pack_part, &packing, to->panels, 1);
    return STATUS_OK;
}
