/*
 * cuda_product.c - one product, prepared, runs in ranges of some milliseconds, so that a
 * replaced job ends it soon.
 *
 * At most two ranges are on their way at a time; when the last ones are, multiply()
 * returns and the card goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>
#include <time.h>

#include "backends/cuda/cuda_calls.h"

enum {
    RANGE_NS = 6000000,   /* what a range should take */
    BLOCKS_AT_FIRST = 16, /* parts a processor in the first range of all */
    CUDA_MAPS = 4,
};

/* What a map describes: `count` lines of `bytes`, one behind the other. */
struct cuda_lines {
    uint64_t address, bytes, count;
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nobody waits for the rest of it. */
static bool is_over(const struct multiply *ask)
{
    const struct mining *mining = ask->mining;

    return mining && mining->count && !ask->c.buffer &&
           __atomic_load_n(mining->count, __ATOMIC_RELAXED) != mining->seen;
}

/* Of lines of bytes, in boxes of so many of them. */
static int map_make(struct device *device, const struct cuda_grid *grid,
                    const struct cuda_lines *lines, uint32_t rows,
                    struct cuda_tensor_map *map)
{
    const uint64_t sizes[2] = {lines->bytes, lines->count};
    const uint32_t box[2] = {grid->map_bytes, rows}, steps[2] = {1, 1};

    return device->driver.tensor_map(map, CUDA_TENSOR_U8, 2, lines->address, sizes,
                                     &lines->bytes, box, steps, 0,
                                     CUDA_TENSOR_SWIZZLE_128, CUDA_TENSOR_PROMOTE_256, 0);
}

/* Maps of the operands in the 128-byte swizzle, for kernels that copy by them, and of
 * what a row laid out in scratch. */
static enum status maps_make(struct device *device, const struct cuda_run *run,
                             struct cuda_tensor_map maps[CUDA_MAPS])
{
    const struct cuda_product *p = &run->product;
    const struct cuda_grid *grid = run->grid;
    const uint64_t n = cuda_pad(p->n, CUDA_LINES_UNIT), extra = grid->extra_bytes;
    const uint64_t left = (uint64_t)(uintptr_t)p->scratch + grid->extra_at;
    const struct cuda_lines lines[CUDA_MAPS] = {
        {(uint64_t)(uintptr_t)p->a, p->stride, p->m},
        {(uint64_t)(uintptr_t)p->b, p->stride, n},
        {left, extra, p->m},
        {left + p->m * extra, extra, n},
    };
    int code = device->driver.tensor_map ? CUDA_OK : CUDA_NOT_FOUND;

    for (size_t i = 0; !code && i < (extra ? CUDA_MAPS : 2); i++)
        code = map_make(device, grid, &lines[i],
                        i % 2 ? grid->map_rows_b : grid->map_rows_a, &maps[i]);
    return cuda_check(device, code, "describing operands");
}

enum status cuda_matmul_launch_entry(struct device *device, const struct cuda_run *run,
                                     struct cuda_function *entry)
{
    struct cuda_product product = run->product;
    struct cuda_tensor_map maps[CUDA_MAPS];
    void *arguments[] = {&product, &maps[0], &maps[1], &maps[2], &maps[3]};
    struct cuda_grid grid = *run->grid;
    enum status status = STATUS_OK;

    grid.parts = product.part_last - product.part_first;
    if (grid.map_bytes)
        status = maps_make(device, run, maps);
    return status ? status : cuda_launch(device, entry, &grid, arguments, device->work);
}

enum status cuda_matmul_launch(struct device *device, const struct cuda_run *run)
{
    return cuda_matmul_launch_entry(device, run, device->products[run->row][run->mode]);
}

/* The time of a range tells how long the next ones should be. */
static void range_learn(struct cuda_work *work, uint64_t parts, double ns)
{
    work->device->part_ns[work->run.row][work->run.mode] =
        ns / (double)parts / work->run.product.k;
}

static uint64_t range_size(const struct cuda_work *work)
{
    const struct device *device = work->device;
    const double part =
        device->part_ns[work->run.row][work->run.mode] * work->run.product.k;
    const uint64_t least =
        (uint64_t)device->traits.processors * (part > 0 ? 1 : BLOCKS_AT_FIRST);
    const double wanted = part > 0 ? RANGE_NS / part : 0;

    if (wanted >= (double)work->grid.parts)
        return work->grid.parts;
    return (uint64_t)wanted > least ? (uint64_t)wanted : least;
}

/* Range after range; waits for the last but one before another is launched. */
static enum status ranges_run(struct cuda_work *work)
{
    struct device *device = work->device;
    struct cuda_product *product = &work->run.product;
    double begun = now_ns();
    uint64_t parts[2] = {0};
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && product->part_last < work->grid.parts; i ^= 1) {
        struct cuda_event_pair *slice = &device->slices[i];

        if (parts[i]) {
            status = cuda_check(device, device->driver.event_finish(slice->event),
                                "multiplying");
            range_learn(work, parts[i], now_ns() - begun);
            begun = now_ns();
        }
        if (status || is_over(work->ask))
            break;
        const uint64_t left = work->grid.parts - product->part_last;
        const uint64_t size = range_size(work);

        parts[i] = size < left ? size : left;
        product->part_first = product->part_last;
        product->part_last += parts[i];
        status = cuda_rows[work->run.row]->run(device, &work->run);
        if (!status)
            status = cuda_check(device,
                                device->driver.event_record(slice->event, device->work),
                                "multiplying");
    }
    return status;
}

/* On `work`, behind all that was prepared on `order`. */
static enum status work_run(struct cuda_work *work)
{
    struct device *device = work->device;
    const struct mining *mining = work->ask->mining;
    struct cuda_set *set = work->set;
    void *arguments[] = {&work->run.product.ring, &work->run.product.hits_max};
    const struct cuda_grid order = {.parts = 1, .threads = 256};
    enum status status = cuda_check(
        device, device->driver.event_record(set->prepared, device->order), "preparing");

    if (!status)
        status =
            cuda_check(device, device->driver.stream_wait(device->work, set->prepared, 0),
                       "preparing");
    set->buffers[0] = work->ask->c.buffer;
    set->buffers[1] = mining ? mining->hits.buffer : NULL;
    set->buffers[2] = mining ? NULL : work->ask->a.buffer;
    set->packed = work->ask->b;
    if (!status)
        status = ranges_run(work);
    if (!status && mining)
        status = cuda_launch(device, device->support[CUDA_HITS_ORDER], &order, arguments,
                             device->work);
    if (status)
        return status;
    status =
        cuda_check(device, device->driver.event_record(set->done.event, device->work),
                   "multiplying");
    set->done.is_set = !status;
    return status;
}

enum status cuda_multiply(struct device *device, const struct multiply *multiply)
{
    struct cuda_work work = {.device = device, .ask = multiply};
    enum status status = cuda_enter(device);

    if (!status)
        status = cuda_work_check(device, multiply);
    if (status || cuda_work_is_nothing(multiply))
        return status;
    status = cuda_work_prepare(&work);
    if (status)
        return status;
    cuda_rows[work.run.row]->grid(&device->traits, work.run.mode, &work.run.product,
                                  &work.grid);
    status = work_run(&work);
    if (status)
        return status;
    return is_over(multiply) ? STATUS_STALE : STATUS_OK;
}
