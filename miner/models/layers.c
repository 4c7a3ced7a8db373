/*
 * layers.c - one function a layer, each a few launches (numerics.md 1.4).
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/models/layers.h"

#include <assert.h>
#include <string.h>

#include "miner/base/memory.h"

enum { K_MULTIPLE = 64, ALL_ONES = 0xff, ATTENTION_OPERANDS = 3 };

enum status layers_open(struct device *device, uint32_t slots_max, struct layers *out)
{
    enum status status;

    *out = (struct layers){.device = device, .slots_max = slots_max};
    out->rows_faulty = memory_array(slots_max, sizeof *out->rows_faulty);
    out->before = memory_array(slots_max, sizeof *out->before);
    status = out->rows_faulty && out->before
                 ? device_buffer_new(device, slots_max * sizeof(uint32_t), &out->faults)
                 : STATUS_NO_MEMORY;
    if (status)
        layers_close(out);
    return status;
}

void layers_close(struct layers *layers)
{
    if (layers->faults)
        device_buffer_free(layers->device, layers->faults);
    memory_free(layers->rows_faulty);
    memory_free(layers->before);
    *layers = (struct layers){0};
}

enum status layers_begin(struct layers *layers, struct matmul_port *port, uint32_t pack,
                         uint32_t rows)
{
    assert(rows);
    layers->port = port;
    layers->pack = pack;
    layers->rows = rows;
    layers->product = -1;
    layers->slots = 0;
    memset(layers->rows_faulty, ALL_ONES,
           layers->slots_max * sizeof *layers->rows_faulty);
    return device_write(layers->device, layers->faults, 0, layers->rows_faulty,
                        layers->slots_max * sizeof *layers->rows_faulty);
}

enum status layers_end(struct layers *layers, struct model_fault *fault)
{
    const enum status status =
        device_read(layers->device, layers->faults, 0, layers->rows_faulty,
                    layers->slots_max * sizeof *layers->rows_faulty);

    *fault = (struct model_fault){.is_set = false};
    if (status)
        return status;
    for (uint32_t slot = 0; slot < layers->slots; slot++) {
        if (layers->rows_faulty[slot] == UINT32_MAX)
            continue;
        *fault = (struct model_fault){.is_set = true,
                                      .product = layers->before[slot],
                                      .row = (int32_t)layers->rows_faulty[slot]};
        return STATUS_FAULT;
    }
    return STATUS_OK;
}

/* A slot for one more operation, in the order in which they run. */
static uint32_t take_slot(struct layers *layers)
{
    assert(layers->slots < layers->slots_max);
    layers->before[layers->slots] = layers->product;
    return layers->slots++;
}

static struct view faults_of(const struct layers *layers)
{
    return (struct view){.buffer = layers->faults};
}

/* ---- linear
 * ---------------------------------------------------------------------------------- */

static uint32_t padded(uint32_t k)
{
    return (k + K_MULTIPLE - 1) / K_MULTIPLE * K_MULTIPLE;
}

/* The launch that makes the left operand out of x. */
static struct launch quantise(struct layers *layers, const struct linear *linear,
                              const struct linear_room *room, struct view x)
{
    const uint32_t slot = take_slot(layers);
    struct launch launch = {
        .kernel = KERNEL_quantise7,
        .last = layers->rows,
        .views = {x, room->q, room->scales, faults_of(layers)},
        .scalars = {{.u32 = linear->k}, {.u32 = padded(linear->k)}, {.u32 = slot}},
    };

    if (linear->limbs_a == 2) {
        launch.kernel = KERNEL_quantise14;
        launch.scalars[2].u32 = layers->rows;
        launch.scalars[3].u32 = slot;
    }
    return launch;
}

static enum status multiply(struct layers *layers, const struct linear *linear,
                            const struct linear_room *room, const struct launch *made_by)
{
    const struct matmul product = {
        .site = {.pack = layers->pack, .product = linear->product},
        .m = linear->limbs_a * layers->rows,
        .a = room->q,
        .made_by = made_by,
        .b = linear->weights,
        .c = room->acc,
    };

    layers->product = (int32_t)linear->product;
    return matmul_run(layers->port, &product);
}

static enum status dequantise(const struct layers *layers, const struct linear *linear,
                              const struct linear_room *room, struct view y)
{
    const struct launch launch = {
        .kernel = KERNEL_dequantise,
        .last = layers->rows,
        .views = {room->acc, room->scales, linear->scales, linear->bias, y},
        .scalars = {{.u32 = layers->rows},
                    {.u32 = linear->n},
                    {.u32 = linear->limbs_a},
                    {.u32 = linear->limbs_w},
                    {.u32 = 1}},
    };

    return device_launch(layers->device, &launch);
}

