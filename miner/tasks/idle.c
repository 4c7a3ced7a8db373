/*
 * idle.c - endless generated products.
 *
 * The right matrix stays, so that what a job derives of it is made once a job.  Of the
 * left one only the first rows are new each time: one changed element changes its root,
 * and with that the noise of every row and every ticket.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/idle.h"

#include <assert.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

enum {
    IDLE_K = 4096,
    IDLE_SIDE_MAX =
        2048, /* 17 G multiply-accumulates: a tenth of a second on a small CPU */
    IDLE_SIDE_MIN = 128,
    IDLE_ROWS_NEW = 16,
};

struct idle {
    struct generated matrices;
};

enum status idle_shape(const struct device *device, struct model_shape *out,
                       struct error *err)
{
    uint64_t side = IDLE_SIDE_MAX;
    const uint64_t memory = device_info(device)->memory_bytes;
    for (; side >= IDLE_SIDE_MIN; side /= 2) {
        *out = (struct model_shape){side, side, IDLE_K};
        /* The same bound as a task's, with three quarters of the memory taken. */
        const enum status status = generated_fits(device, *out, memory / 4 * 3, err);
        if (!status)
            return STATUS_OK;
    }
    return STATUS_NO_MEMORY;
}

static uint64_t idle_seed(enum status *status, struct error *err)
{
    uint64_t seed = 0;
    *status = random_bytes(&seed, sizeof seed, err);
    return seed;
}

enum status idle_new(struct device *device, struct model_shape shape, struct idle **out,
                     struct error *err)
{
    *out = NULL;
    struct idle *idle = memory_new(struct idle);
    if (!idle)
        return error_set(err, STATUS_NO_MEMORY, "no memory for idle mining");
    enum status status = generated_new(&idle->matrices, device, shape, err);
    uint64_t seed = status ? 0 : idle_seed(&status, err);
    if (!status)
        status = generated_right(&idle->matrices, seed);
    if (!status)
        seed = idle_seed(&status, err);
    if (!status)
        status = generated_left(&idle->matrices, seed, shape.m);
    if (status) {
        idle_free(idle);
        return status;
    }
    *out = idle;
    return STATUS_OK;
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

enum status idle_run(struct idle *idle, struct matmul_port *port)
{
    const uint64_t rows = idle->matrices.shape.m;
    enum status status;
    const uint64_t seed = idle_seed(&status, NULL);
    if (!status)
        status = generated_left(&idle->matrices, seed,
                                rows < IDLE_ROWS_NEW ? rows : IDLE_ROWS_NEW);
    if (!status)
        status = generated_run(&idle->matrices, port, (struct view){NULL, 0});
    return status;
}
