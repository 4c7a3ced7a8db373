/*
 * cuda_packed.c - right operands as products read them: rows of whole 64 bytes, noised or
 * not, with the factors of their noise beside them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"
#include "miner/base/memory.h"

enum { SEED_SIZE = 32 };

void cuda_packed_free(struct device *device, struct packed *packed)
{
    if (!packed)
        return;
    (void)device->driver.context_set(device->context);
    (void)cuda_touch(device, NULL, packed);
    cuda_memory_free(device, packed->values);
    cuda_memory_free(device, packed->dense);
    cuda_memory_free(device, packed->pairs);
    cuda_memory_free(device, packed->seed);
    memory_free(packed);
}

enum status cuda_packed_new(struct device *device, uint32_t n, uint32_t k,
                            struct packed **out)
{
    const uint64_t lines = cuda_pad(n, CUDA_LINES_UNIT);
    struct packed *packed = memory_new(struct packed);
    enum status status = packed ? cuda_enter(device) : STATUS_NO_MEMORY;

    if (status) {
        memory_free(packed);
        return status;
    }
    packed->stride = (uint32_t)cuda_pad(k, CUDA_K_UNIT);
    status = cuda_memory_new(device, lines * packed->stride, &packed->values);
    if (!status)
        status = cuda_memory_new(device, (uint64_t)n * (k / RANK_PART), &packed->dense);
    if (!status)
        status =
            cuda_memory_new(device, (uint64_t)k * 2 * sizeof(uint16_t), &packed->pairs);
    if (!status)
        status = cuda_memory_new(device, SEED_SIZE, &packed->seed);
    if (status) {
        cuda_packed_free(device, packed);
        return status;
    }
    *out = packed;
    return STATUS_OK;
}

enum status cuda_factors_make(struct device *device, const struct noise *noise,
                              const struct cuda_factors *factors)
{
    const uint64_t dense_units = (uint64_t)factors->lines * noise->rank / 32;
    enum status status = cuda_send(device, factors->seed, noise->seed, SEED_SIZE);

    if (!status)
        status = cuda_text(device, KERNEL_noise_dense, (const uint64_t[]){0, dense_units},
                           (const uint64_t[]){factors->seed, factors->dense},
                           (const union scalar[]){{.u32 = factors->side}, {.u64 = 0}},
                           device->order);
    if (!status)
        status = cuda_text(
            device, KERNEL_noise_pairs, (const uint64_t[]){0, (factors->k + 7) / 8},
            (const uint64_t[]){factors->seed, factors->pairs},
            (const union scalar[]){
                {.u32 = factors->side}, {.u32 = noise->rank}, {.u32 = factors->k}},
            device->order);
    return status;
}

enum status cuda_rows_copy(struct device *device, uint64_t to, uint64_t from, uint32_t k,
                           uint32_t count)
{
    enum { THREADS = 256, BLOCKS_PER_PROCESSOR = 8 };
    uint64_t first = 0, last = (uint64_t)count * k;
    uint32_t stride = (uint32_t)cuda_pad(k, CUDA_K_UNIT);
    void *arguments[] = {&first, &last, &from, &to, &k, &stride};
    const struct cuda_grid grid = {.parts = (last + THREADS - 1) / THREADS,
                                   .blocks_max =
                                       device->traits.processors * BLOCKS_PER_PROCESSOR,
                                   .threads = THREADS};

    if (stride == k)
        return cuda_check(
            device, device->driver.copy_on_device(to, from, (size_t)last, device->order),
            "copying rows");
    return cuda_launch(device, device->support[CUDA_ROWS_PAD], &grid, arguments,
                       device->order);
}

enum status cuda_pack(struct device *device, struct packed *to, struct view b,
                      const struct noise *noise)
{
    const uint32_t n = to->head.n, k = to->head.k;
    const struct cuda_factors factors = {.side = 1,
                                         .lines = n,
                                         .k = k,
                                         .seed = to->seed,
                                         .dense = to->dense,
                                         .pairs = to->pairs};
    enum status status = cuda_enter(device);

    if (!status)
        status = cuda_touch(device, b.buffer, to);
    if (status)
        return status;
    if (!noise)
        return cuda_rows_copy(device, to->values, cuda_view(b), k, n);
    status = cuda_factors_make(device, noise, &factors);
    if (!status)
        status = cuda_text(
            device, KERNEL_noise_add, (const uint64_t[]){0, n},
            (const uint64_t[]){cuda_view(b), to->dense, to->pairs, to->values},
            (const union scalar[]){{.u32 = k}, {.u32 = noise->rank}}, device->order);
    return status;
}