enum status layers_linear(struct layers *layers, const struct linear *linear,
                          const struct linear_room *room, struct view x, struct view y)
{
    const struct launch made_by = quantise(layers, linear, room, x);

    assert(linear->weights->n == linear->n * linear->limbs_w);
    assert(linear->weights->k == padded(linear->k));
    const enum status status = multiply(layers, linear, room, &made_by);
    return status ? status : dequantise(layers, linear, room, y);
}

/* ---- the others
 * ------------------------------------------------------------------------------ */

enum status layers_norm(struct layers *layers, const struct norm *norm, struct view x,
                        struct view y)
{
    const struct launch launch = {
        .kernel = KERNEL_layer_norm,
        .last = layers->rows,
        .views = {x, norm->weight, norm->bias, y, faults_of(layers)},
        .scalars = {{.u32 = norm->width},
                    {.f32 = norm->inv_width},
                    {.f32 = norm->eps},
                    {.u32 = take_slot(layers)}},
    };

    return device_launch(layers->device, &launch);
}

/* Query, key or value out of their common rows as 12-bit integers. */
static enum status make_integers(struct layers *layers, const struct attention *attention,
                                 uint32_t operand, struct view qkv)
{
    const uint32_t width = attention->heads * attention->head_dim;
    const struct launch launch = {
        .kernel = KERNEL_bfp12,
        .last = layers->rows,
        .views = {qkv, attention->integers[operand], attention->exponents[operand],
                  faults_of(layers)},
        .scalars = {{.u32 = attention->heads},
                    {.u32 = attention->head_dim},
                    {.u32 = ATTENTION_OPERANDS * width},
                    {.u32 = operand * width},
                    {.u32 = take_slot(layers)}},
    };

    return device_launch(layers->device, &launch);
}

enum status layers_attention(struct layers *layers, const struct attention *attention,
                             struct view qkv, struct view out)
{
    const struct view no_bias = {0};
    const struct launch launch = {
        .kernel = KERNEL_attention,
        .last = (uint64_t)layers->rows * attention->heads,
        .views = {attention->integers[0], attention->exponents[0], attention->integers[1],
                  attention->exponents[1], attention->integers[2],
                  attention->exponents[2], attention->spans, no_bias, out},
        .scalars = {{.u32 = attention->heads},
                    {.u32 = attention->heads},
                    {.u32 = attention->head_dim},
                    {.f32 = attention->scale},
                    {.u32 = 0},
                    {.u32 = 0}},
    };
    enum status status = STATUS_OK;

    for (uint32_t operand = 0; operand < ATTENTION_OPERANDS && !status; operand++)
        status = make_integers(layers, attention, operand, qkv);
    return status ? status : device_launch(layers->device, &launch);
}

enum status layers_gelu(struct layers *layers, uint32_t width, struct view x,
                        struct view y)
{
    const struct launch launch = {
        .kernel = KERNEL_gelu,
        .last = (uint64_t)layers->rows * width,
        .views = {x, y},
    };

    return device_launch(layers->device, &launch);
}

enum status layers_residual(struct layers *layers, uint32_t width, struct view h,
                            struct view y, struct view out)
{
    const struct launch launch = {
        .kernel = KERNEL_residual,
        .last = (uint64_t)layers->rows * width,
        .views = {h, y, out},
    };

    return device_launch(layers->device, &launch);
}

enum status layers_embed(struct layers *layers, const struct embedding *embedding,
                         struct view ids, struct view positions, struct view out)
{
    const struct launch launch = {
        .kernel = KERNEL_embed,
        .last = layers->rows,
        .views = {ids, positions, embedding->word, embedding->position, embedding->type,
                  out},
        .scalars = {{.u32 = embedding->width}},
    };

    return device_launch(layers->device, &launch);
}

enum status layers_mean_pool(struct layers *layers, const struct norm *width,
                             uint32_t sequences, struct view h, struct view starts,
                             struct view out)
{
    const struct launch launch = {
        .kernel = KERNEL_mean_pool,
        .last = sequences,
        .views = {h, starts, out},
        .scalars = {{.u32 = width->width}, {.f32 = width->inv_width}},
    };

    return device_launch(layers->device, &launch);
}
