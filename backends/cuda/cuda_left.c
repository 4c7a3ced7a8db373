/*
 * cuda_left.c - the left operand of a product: whole rows, noised, and what takes the
 * noise out again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"

enum status cuda_left_prepare(struct device *device, const struct multiply *ask,
                              const struct cuda_set *set, struct cuda_product *product)
{
    const struct mining *mining = ask->mining;
    const struct packed *b = ask->b;
    const uint32_t m = ask->m, n = b->head.n, k = b->head.k;
    const uint64_t a = cuda_view(ask->a);
    const bool is_aligned = a % CUDA_LINES_UNIT == 0 && k == b->stride;
    enum status status;

    product->a = cuda_pointer(is_aligned && !mining ? a : set->left.address);
    if (!mining)
        return is_aligned ? STATUS_OK
                          : cuda_rows_copy(device, set->left.address, a, k, m);
    const union scalar scalars[] = {{.u32 = k}, {.u32 = mining->a.rank}};
    const struct cuda_factors factors = {.side = 0,
                                         .lines = m,
                                         .k = k,
                                         .seed = set->seed,
                                         .dense = set->dense.address,
                                         .pairs = set->pairs.address};

    status = cuda_factors_make(device, &mining->a, &factors);
    if (!status)
        status = cuda_text(
            device, KERNEL_noise_add, (const uint64_t[]){0, m},
            (const uint64_t[]){a, factors.dense, factors.pairs, set->left.address},
            scalars, device->order);
    if (!status && ask->c.buffer)
        status = cuda_text(device, KERNEL_lowrank_x, (const uint64_t[]){0, m},
                           (const uint64_t[]){a, b->pairs, set->x.address}, scalars,
                           device->order);
    if (!status && ask->c.buffer)
        status = cuda_text(device, KERNEL_lowrank_y, (const uint64_t[]){0, n},
                           (const uint64_t[]){b->values, factors.pairs, set->y.address},
                           scalars, device->order);
    return status;
}
