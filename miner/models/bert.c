/*
 * bert.c - BERT as a sentence embedder: post-norm encoder, mean of the tokens, unit
 * length.
 *
 * The order of operations is numerics.md 4.2's.  A pack's sequences are never padded:
 * attention looks at a sequence's own rows only, so a vector does not depend on its
 * company.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/bert_shape.h"
#include "miner/models/layers.h"
#include "miner/models/parameters.h"

enum { LAYER_SLOTS = 9 };         /* operations of a layer that can leave the range */
enum { PACK_ROWS_MAX = 1 << 20 }; /* keeps all sizes far from 2^64 */

/* Device memory for one pack. */
enum room {
    ROOM_IDS,
    ROOM_POSITIONS,
    ROOM_SPANS,
    ROOM_STARTS,
    ROOM_H, /* the residual stream */
    ROOM_Y, /* what layers hand to each other */
    ROOM_Q, /* the left operand */
    ROOM_SCALES,
    ROOM_ACC,      /* the product */
    ROOM_INTEGERS, /* query, key, value for attention, one after the other */
    ROOM_EXPONENTS,
    ROOM_COUNT
};

/* Where each row lies, put together on the host. */
struct places {
    int32_t *positions; /* [rows] in its sequence */
    uint32_t *spans;    /* [rows][4] */
    uint32_t *starts;   /* [items + 1] */
};

struct bert {
    struct model_head head;
    struct device *device;
    struct bert_shape shape;
    struct parameters parameters;
    struct layers layers;
    struct linear *linears; /* [products] */
    struct norm *norms; /* [2 * layers + 1]: after attention, after feed-forward, ...; the
                           embedding's */
    struct embedding embedding;
    struct attention attention;
    struct linear_room room;
    struct buffer *rooms[ROOM_COUNT];
    struct places places;
};

static struct bert *bert_of(struct model *model)
{
    return (struct bert *)(void *)model;
}

static struct view room_at(const struct bert *bert, enum room room, uint64_t offset)
{
    return (struct view){.buffer = bert->rooms[room], .offset = offset};
}

static struct view room_of(const struct bert *bert, enum room room)
{
    return room_at(bert, room, 0);
}

/* ---- open and close
 * -------------------------------------------------------------------------- */

