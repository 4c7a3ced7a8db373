/*
 * idle.c - endless generated products.
 *
 * The right matrix stays, so that what a job derives of it is made once a job.  Of the
 * left one only the first chunk of its commitment is new each time: that changes its
 * root, and with that the noise of every row and every ticket, and all other chunks keep
 * their hashes.  Where the device runs ahead there are two left ones in turns: one
 * is made while the product of the other still runs.  How many rows they have is found by
 * the clock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/idle.h"

#include <assert.h>
#include <inttypes.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum {
    SIDE_MIN = 128,
    ROWS_MIN = 32,
    ROWS_FIRST = 256,    /* nothing is known of the device's speed yet */
    CHANGED_SIZE = 1024, /* a chunk of the commitment's tree */
    /* Twice this is still below the limit, with room for a device that is disturbed. */
    QUICK_MS = IDLE_ATTEMPT_MS * 2 / 5,
    VERY_QUICK_MS = IDLE_ATTEMPT_MS / 5, /* four times the work still fits */
    SLOW_MAX =
        2, /* the first product under a job is slow: it commits the right operand */
    /* The first product after a rest returns before it has ended, the next one waits for
     * that: only together they tell how long one takes. */
    BRISK_MAX = 2,
    QUICK_MAX = 8, /* very quick products in a row before a larger shape is worth it */
    NS_PER_MS = 1000000,
};

struct idle {
    struct generated matrices;
    struct generated_seed seed;
    uint64_t attempt;
    uint64_t rows; /* of an attempt */
    bool is_fixed;
    /* The last product of left, or of spare, went through whole: all but a chunk of it is
     * known. */
    bool is_kept, spare_is_kept;
    uint32_t slow, brisk, quick; /* in a row */
};

static uint64_t memory_free_now(const struct device *device)
{
    const struct device_info *info = device_info(device);
    const uint64_t held = device_counters(device)->bytes_held;
    uint64_t there = info->memory_bytes;

    if (info->memory_free_bytes && info->memory_free_bytes < there)
        there = info->memory_free_bytes;
    return there > held ? there - held : 0;
}

static uint32_t lefts(const struct device *device)
{
    return device_info(device)->products_ahead ? 2 : 1;
}

/* Within `quarters` of four of what is free; a device that does not say is believed. */
static enum status shape_fits(const struct device *device, struct model_shape shape,
                              uint64_t quarters, struct error *err)
{
    const uint64_t needed = generated_size(shape, lefts(device));
    const uint64_t there = memory_free_now(device) / 4 * quarters;

    if (device_info(device)->memory_bytes && needed > there)
        return error_set(err, STATUS_NO_MEMORY,
                         "mining %" PRIu64 " x %" PRIu64 " x %" PRIu64 " needs %" PRIu64
                         " MiB, the device has %" PRIu64 " to spare for it",
                         shape.m, shape.n, shape.k, needed >> 20, there >> 20);
    return generated_piece_fits(device, shape, 0, err);
}

enum status idle_shape(const struct device *device, uint64_t side, uint64_t k,
                       struct model_shape *out, struct error *err)
{
    enum status status = STATUS_NO_MEMORY;

    for (; status && side >= SIDE_MIN; side /= 2) {
        *out = (struct model_shape){side, side, k};
        status = shape_fits(device, *out, 1, err);
    }
    if (!status && err)
        *err = (struct error){.status = STATUS_OK}; /* of what was too large */
    return status;
}

enum status idle_fits(const struct device *device, struct model_shape shape,
                      struct error *err)
{
    const enum status status = generated_check(shape, err);

    return status ? status : shape_fits(device, shape, 3, err);
}

/* All of what attempts write chunks of, on both sides of a turn. */
static enum status lefts_draw(struct idle *idle)
{
    struct generated *matrices = &idle->matrices;
    const uint64_t size = matrices->shape.m * matrices->shape.k;
    enum status status = generated_draw_left(matrices, &idle->seed, idle->attempt, size);

    if (status || lefts(matrices->device) == 1)
        return status;
    status = generated_spare_new(matrices);
    if (status)
        return status;
    generated_turn(matrices);
    return generated_draw_left(matrices, &idle->seed, ++idle->attempt, size);
}

enum status idle_new(struct device *device, struct model_shape shape, bool is_fixed,
                     struct idle **out, struct error *err)
{
    enum status status;

    *out = NULL;
    struct idle *idle = memory_new(struct idle);
    if (!idle)
        return error_set(err, STATUS_NO_MEMORY, "no memory for idle mining");
    idle->is_fixed = is_fixed;
    idle->rows = is_fixed || shape.m < ROWS_FIRST ? shape.m : ROWS_FIRST;
    status = generated_new(&idle->matrices, device, shape, err);
    if (!status)
        status = random_bytes(idle->seed.bytes, sizeof idle->seed.bytes, err);
    if (!status)
        status = generated_draw_right(&idle->matrices, &idle->seed);
    if (!status)
        status = lefts_draw(idle);
    if (status) {
        idle_free(idle);
        return status;
    }
    *out = idle;
    return STATUS_OK;
}

struct model_shape idle_shape_of(const struct idle *idle)
{
    return idle->matrices.shape;
}

struct weights *idle_operand(const struct idle *idle)
{
    return idle->matrices.weights;
}

void idle_free(struct idle *idle)
{
    if (!idle)
        return;
    generated_free(&idle->matrices);
    memory_free(idle);
}

/* More or fewer rows next time, after this one's duration. */
static void pace(struct idle *idle, uint64_t ms)
{
    const uint64_t rows_max = idle->matrices.shape.m;

    idle->slow = ms > IDLE_ATTEMPT_MS ? idle->slow + 1 : 0;
    idle->brisk = ms < QUICK_MS && idle->rows < rows_max ? idle->brisk + 1 : 0;
    idle->quick = ms < VERY_QUICK_MS && idle->rows == rows_max ? idle->quick + 1 : 0;
    if (idle->slow >= SLOW_MAX && idle->rows / 2 >= ROWS_MIN) {
        idle->rows /= 2;
        idle->slow = 0;
    } else if (idle->brisk >= BRISK_MAX) {
        idle->rows = idle->rows * 2 < rows_max ? idle->rows * 2 : rows_max;
        idle->brisk = 0;
    }
}

static void turn(struct idle *idle)
{
    const bool is_kept = idle->is_kept;

    if (!idle->matrices.spare)
        return;
    generated_turn(&idle->matrices);
    idle->is_kept = idle->spare_is_kept;
    idle->spare_is_kept = is_kept;
}

enum status idle_run(struct idle *idle, struct matmul_port *port)
{
    struct generated *matrices = &idle->matrices;
    const uint64_t size = idle->rows * matrices->shape.k;
    const uint64_t changed = size < CHANGED_SIZE ? size : CHANGED_SIZE;
    const uint64_t start = clock_ns();

    turn(idle);
    struct matmul product = {
        .m = (uint32_t)idle->rows, .a = {matrices->left, 0}, .b = matrices->weights};
    enum status status =
        generated_draw_left(matrices, &idle->seed, ++idle->attempt, changed);

    if (idle->is_kept)
        product.change.size = changed;
    if (!status)
        status = matmul_run(port, &product);
    idle->is_kept = !status;
    if (!status && !idle->is_fixed)
        pace(idle, (clock_ns() - start) / NS_PER_MS);
    return status;
}

bool idle_is_quick(const struct idle *idle)
{
    return idle->quick >= QUICK_MAX;
}
