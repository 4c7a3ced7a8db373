/*
 * opencl_packed.c - right operands in the layout of the main loop, clean or noised.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_device.h"
#include "backends/opencl/opencl_part.h"
#include "miner/base/memory.h"

/* One zero line at least, which stands for all that are nobody's. */
static uint32_t packed_lines(const struct device *device, uint32_t n)
{
    return opencl_pad(n + 1, device->row->cell_columns);
}

void opencl_packed_free(struct device *device, struct packed *packed)
{
    opencl_memory_free(device, packed->values);
    opencl_memory_free(device, packed->dense);
    opencl_memory_free(device, packed->pairs);
    memory_free(packed);
}

static enum status factors_room(struct device *device, struct packed *packed,
                                uint32_t rank)
{
    enum status status = STATUS_OK;

    if (!packed->pairs)
        status = opencl_memory_new(device, (uint64_t)packed->head.k * 4, &packed->pairs);
    if (!status && rank > packed->rank_max) {
        opencl_memory_free(device, packed->dense);
        packed->rank_max = 0;
        status =
            opencl_memory_new(device, (uint64_t)packed->head.n * rank, &packed->dense);
        packed->rank_max = status ? 0 : rank;
    }
    return status;
}

/* Where noise may come, its room is made now: the largest rank that was reserved and that
 * this k allows (16 r <= k). */
static enum status factors_expect(struct device *device, struct packed *packed)
{
    uint32_t rank = device->scratch.rank;

    while (16 * rank > packed->head.k)
        rank /= 2;
    return rank ? factors_room(device, packed, rank) : STATUS_OK;
}

/* In one piece: pack() reads an operand that is one buffer of as many bytes, so where
 * this is larger than a device allows (CL_DEVICE_MAX_MEM_ALLOC_SIZE), that was refused
 * before, and the task declined with both figures. */
enum status opencl_packed_new(struct device *device, uint32_t n, uint32_t k,
                              struct packed **out)
{
    struct packed *packed = memory_new(struct packed);
    enum status status = STATUS_NO_MEMORY;

    if (packed) {
        packed->head.n = n; /* the checked face sets them again */
        packed->head.k = k;
        packed->k_padded = opencl_pad(k, K_UNIT);
        status = opencl_memory_new(device,
                                   (uint64_t)packed_lines(device, n) * packed->k_padded,
                                   &packed->values);
    }
    if (!status)
        status = factors_expect(device, packed);
    if (status) {
        if (packed)
            opencl_packed_free(device, packed);
        return status;
    }
    *out = packed;
    return STATUS_OK;
}

static enum status dense_make(struct device *device, const struct noise *noise,
                              const struct opencl_factors *factors)
{
    struct opencl_call call =
        opencl_call_begin(device, &device->kernels[KERNEL_noise_dense]);
    const cl_ulong zero = 0;

    opencl_call_memory(&call, device->scratch.seed.memory);
    opencl_call_value(&call, &zero, sizeof zero);
    opencl_call_memory(&call, factors->dense);
    opencl_call_value(&call, &zero, sizeof zero);
    opencl_call_value(&call, &factors->side, sizeof factors->side);
    opencl_call_value(&call, &zero, sizeof zero);
    return opencl_call_run(&call, 0, (uint64_t)factors->lines * noise->rank / 32);
}

static enum status pairs_make(struct device *device, const struct noise *noise,
                              const struct opencl_factors *factors)
{
    struct opencl_call call =
        opencl_call_begin(device, &device->kernels[KERNEL_noise_pairs]);
    const cl_ulong zero = 0;

    opencl_call_memory(&call, device->scratch.seed.memory);
    opencl_call_value(&call, &zero, sizeof zero);
    opencl_call_memory(&call, factors->pairs);
    opencl_call_value(&call, &zero, sizeof zero);
    opencl_call_value(&call, &factors->side, sizeof factors->side);
    opencl_call_value(&call, &noise->rank, sizeof noise->rank);
    opencl_call_value(&call, &factors->k, sizeof factors->k);
    return opencl_call_run(&call, 0, (factors->k + 7) / 8);
}

enum status opencl_factors_make(struct device *device, const struct noise *noise,
                                const struct opencl_factors *factors)
{
    enum status status =
        opencl_room_grow(device, &device->scratch.seed, sizeof noise->seed);

    /* Filled, not written: the queue takes its own copy, so nobody waits. */
    if (!status)
        status = opencl_status(device->api.clEnqueueFillBuffer(
            device->queue, device->scratch.seed.memory, noise->seed, sizeof noise->seed,
            0, sizeof noise->seed, 0, NULL, NULL));
    if (!status)
        status = dense_make(device, noise, factors);
    return status ? status : pairs_make(device, noise, factors);
}

enum status opencl_pack(struct device *device, struct packed *to, struct view b,
                        const struct noise *noise)
{
    const uint32_t n = to->head.n, slots = packed_lines(device, n);
    struct opencl_lines lines = {.slots = slots,
                                 .lines = n,
                                 .k = to->head.k,
                                 .k_padded = to->k_padded,
                                 .rank = noise ? noise->rank : 0,
                                 .has_noise = noise != NULL};
    struct opencl_call call = opencl_call_begin(device, &device->own[OWN_right]);
    enum status status = STATUS_OK;

    if (noise) {
        status = factors_room(device, to, noise->rank);
        const struct opencl_factors factors = {.side = 1,
                                               .lines = n,
                                               .k = to->head.k,
                                               .dense = to->dense,
                                               .pairs = to->pairs};
        if (!status)
            status = opencl_factors_make(device, noise, &factors);
    }
    if (status)
        return status;
    opencl_call_view(&call, b);
    opencl_call_memory(&call, NULL);
    opencl_call_memory(&call, noise ? to->dense : NULL);
    opencl_call_memory(&call, noise ? to->pairs : NULL);
    opencl_call_memory(&call, to->values);
    opencl_call_value(&call, &lines, sizeof lines);
    return opencl_call_run(&call, 0, (uint64_t)slots * (to->k_padded / K_UNIT));
}
