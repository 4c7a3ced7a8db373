/*
 * steps.c - what a useful product is made of, one thing at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/steps.h"

#include <string.h>

#include "miner/base/memory.h"
#include "miner/pow/operand_tree.h"

enum { SEED_B = 2, KEY_BYTE = 0x42, PIECE = 1 << 20, HITS_MAX = 64, WORK_MAX = 256 };

void steps_close(struct steps *steps)
{
    struct buffer *const buffers[] = {
        steps->floats, steps->scales, steps->fault, steps->key,    steps->tree,
        steps->seed,   steps->dense,  steps->pairs, steps->noised, steps->x,
        steps->y,      steps->c,      steps->hits};

    if (!steps->device)
        return;
    device_packed_free(steps->device, steps->packed);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        device_buffer_free(steps->device, buffers[i]);
    generated_free(&steps->operands);
}

/* Numbers of [-2, 2), piece by piece. */
static enum status floats_fill(struct steps *steps)
{
    const uint64_t count = steps->operands.shape.m * steps->operands.shape.k;
    uint8_t *bytes = memory_array(PIECE, 1);
    float *piece = memory_array(PIECE, sizeof *piece);
    enum status status = bytes && piece ? STATUS_OK : STATUS_NO_MEMORY;

    for (uint64_t at = 0; !status && at < count; at += PIECE) {
        const uint64_t size = count - at < PIECE ? count - at : PIECE;

        generated_fill(bytes, size, at);
        for (uint64_t i = 0; i < size; i++)
            piece[i] = (float)(int8_t)bytes[i] / 32.0f;
        status = device_write(steps->device, steps->floats, (size_t)at * sizeof *piece,
                              piece, (size_t)size * sizeof *piece);
    }
    memory_free(piece);
    memory_free(bytes);
    return status;
}

static enum status rooms_new(struct steps *steps, unsigned rooms)
{
    const struct model_shape s = steps->operands.shape;
    const size_t tree_a = operand_tree_size(s.m, s.k),
                 tree_b = operand_tree_size(s.n, s.k);
    const struct {
        unsigned of;
        struct buffer **buffer;
        uint64_t size;
    } list[] = {
        {STEPS_FLOATS, &steps->floats, s.m * s.k * sizeof(float)},
        {STEPS_FLOATS, &steps->scales, s.m * sizeof(float)},
        {STEPS_FLOATS, &steps->fault, sizeof(uint32_t)},
        {STEPS_TREE, &steps->key, DIGEST_SIZE},
        {STEPS_TREE, &steps->tree, tree_a > tree_b ? tree_a : tree_b},
        {0, &steps->seed, sizeof steps->noise.seed},
        {0, &steps->dense, s.m * steps->rank},
        {0, &steps->pairs, (s.k + 7) / 8 * 8 * 2 * sizeof(uint16_t)},
        {STEPS_SUMS, &steps->noised, s.m * s.k},
        {STEPS_SUMS, &steps->x, s.m * steps->rank * sizeof(int32_t)},
        {STEPS_SUMS, &steps->y, s.n * steps->rank * sizeof(int32_t)},
        {STEPS_PRODUCT, &steps->c, s.m * s.n * sizeof(int32_t)},
        {STEPS_PRODUCT, &steps->hits,
         sizeof(struct hits) + HITS_MAX * sizeof(struct hit)},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < sizeof list / sizeof list[0]; i++)
        if (!list[i].of || (list[i].of & rooms))
            status =
                device_buffer_new(steps->device, (size_t)list[i].size, list[i].buffer);
    return status;
}

static enum status rooms_fill(struct steps *steps, unsigned rooms)
{
    const struct model_shape s = steps->operands.shape;
    const uint32_t no_fault = UINT32_MAX;
    uint8_t key[DIGEST_SIZE];
    enum status status = device_write(steps->device, steps->seed, 0, steps->noise.seed,
                                      sizeof steps->noise.seed);

    memset(key, KEY_BYTE, sizeof key);
    if (!status && (rooms & STEPS_TREE))
        status = device_write(steps->device, steps->key, 0, key, sizeof key);
    if (!status && (rooms & STEPS_FLOATS))
        status = device_write(steps->device, steps->fault, 0, &no_fault, sizeof no_fault);
    if (!status && (rooms & STEPS_FLOATS))
        status = floats_fill(steps);
    if (!status && (rooms & STEPS_PRODUCT))
        status = device_packed_new(steps->device, (uint32_t)s.n, (uint32_t)s.k,
                                   &steps->packed);
    if (!status && (rooms & STEPS_PRODUCT))
        status = device_reserve(steps->device, (uint32_t)s.m, (uint32_t)s.n,
                                (uint32_t)s.k, steps->rank);
    return status ? status : steps_draw(steps);
}

enum status steps_open(const struct bench_setup *setup, unsigned rooms, struct steps *out,
                       struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    enum status status;

    *out = (struct steps){.device = setup->device,
                          .rank = setup->rank,
                          .noise.rank = setup->rank,
                          .tile = setup->tile};
    memset(out->noise.seed, 1, sizeof out->noise.seed);
    status = generated_new(&out->operands, setup->device, shape, err);
    if (status)
        return status;
    if ((rooms & STEPS_PRODUCT) && !out->tile.rows.count &&
        device_plan(setup->device, setup->m, setup->n, setup->k, WORK_MAX, &out->tile))
        return error_set(err, STATUS_NOT_SUPPORTED, "no tile fits %u x %u", setup->m,
                         setup->n);
    status = generated_right(&out->operands, SEED_B);
    if (!status)
        status = generated_left(&out->operands, ++out->seed_a, shape.m);
    if (!status)
        status = rooms_new(out, rooms);
    if (!status)
        status = rooms_fill(out, rooms);
    return status ? error_set(err, status, "no operands: %s", status_text(status))
                  : STATUS_OK;
}

