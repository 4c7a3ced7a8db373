/*
 * cuda_left.c - the left operand of a product: whole rows, noised, and what takes the
 * noise out again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"

#define AT(place)                                                                        \
    {                                                                                    \
        .offset = (place)                                                                \
    }

/* Where c is wanted, x comes of the same pass over a. */
static enum status noise_put(struct device *device, const struct multiply *ask,
                             const struct cuda_set *set)
{
    const struct packed *b = ask->b;
    const uint64_t a = cuda_view(ask->a), pairs = set->pairs.address;
    const struct launch noise = {
        .kernel = KERNEL_noise_add,
        .last = ask->m,
        .views = {AT(a), AT(set->dense.address), AT(pairs), AT(set->left.address)},
        .scalars = {{.u32 = b->head.k}, {.u32 = ask->mining->a.rank}}};
    const struct launch x = {.kernel = KERNEL_lowrank_x,
                             .last = ask->m,
                             .views = {AT(a), AT(b->pairs), AT(set->x.address)},
                             .scalars = {noise.scalars[0], noise.scalars[1]}};
    const struct launch y = {.kernel = KERNEL_lowrank_y,
                             .last = b->head.n,
                             .views = {AT(b->values), AT(pairs), AT(set->y.address)},
                             .scalars = {noise.scalars[0], noise.scalars[1]}};
    enum status status;

    if (!ask->c.buffer)
        return cuda_launch_text(device, &noise);
    status = cuda_launch_then(device, &noise, &x);
    return status ? status : cuda_launch_text(device, &y);
}

enum status cuda_left_prepare(struct device *device, const struct multiply *ask,
                              const struct cuda_set *set, struct cuda_product *product)
{
    const struct mining *mining = ask->mining;
    const struct packed *b = ask->b;
    const uint32_t m = ask->m, k = b->head.k;
    const uint64_t a = cuda_view(ask->a);
    const bool is_aligned = a % CUDA_LINES_UNIT == 0 && k == b->stride;
    enum status status;

    product->a = cuda_pointer(is_aligned && !mining ? a : set->left.address);
    if (!mining)
        return is_aligned ? STATUS_OK
                          : cuda_rows_copy(device, set->left.address, a, k, m);
    const struct cuda_factors factors = {.side = 0,
                                         .lines = m,
                                         .k = k,
                                         .seed = set->seed,
                                         .dense = set->dense.address,
                                         .pairs = set->pairs.address};

    status = cuda_factors_make(device, &mining->a, &factors);
    return status ? status : noise_put(device, ask, set);
}
