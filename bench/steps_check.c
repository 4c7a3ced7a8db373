/*
 * steps_check.c - whether a step was done right: what lies on the device, against the
 * text on the host for a few lines, or against a definition that knows no device.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "bench/product_check.h"
#include "bench/steps.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"

enum { LINES = 8, KEY_BYTE = 0x42, SEED_B = 2 };

/* A few first lines of everything on the host. */
struct lines {
    uint64_t m, n; /* how many */
    int8_t *a, *b, *dense, *noised, *quantised;
    uint16_t *pairs;
    int32_t *sums;
    float *floats, *scales;
};

static void lines_free(struct lines *lines)
{
    memory_free(lines->a);
    memory_free(lines->b);
    memory_free(lines->dense);
    memory_free(lines->noised);
    memory_free(lines->quantised);
    memory_free(lines->pairs);
    memory_free(lines->sums);
    memory_free(lines->floats);
    memory_free(lines->scales);
}

static uint64_t few(uint64_t lines)
{
    return lines < LINES ? lines : LINES;
}

/* Operands as they are on the device; factors by the texts. */
static enum status lines_make(const struct steps *steps, struct lines *lines)
{
    const struct model_shape s = steps->operands.shape;
    const uint64_t drawn = (s.k + 7) / 8;
    uint8_t seed[sizeof steps->noise.seed];

    *lines = (struct lines){.m = few(s.m), .n = few(s.n)};
    lines->a = memory_array(LINES * s.k, 1);
    lines->b = memory_array(LINES * s.k, 1);
    lines->dense = memory_array((LINES + 1) * steps->rank, 1);
    lines->noised = memory_array(LINES * s.k, 1);
    lines->quantised = memory_array(LINES * s.k, 1);
    lines->pairs = memory_array(8 * drawn, 2 * sizeof *lines->pairs);
    lines->sums = memory_array((size_t)LINES * steps->rank, sizeof *lines->sums);
    lines->floats = memory_array(LINES * s.k, sizeof *lines->floats);
    lines->scales = memory_array(LINES, sizeof *lines->scales);
    if (!lines->a || !lines->b || !lines->dense || !lines->noised || !lines->quantised ||
        !lines->pairs || !lines->sums || !lines->floats || !lines->scales)
        return STATUS_NO_MEMORY;
    memcpy(seed, steps->noise.seed, sizeof seed);
    kernel_table[KERNEL_noise_dense].run(0, lines->m * steps->rank / 32,
                                         (void *const[]){seed, lines->dense},
                                         (const union scalar[]){{.u32 = 0}, {.u64 = 0}});
    kernel_table[KERNEL_noise_pairs].run(
        0, drawn, (void *const[]){seed, lines->pairs},
        (const union scalar[]){{.u32 = 0}, {.u32 = steps->rank}, {.u32 = (uint32_t)s.k}});
    const enum status status = device_read(steps->device, steps->operands.left, 0,
                                           lines->a, (size_t)(lines->m * s.k));
    return status ? status
                  : device_read(steps->device, steps->operands.right, 0, lines->b,
                                (size_t)(lines->n * s.k));
}

/* Whether the buffer begins with these bytes. */
static enum status same(const struct steps *steps, const struct buffer *buffer,
                        const void *bytes, uint64_t size, const char *what,
                        struct error *err)
{
    uint8_t *held = memory_array((size_t)size, 1);
    enum status status = held ? device_read(steps->device, buffer, 0, held, (size_t)size)
                              : STATUS_NO_MEMORY;

    if (!status && memcmp(held, bytes, (size_t)size) != 0)
        status = error_set(err, STATUS_MISMATCH, "%s is wrong in the first lines", what);
    memory_free(held);
    return status;
}

enum status steps_check_factors(struct steps *steps, struct error *err)
{
    const struct model_shape s = steps->operands.shape;
    struct lines lines;
    enum status status = lines_make(steps, &lines);

    if (!status)
        status = same(steps, steps->dense, lines.dense, lines.m * steps->rank,
                      "the dense factor", err);
    if (!status)
        status = same(steps, steps->pairs, lines.pairs, s.k * 2 * sizeof *lines.pairs,
                      "the sparse factor", err);
    lines_free(&lines);
    return status;
}