static void bert_close(struct model *model)
{
    struct bert *bert = bert_of(model);
    const uint64_t products = bert->shape.layers * BERT_PRODUCTS;

    for (uint64_t i = 0; bert->linears && i < products; i++)
        weights_free(bert->linears[i].weights);
    for (enum room room = 0; room < ROOM_COUNT; room++)
        device_buffer_free(bert->device, bert->rooms[room]);
    layers_close(&bert->layers);
    parameters_close(&bert->parameters);
    memory_free(bert->linears);
    memory_free(bert->norms);
    memory_free(bert->places.positions);
    memory_free(bert->places.spans);
    memory_free(bert->places.starts);
    memory_free(bert);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum status open_rooms(struct bert *bert)
{
    const struct bert_shape *shape = &bert->shape;
    const uint64_t rows = bert->head.rows_max,
                   widest = larger(3 * shape->hidden, shape->intermediate);
    const uint64_t k = larger(bert_shape_product(bert->head.artifact, 0, 1).k,
                              bert_shape_product(bert->head.artifact, 3, 1).k);
    const uint64_t sizes[ROOM_COUNT] = {
        [ROOM_IDS] = rows * sizeof(int32_t),
        [ROOM_POSITIONS] = rows * sizeof(int32_t),
        [ROOM_SPANS] = rows * 4 * sizeof(uint32_t),
        [ROOM_STARTS] = (rows + 1) * sizeof(uint32_t),
        [ROOM_H] = rows * shape->hidden * sizeof(float),
        [ROOM_Y] = rows * widest * sizeof(float),
        [ROOM_Q] = shape->limbs_a * rows * k,
        [ROOM_SCALES] = rows * sizeof(float),
        [ROOM_ACC] = shape->limbs_a * rows * shape->limbs_w * widest * sizeof(int32_t),
        [ROOM_INTEGERS] = 3 * rows * shape->hidden * sizeof(int16_t),
        [ROOM_EXPONENTS] = 3 * rows * shape->heads * sizeof(int32_t),
    };
    enum status status = STATUS_OK;

    for (enum room room = 0; room < ROOM_COUNT && !status; room++)
        status = device_buffer_new(bert->device, sizes[room], &bert->rooms[room]);
    bert->places.positions = memory_array(rows, sizeof(int32_t));
    bert->places.spans = memory_array(rows, 4 * sizeof(uint32_t));
    bert->places.starts = memory_array(rows + 1, sizeof(uint32_t));
    if (!status && !(bert->places.positions && bert->places.spans && bert->places.starts))
        status = STATUS_NO_MEMORY;
    return status;
}

/* The right operands, packed, and the device's own room for the products. */
static enum status open_linears(struct bert *bert)
{
    const struct bert_shape *shape = &bert->shape;
    const uint32_t products = bert_shape_product_count(bert->head.artifact);
    enum status status = STATUS_OK;

    bert->linears = memory_array(products, sizeof *bert->linears);
    if (!bert->linears)
        return STATUS_NO_MEMORY;
    for (uint32_t product = 0; product < products && !status; product++) {
        const struct model_shape most =
            bert_shape_product(bert->head.artifact, product, bert->head.rows_max);
        struct linear *linear = &bert->linears[product];
        char name[TENSOR_NAME_MAX + 1];

        linear->product = product;
        linear->n = (uint32_t)bert_shape_n(shape, product);
        linear->k = (uint32_t)bert_shape_k(shape, product);
        linear->limbs_a = shape->limbs_a;
        linear->limbs_w = shape->limbs_w;
        bert_shape_name(name, product, "s");
        linear->scales = parameters_view(&bert->parameters, name);
        bert_shape_name(name, product, "b");
        linear->bias = parameters_view(&bert->parameters, name);
        bert_shape_name(name, product, "q");
        status = weights_new(bert->device, parameters_view(&bert->parameters, name),
                             (uint32_t)most.n, (uint32_t)most.k, &linear->weights);
        if (!status)
            status = weights_pack(linear->weights);
        if (!status)
            status = device_reserve(bert->device, (uint32_t)most.m, (uint32_t)most.n,
                                    (uint32_t)most.k, 0);
    }
    return status;
}

static struct norm norm_named(const struct bert *bert, const char *name)
{
    char full[TENSOR_NAME_MAX + 1];
    struct norm norm = {.width = (uint32_t)bert->shape.hidden};

    snprintf(full, sizeof full, "%s.w", name);
    norm.weight = parameters_view(&bert->parameters, full);
    snprintf(full, sizeof full, "%s.b", name);
    norm.bias = parameters_view(&bert->parameters, full);
    (void)artifact_constant(bert->head.artifact, "inv_hidden", &norm.inv_width);
    (void)artifact_constant(bert->head.artifact, "layer_norm_eps", &norm.eps);
    return norm;
}

static enum status open_norms(struct bert *bert)
{
    const uint64_t layers = bert->shape.layers;
    char name[TENSOR_NAME_MAX + 1];

    bert->norms = memory_array(2 * layers + 1, sizeof *bert->norms);
    if (!bert->norms)
        return STATUS_NO_MEMORY;
    for (uint64_t layer = 0; layer < layers; layer++) {
        snprintf(name, sizeof name, "L.%u.attn_norm", (uint32_t)layer);
        bert->norms[2 * layer] = norm_named(bert, name);
        snprintf(name, sizeof name, "L.%u.ffn_norm", (uint32_t)layer);
        bert->norms[2 * layer + 1] = norm_named(bert, name);
    }
    bert->norms[2 * layers] = norm_named(bert, "embed.norm");
    return STATUS_OK;
}

/* What the layers are told again and again. */
static void wire(struct bert *bert)
{
    const uint64_t rows = bert->head.rows_max;
    const struct bert_shape *shape = &bert->shape;

    bert->embedding = (struct embedding){
        .word = parameters_view(&bert->parameters, "embed.word"),
        .position = parameters_view(&bert->parameters, "embed.position"),
        .type = parameters_view(&bert->parameters, "embed.type"),
        .width = (uint32_t)shape->hidden,
    };
    bert->room = (struct linear_room){
        .q = room_of(bert, ROOM_Q),
        .scales = room_of(bert, ROOM_SCALES),
        .acc = room_of(bert, ROOM_ACC),
    };
    bert->attention = (struct attention){
        .heads = (uint32_t)shape->heads,
        .head_dim = (uint32_t)(shape->hidden / shape->heads),
        .spans = room_of(bert, ROOM_SPANS),
    };
    (void)artifact_constant(bert->head.artifact, "attention_scale",
                            &bert->attention.scale);
    for (uint32_t i = 0; i < 3; i++) {
        bert->attention.integers[i] =
            room_at(bert, ROOM_INTEGERS, i * rows * shape->hidden * sizeof(int16_t));
        bert->attention.exponents[i] =
            room_at(bert, ROOM_EXPONENTS, i * rows * shape->heads * sizeof(int32_t));
    }
}

static enum status bert_open(struct device *device, const struct artifact *artifact,
                             uint32_t rows_max, struct model **out, struct error *err)
{
    struct bert *bert;
    enum status status;

    if (rows_max > PACK_ROWS_MAX)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "a pack of %u rows, expected at most %d", rows_max,
                         PACK_ROWS_MAX);
    bert = memory_new(struct bert);
    if (!bert)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a model");
    bert->head = (struct model_head){&model_bert, artifact, rows_max};
    bert->device = device;
    bert->shape = bert_shape_of(artifact);
    status = parameters_open(device, artifact, &bert->parameters, err);
    if (!status) {
        status = layers_open(device, 1 + LAYER_SLOTS * (uint32_t)bert->shape.layers,
                             &bert->layers);
        if (!status)
            status = open_rooms(bert);
        if (!status)
            status = open_linears(bert);
        if (!status)
            status = open_norms(bert);
        if (status)
            error_set(err, status, "packs of %u rows: %s", rows_max, status_text(status));
    }
    if (status) {
        bert_close((struct model *)(void *)bert);
        return status;
    }
    wire(bert);
    *out = (struct model *)(void *)bert;
    return STATUS_OK;
}

