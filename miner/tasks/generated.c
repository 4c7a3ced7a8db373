/*
 * generated.c - makes matrices by the shared text, on a device or here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/generated.h"

#include <assert.h>
#include <inttypes.h>

#include "kernels/blake3_host.h"

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

uint64_t generated_size(struct model_shape shape, uint32_t lefts)
{
    /* Each operand, and of each its packed, its noised and its hashed copy (pow.md
     * sections 4 and 5); the layers of chaining values are less than a sixteenth of one
     * of them.  Another A has layers, and no other copies, of its own: in those one
     * product after the other works. */
    const uint64_t operands = (shape.m + shape.n) * shape.k;
    const uint64_t others = (lefts - 1) * shape.m * shape.k;

    return 4 * operands + operands / 16 + others + others / 16;
}

enum status generated_piece_fits(const struct device *device, struct model_shape shape,
                                 uint64_t product, struct error *err)
{
    enum { PAD = 128 }; /* lines that a packed copy may have more */
    const uint64_t lines = (shape.m > shape.n ? shape.m : shape.n) + PAD;
    const uint64_t largest = lines * shape.k > product ? lines * shape.k : product;
    const uint64_t most = device_info(device)->piece_bytes;

    if (most && largest > most)
        return error_set(err, STATUS_NO_MEMORY,
                         "a product of %" PRIu64 " x %" PRIu64 " x %" PRIu64
                         " needs %" PRIu64 " MiB in one piece, the device gives at "
                         "most %" PRIu64,
                         shape.m, shape.n, shape.k, largest >> 20, most >> 20);
    return STATUS_OK;
}

enum status generated_fits(const struct device *device, struct model_shape shape,
                           uint64_t extra, struct error *err)
{
    const uint64_t needed = generated_size(shape, 1) + extra;
    const uint64_t there = device_info(device)->memory_bytes;
    if (there && needed > there)
        return error_set(err, STATUS_NO_MEMORY,
                         "a product of %" PRIu64 " x %" PRIu64 " x %" PRIu64
                         " needs %" PRIu64 " MiB, the device has %" PRIu64,
                         shape.m, shape.n, shape.k, needed >> 20, there >> 20);
    return generated_piece_fits(device, shape, extra, err);
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

enum status generated_spare_new(struct generated *generated)
{
    const struct model_shape shape = generated->shape;

    assert(!generated->spare);
    return device_buffer_new(generated->device, (size_t)(shape.m * shape.k),
                             &generated->spare);
}

void generated_turn(struct generated *generated)
{
    struct buffer *const left = generated->left;

    assert(generated->spare);
    generated->left = generated->spare;
    generated->spare = left;
}

void generated_free(struct generated *generated)
{
    if (!generated->device)
        return;
    weights_free(generated->weights);
    device_buffer_free(generated->device, generated->right);
    device_buffer_free(generated->device, generated->left);
    device_buffer_free(generated->device, generated->spare);
    *generated = (struct generated){0};
}

static enum status fill(struct device *device, struct view to, uint64_t size,
                        uint64_t seed)
{
    const struct launch launch = {
        .kernel = KERNEL_test_matrix,
        .first = 0,
        .last = size,
        .views = {to},
        .scalars = {{.u64 = seed}},
    };
    return device_launch(device, &launch);
}

enum status generated_left(struct generated *generated, uint64_t seed, uint64_t rows)
{
    assert(rows <= generated->shape.m);
    return fill(generated->device, (struct view){generated->left, 0},
                rows * generated->shape.k, seed);
}

/* Takes the place of the weights; nothing is derived of the fresh ones. */
static enum status weights_renew(struct generated *generated)
{
    struct weights *fresh = NULL;
    const enum status status =
        weights_new(generated->device, (struct view){generated->right, 0},
                    (uint32_t)generated->shape.n, (uint32_t)generated->shape.k, &fresh);

    if (status)
        return status;
    weights_free(generated->weights);
    generated->weights = fresh;
    return STATUS_OK;
}

enum status generated_right(struct generated *generated, uint64_t seed)
{
    const enum status status = fill(generated->device, (struct view){generated->right, 0},
                                    generated->shape.n * generated->shape.k, seed);

    return status ? status : weights_renew(generated);
}

enum { SIDE_LEFT, SIDE_RIGHT };

struct strips {
    const struct generated_seed *seed;
    uint8_t side;
    uint64_t attempt;
};

static void u64_put(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t strip_seed(const struct strips *strips, uint64_t strip)
{
    uint8_t name[17], digest[BLAKE3_SIZE];
    uint64_t out = 0;

    u64_put(name, strips->attempt);
    u64_put(name + 8, strip);
    name[16] = strips->side;
    blake3_hash(name, sizeof name, strips->seed->bytes, digest);
    for (int i = 0; i < 8; i++)
        out |= (uint64_t)digest[i] << 8 * i;
    return out;
}

static enum status draw(struct device *device, struct buffer *to, uint64_t size,
                        const struct strips *strips)
{
    enum status status = STATUS_OK;

    for (uint64_t at = 0; at < size && !status; at += GENERATED_STRIP) {
        const uint64_t left = size - at;
        status = fill(device, (struct view){to, at},
                      left < GENERATED_STRIP ? left : GENERATED_STRIP,
                      strip_seed(strips, at / GENERATED_STRIP));
    }
    return status;
}

enum status generated_draw_left(struct generated *generated,
                                const struct generated_seed *seed, uint64_t attempt,
                                uint64_t size)
{
    const struct strips strips = {seed, SIDE_LEFT, attempt};

    assert(size <= generated->shape.m * generated->shape.k);
    return draw(generated->device, generated->left, size, &strips);
}

enum status generated_draw_right(struct generated *generated,
                                 const struct generated_seed *seed)
{
    const struct strips strips = {seed, SIDE_RIGHT, 0};
    const enum status status = draw(generated->device, generated->right,
                                    generated->shape.n * generated->shape.k, &strips);

    return status ? status : weights_renew(generated);
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