enum status steps_check_values(struct steps *steps, struct error *err)
{
    const struct model_shape s = steps->operands.shape;
    const uint32_t k = (uint32_t)s.k;
    uint32_t fault = UINT32_MAX;
    struct lines lines;
    enum status status = lines_make(steps, &lines);

    if (!status)
        status = device_read(steps->device, steps->floats, 0, lines.floats,
                             (size_t)(lines.m * s.k) * sizeof *lines.floats);
    if (!status) {
        kernel_table[KERNEL_quantise7].run(
            0, lines.m,
            (void *const[]){lines.floats, lines.quantised, lines.scales, &fault},
            (const union scalar[]){{.u32 = k}, {.u32 = k}, {.u32 = 0}});
        status = same(steps, steps->operands.left, lines.quantised, lines.m * s.k,
                      "what was quantised", err);
    }
    if (!status)
        status = same(steps, steps->scales, lines.scales, lines.m * sizeof *lines.scales,
                      "the scale", err);
    lines_free(&lines);
    return status;
}

static enum status root_check(struct steps *steps, const struct buffer *operand,
                              uint64_t lines, struct error *err)
{
    const size_t size = (size_t)(lines * steps->operands.shape.k);
    uint8_t key[DIGEST_SIZE], root[DIGEST_SIZE], *held = memory_array(size, 1);
    enum status status =
        held ? device_read(steps->device, operand, 0, held, size) : STATUS_NO_MEMORY;

    memset(key, KEY_BYTE, sizeof key);
    if (!status) {
        commitment_root(bytes_of(held, size), key, root);
        if (memcmp(root, steps->root, sizeof root) != 0)
            status = error_set(err, STATUS_MISMATCH, "the root is wrong");
    }
    memory_free(held);
    return status;
}

enum status steps_check_root_a(struct steps *steps, struct error *err)
{
    return root_check(steps, steps->operands.left, steps->operands.shape.m, err);
}

enum status steps_check_root_b(struct steps *steps, struct error *err)
{
    return root_check(steps, steps->operands.right, steps->operands.shape.n, err);
}

enum status steps_check_x(struct steps *steps, struct error *err)
{
    const struct model_shape s = steps->operands.shape;
    const union scalar scalars[] = {{.u32 = (uint32_t)s.k}, {.u32 = steps->rank}};
    struct lines lines;
    enum status status = lines_make(steps, &lines);

    if (!status) {
        kernel_table[KERNEL_noise_add].run(
            0, lines.m, (void *const[]){lines.a, lines.dense, lines.pairs, lines.noised},
            scalars);
        kernel_table[KERNEL_lowrank_x].run(
            0, lines.m, (void *const[]){lines.a, lines.pairs, lines.sums}, scalars);
        status = same(steps, steps->noised, lines.noised, lines.m * s.k,
                      "the noised operand", err);
    }
    if (!status)
        status = same(steps, steps->x, lines.sums,
                      lines.m * steps->rank * sizeof *lines.sums, "X", err);
    lines_free(&lines);
    return status;
}

enum status steps_check_y(struct steps *steps, struct error *err)
{
    struct lines lines;
    enum status status = lines_make(steps, &lines);

    if (!status) {
        kernel_table[KERNEL_lowrank_y].run(
            0, lines.n, (void *const[]){lines.b, lines.pairs, lines.sums},
            (const union scalar[]){{.u32 = (uint32_t)steps->operands.shape.k},
                                   {.u32 = steps->rank}});
        status = same(steps, steps->y, lines.sums,
                      lines.n * steps->rank * sizeof *lines.sums, "Y", err);
    }
    lines_free(&lines);
    return status;
}

enum status steps_check_product(struct steps *steps, struct error *err)
{
    const struct product_check check = {.device = steps->device,
                                        .c = steps->c,
                                        .shape = steps->operands.shape,
                                        .seed_a = steps->seed_a,
                                        .seed_b = SEED_B};

    return product_check(&check, err);
}

/* The clean product out of the operands as they were noised is right only if they were
 * noised right. */
enum status steps_check_useful(struct steps *steps, struct error *err)
{
    struct mining mining;
    const struct multiply ask = steps_useful(steps, &mining);
    const enum status status = device_multiply(steps->device, &ask);

    return status ? status : steps_check_product(steps, err);
}