/* ---- embed
 * ----------------------------------------------------------------------------------- */

/* Every row's place in its sequence and its sequence's place in the pack; how many rows.
 */
static uint32_t set_places(const struct model_pack *pack, struct places *places)
{
    uint32_t row = 0;

    places->starts[0] = 0;
    for (uint32_t item = 0; item < pack->items; item++) {
        const uint32_t start = row, end = row + pack->lengths[item];

        for (; row < end; row++) {
            places->positions[row] = (int32_t)(row - start);
            places->spans[4 * row] = start;
            places->spans[4 * row + 1] = end;
            places->spans[4 * row + 2] = row - start;
            places->spans[4 * row + 3] = 0;
        }
        places->starts[item + 1] = end;
    }
    return row;
}

static enum status write_pack(struct bert *bert, const struct model_pack *pack,
                              uint32_t rows)
{
    const struct {
        enum room room;
        const void *from;
        size_t size;
    } parts[] = {
        {ROOM_IDS, pack->ids, rows * sizeof(int32_t)},
        {ROOM_POSITIONS, bert->places.positions, rows * sizeof(int32_t)},
        {ROOM_SPANS, bert->places.spans, (size_t)rows * 4 * sizeof(uint32_t)},
        {ROOM_STARTS, bert->places.starts, (pack->items + (size_t)1) * sizeof(uint32_t)},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && !status; i++)
        status = device_write(bert->device, bert->rooms[parts[i].room], 0, parts[i].from,
                              parts[i].size);
    return status;
}

/* h = norm(h + y) */
static enum status add_and_norm(struct bert *bert, const struct norm *norm)
{
    const struct view h = room_of(bert, ROOM_H), y = room_of(bert, ROOM_Y);
    const enum status status = layers_residual(&bert->layers, norm->width, h, y, y);

    return status ? status : layers_norm(&bert->layers, norm, y, h);
}

static enum status run_layer(struct bert *bert, uint64_t layer)
{
    const struct view h = room_of(bert, ROOM_H), y = room_of(bert, ROOM_Y);
    const struct linear *linear = bert->linears + layer * BERT_PRODUCTS;
    const struct norm *norm = bert->norms + 2 * layer;
    struct layers *layers = &bert->layers;
    enum status status = layers_linear(layers, linear, &bert->room, h, y);

    if (!status)
        status = layers_attention(layers, &bert->attention, y, y);
    if (!status)
        status = layers_linear(layers, linear + 1, &bert->room, y, y);
    if (!status)
        status = add_and_norm(bert, norm);
    if (!status)
        status = layers_linear(layers, linear + 2, &bert->room, h, y);
    if (!status)
        status = layers_gelu(layers, linear[2].n, y, y);
    if (!status)
        status = layers_linear(layers, linear + 3, &bert->room, y, y);
    return status ? status : add_and_norm(bert, norm + 1);
}

static enum status run_network(struct bert *bert, const struct model_pack *pack)
{
    const struct view h = room_of(bert, ROOM_H), y = room_of(bert, ROOM_Y);
    const struct norm *norm = bert->norms + 2 * bert->shape.layers;
    enum status status =
        layers_embed(&bert->layers, &bert->embedding, room_of(bert, ROOM_IDS),
                     room_of(bert, ROOM_POSITIONS), y);

    if (!status)
        status = layers_norm(&bert->layers, norm, y, h);
    for (uint64_t layer = 0; layer < bert->shape.layers && !status; layer++)
        status = run_layer(bert, layer);
    if (status)
        return status;
    return layers_mean_pool(&bert->layers, norm, pack->items, h,
                            room_of(bert, ROOM_STARTS), y);
}

static enum status bert_embed(struct model *model, const struct model_pack *pack,
                              struct matmul_port *port, float *vectors,
                              struct model_fault *fault)
{
    struct bert *bert = bert_of(model);
    const uint32_t rows = set_places(pack, &bert->places);
    enum status status = write_pack(bert, pack, rows);

    if (!status)
        status = layers_begin(&bert->layers, port, pack->index, rows);
    if (!status)
        status = run_network(bert, pack);
    if (!status)
        status = layers_end(&bert->layers, fault);
    if (status)
        return status;
    return device_read(bert->device, bert->rooms[ROOM_Y], 0, vectors,
                       pack->items * bert->shape.hidden * sizeof(float));
}

static struct weights *bert_weights(struct model *model, uint32_t product)
{
    return bert_of(model)->linears[product].weights;
}

const struct model_kind model_bert = {
    .name = "bert",
    .check = bert_shape_check,
    .product_count = bert_shape_product_count,
    .product_shape = bert_shape_product,
    .product_weights = bert_shape_weights,
    .width = bert_shape_width,
    .vocabulary = bert_shape_vocabulary,
    .sequence_max = bert_shape_sequence_max,
    .open = bert_open,
    .close = bert_close,
    .embed = bert_embed,
    .weights = bert_weights,
};
