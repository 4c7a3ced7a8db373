/*
 * generated.c - makes matrices by the shared text, on a device or here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/generated.h"

#include <assert.h>
#include <inttypes.h>

enum { SIDE_MAX = 1 << 24, K_STEP = 64, K_MAX = 65536 };

enum status generated_check(struct model_shape shape, struct error *err)
{
    if (shape.m == 0 || shape.m > SIDE_MAX)
        return error_set(err, STATUS_BAD_DATA, "m is %" PRIu64 ", expected 1 to %d",
                         shape.m, SIDE_MAX);
    if (shape.n == 0 || shape.n > SIDE_MAX)
        return error_set(err, STATUS_BAD_DATA, "n is %" PRIu64 ", expected 1 to %d",
                         shape.n, SIDE_MAX);
    if (shape.k == 0 || shape.k > K_MAX || shape.k % K_STEP)
        return error_set(err, STATUS_BAD_DATA,
                         "k is %" PRIu64 ", expected a multiple of %d up to %d", shape.k,
                         K_STEP, K_MAX);
    return STATUS_OK;
}

enum status generated_fits(const struct device *device, struct model_shape shape,
                           uint64_t extra, struct error *err)
{
    /* Each operand, and of each its packed, its noised and its hashed copy (pow.md
     * sections 4 and 5); the layers of chaining values are less than a sixteenth of one
     * of them. */
    const uint64_t operands = (shape.m + shape.n) * shape.k;
    const uint64_t needed = 4 * operands + operands / 16 + extra;
    const uint64_t there = device_info(device)->memory_bytes;
    if (there && needed > there)
        return error_set(err, STATUS_NO_MEMORY,
                         "a product of %" PRIu64 " x %" PRIu64 " x %" PRIu64
                         " needs %" PRIu64 " MiB, the device has %" PRIu64,
                         shape.m, shape.n, shape.k, needed >> 20, there >> 20);
    return STATUS_OK;
}

enum status generated_new(struct generated *out, struct device *device,
                          struct model_shape shape, struct error *err)
{
    *out = (struct generated){.device = device, .shape = shape};
    enum status status = generated_check(shape, err);
    if (status)
        return status;
    status = device_buffer_new(device, (size_t)(shape.m * shape.k), &out->left);
    if (!status)
        status = device_buffer_new(device, (size_t)(shape.n * shape.k), &out->right);
    if (!status)
        status = weights_new(device, (struct view){out->right, 0}, (uint32_t)shape.n,
                             (uint32_t)shape.k, &out->weights);
    if (!status)
        status = device_reserve(device, (uint32_t)shape.m, (uint32_t)shape.n,
                                (uint32_t)shape.k, 0);
    if (!status)
        return STATUS_OK;
    generated_free(out);
    return error_set(err, status,
                     "operands of %" PRIu64 " x %" PRIu64 " x %" PRIu64 ": %s", shape.m,
                     shape.n, shape.k, status_text(status));
}

void generated_free(struct generated *generated)
{
    if (!generated->device)
        return;
    weights_free(generated->weights);
    device_buffer_free(generated->device, generated->right);
    device_buffer_free(generated->device, generated->left);
    *generated = (struct generated){0};
}

static enum status generated_launch(struct device *device, struct buffer *to,
                                    uint64_t size, uint64_t seed)
{
    const struct launch launch = {
        .kernel = KERNEL_test_matrix,
        .first = 0,
        .last = size,
        .views = {{to, 0}},
        .scalars = {{.u64 = seed}},
    };
    return device_launch(device, &launch);
}

enum status generated_left(struct generated *generated, uint64_t seed, uint64_t rows)
{
    assert(rows <= generated->shape.m);
    return generated_launch(generated->device, generated->left, rows * generated->shape.k,
                            seed);
}

enum status generated_right(struct generated *generated, uint64_t seed)
{
    const struct model_shape s = generated->shape;
    struct weights *fresh = NULL;
    enum status status =
        generated_launch(generated->device, generated->right, s.n * s.k, seed);
    if (!status)
        status = weights_new(generated->device, (struct view){generated->right, 0},
                             (uint32_t)s.n, (uint32_t)s.k, &fresh);
    if (status)
        return status;
    weights_free(generated->weights);
    generated->weights = fresh;
    return STATUS_OK;
}

enum status generated_run(struct generated *generated, struct matmul_port *port,
                          struct view product)
{
    const struct matmul matmul = {
        .m = (uint32_t)generated->shape.m,
        .a = {generated->left, 0},
        .b = generated->weights,
        .c = product,
    };
    return matmul_run(port, &matmul);
}

void generated_fill(uint8_t *out, uint64_t size, uint64_t seed)
{
    void *views[KERNEL_VIEWS_MAX] = {out};
    const union scalar scalars[KERNEL_SCALARS_MAX] = {{.u64 = seed}};
    kernel_table[KERNEL_test_matrix].run(0, size, views, scalars);
}