enum status steps_draw(struct steps *steps)
{
    const struct model_shape s = steps->operands.shape;
    const struct launch dense = {.kernel = KERNEL_noise_dense,
                                 .last = s.m * steps->rank / 32,
                                 .views = {{steps->seed, 0}, {steps->dense, 0}},
                                 .scalars = {{.u32 = 0}, {.u64 = 0}}};
    const struct launch pairs = {
        .kernel = KERNEL_noise_pairs,
        .last = (s.k + 7) / 8,
        .views = {{steps->seed, 0}, {steps->pairs, 0}},
        .scalars = {{.u32 = 0}, {.u32 = steps->rank}, {.u32 = (uint32_t)s.k}}};
    const enum status status = device_launch(steps->device, &dense);

    return status ? status : device_launch(steps->device, &pairs);
}

static struct launch quantising(const struct steps *steps)
{
    const uint32_t k = (uint32_t)steps->operands.shape.k;

    return (struct launch){.kernel = KERNEL_quantise7,
                           .last = steps->operands.shape.m,
                           .views = {{steps->floats, 0},
                                     {steps->operands.left, 0},
                                     {steps->scales, 0},
                                     {steps->fault, 0}},
                           .scalars = {{.u32 = k}, {.u32 = k}, {.u32 = 0}}};
}

enum status steps_quantise(struct steps *steps)
{
    const struct launch launch = quantising(steps);

    return device_launch(steps->device, &launch);
}

static enum status hash(struct steps *steps, struct buffer *operand, uint64_t lines,
                        const struct launch *made_by)
{
    const struct operand_tree tree = {.device = steps->device,
                                      .operand = {operand, 0},
                                      .size = lines * steps->operands.shape.k,
                                      .key = steps->key,
                                      .tree = steps->tree};

    return operand_tree_make(&tree, made_by, steps->root);
}

enum status steps_hash_a(struct steps *steps)
{
    return hash(steps, steps->operands.left, steps->operands.shape.m, NULL);
}

enum status steps_quantise_hash(struct steps *steps)
{
    const struct launch launch = quantising(steps);

    return hash(steps, steps->operands.left, steps->operands.shape.m, &launch);
}

enum status steps_hash_b(struct steps *steps)
{
    return hash(steps, steps->operands.right, steps->operands.shape.n, NULL);
}

/* Sums of a kernel that takes k and rank. */
static struct launch summing(const struct steps *steps, enum kernel kernel,
                             struct buffer *lines, uint64_t count, struct buffer *out)
{
    return (struct launch){
        .kernel = kernel,
        .last = count,
        .views = {{lines, 0}, {steps->pairs, 0}, {out, 0}},
        .scalars = {{.u32 = (uint32_t)steps->operands.shape.k}, {.u32 = steps->rank}}};
}

enum status steps_noise_x(struct steps *steps)
{
    const struct model_shape s = steps->operands.shape;
    const struct launch add = {.kernel = KERNEL_noise_add,
                               .last = s.m,
                               .views = {{steps->operands.left, 0},
                                         {steps->dense, 0},
                                         {steps->pairs, 0},
                                         {steps->noised, 0}},
                               .scalars = {{.u32 = (uint32_t)s.k}, {.u32 = steps->rank}}};
    const struct launch x =
        summing(steps, KERNEL_lowrank_x, steps->operands.left, s.m, steps->x);

    return device_launch_then(steps->device, &add, &x);
}

enum status steps_y(struct steps *steps)
{
    const struct launch y = summing(steps, KERNEL_lowrank_y, steps->operands.right,
                                    steps->operands.shape.n, steps->y);

    return device_launch(steps->device, &y);
}

struct multiply steps_useful(const struct steps *steps, struct mining *mining)
{
    *mining = (struct mining){.a = steps->noise,
                              .b = steps->noise,
                              .rows = &steps->tile.rows,
                              .columns = &steps->tile.columns,
                              .hits = {steps->hits, 0},
                              .hits_max = HITS_MAX};
    return (struct multiply){.m = (uint32_t)steps->operands.shape.m,
                             .a = {steps->operands.left, 0},
                             .b = steps->packed,
                             .c = {steps->c, 0},
                             .mining = mining};
}

enum status steps_prepare(struct steps *steps)
{
    struct mining mining;
    const struct multiply ask = steps_useful(steps, &mining);

    return device_prepare(steps->device, &ask);
}

enum status steps_product(struct steps *steps)
{
    const struct multiply ask = {.m = (uint32_t)steps->operands.shape.m,
                                 .a = {steps->operands.left, 0},
                                 .b = steps->packed,
                                 .c = {steps->c, 0}};

    return device_multiply(steps->device, &ask);
}

enum status steps_renoise(struct steps *steps)
{
    return device_pack(steps->device, steps->packed,
                       (struct view){steps->operands.right, 0}, &steps->noise);
}
