/*
 * cuda_prepare.c - all that a product needs before it runs, made on the stream of
 * preparations: when it is asked for, or ahead, while the product before it runs.
 *
 * What was made ahead is found again by comparing asks.  Whatever touches what it was
 * made of (cuda_touch) makes it forgotten; its set is then the next one's.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cuda/cuda_calls.h"

/* The indices of every tile of one side, unless they are there from the last time. */
static enum status indices_make(struct device *device, struct cuda_indices *indices,
                                const struct pattern *pattern, uint32_t size)
{
    enum { PART = 1 << 12 };
    uint32_t part[PART + PATTERN_COUNT_MAX];
    uint8_t bytes[PATTERN_BYTES];
    uint64_t sent = 0;
    uint32_t held = 0;
    enum status status = STATUS_OK;

    pattern_encode(pattern, bytes);
    if (indices->is_set && indices->size == size &&
        memcmp(indices->pattern, bytes, sizeof bytes) == 0)
        return STATUS_OK;
    indices->is_set = false;
    indices->tiles = (uint32_t)pattern_starts(pattern, size);
    for (uint32_t tile = 0; !status && tile < indices->tiles; tile++) {
        const uint32_t start = (uint32_t)pattern_start(pattern, tile);

        for (uint32_t i = 0; i < pattern->count; i++)
            part[held++] = start + pattern->offsets[i];
        if (held < PART && tile + 1 < indices->tiles)
            continue;
        status = cuda_send(device, indices->room.address + sent * sizeof *part, part,
                           held * sizeof *part);
        sent += held;
        held = 0;
    }
    memcpy(indices->pattern, bytes, sizeof bytes);
    indices->size = size;
    indices->is_set = !status;
    return status;
}

/* Everything about tickets that kernels are told, and an empty ring. */
static enum status lottery_prepare(struct cuda_work *work)
{
    struct device *device = work->device;
    const struct mining *mining = work->ask->mining;
    struct cuda_product *product = &work->run.product;
    struct cuda_set *set = work->set;
    enum status status = indices_make(device, &set->rows, mining->rows, product->m);

    if (!status)
        status = indices_make(device, &set->columns, mining->columns, product->n);
    if (!status)
        status = cuda_check(device,
                            device->driver.set_bytes(cuda_view(mining->hits), 0,
                                                     sizeof(struct hits), device->order),
                            "clearing hits");
    product->rank = mining->a.rank;
    product->slices = product->k / mining->a.rank;
    product->rows = cuda_pointer(set->rows.room.address);
    product->columns = cuda_pointer(set->columns.room.address);
    product->h = mining->rows->count;
    product->w = mining->columns->count;
    product->tile_rows = set->rows.tiles;
    product->tile_columns = set->columns.tiles;
    product->hits_max = mining->hits_max;
    memcpy(product->seed, mining->a.seed, sizeof product->seed);
    memcpy(product->bound, mining->bound, sizeof product->bound);
    product->seed_bytes = cuda_pointer(set->seed);
    product->ring = cuda_pointer(cuda_view(mining->hits));
    product->dense_a = cuda_pointer(set->dense.address);
    product->dense_b = cuda_pointer(work->ask->b->dense);
    product->x = cuda_pointer(set->x.address);
    product->y = cuda_pointer(set->y.address);
    return status;
}

static enum status scratch_prepare(struct cuda_work *work)
{
    struct device *device = work->device;
    const struct cuda_matmul *way = cuda_rows[work->run.row];
    struct cuda_product product = work->run.product;
    void *arguments[] = {&product};
    struct cuda_grid grid;

    if (!way->prepare || work->run.mode != CUDA_USEFUL)
        return STATUS_OK;
    way->prepare_grid(&device->traits, &product, &grid);
    product.part_last = grid.parts;
    return cuda_launch(device, device->prepares[work->run.row], &grid, arguments,
                       device->order);
}

/* On `order`, into the set. */
static enum status work_fill(struct cuda_work *work)
{
    struct device *device = work->device;
    const struct multiply *ask = work->ask;
    const struct mining *mining = ask->mining;
    enum status status = cuda_touch(device, ask->a.buffer, NULL);

    if (!status)
        status = cuda_touch(device, ask->c.buffer, NULL);
    if (!status && mining)
        status = cuda_touch(device, mining->hits.buffer, NULL);
    if (!status)
        status = cuda_set_wait(device, work->set);
    if (!status)
        status = cuda_left_prepare(device, ask, work->set, &work->run.product);
    if (!status && mining)
        status = lottery_prepare(work);
    if (!status)
        status = scratch_prepare(work);
    return status;
}

/* Takes the next set, and knows how the product will be made. */
static void work_begin(struct cuda_work *work)
{
    struct device *device = work->device;
    const struct multiply *ask = work->ask;
    const struct mining *mining = ask->mining;
    const struct packed *b = ask->b;
    const struct cuda_ask shape = {.mode = !mining         ? CUDA_CLEAN
                                           : ask->c.buffer ? CUDA_USEFUL
                                                           : CUDA_MINED,
                                   .m = ask->m,
                                   .n = b->head.n,
                                   .k = b->head.k,
                                   .rank = mining ? mining->a.rank : 0,
                                   .rows = mining ? mining->rows : NULL,
                                   .columns = mining ? mining->columns : NULL};

    work->set = &device->sets[device->set];
    work->run =
        (struct cuda_run){.row = cuda_row_choose(device, &shape),
                          .mode = shape.mode,
                          .grid = &work->grid,
                          .product = {.b = cuda_pointer(b->values),
                                      .c = cuda_pointer(cuda_view(ask->c)),
                                      .m = shape.m,
                                      .n = shape.n,
                                      .k = shape.k,
                                      .stride = b->stride,
                                      .scratch = cuda_pointer(work->set->extra.address)}};
}

enum status cuda_work_check(const struct device *device, const struct multiply *ask)
{
    const struct packed_head *b = &ask->b->head;
    const struct mining *mining = ask->mining;

    if (ask->m > device->sizes.m || b->n > device->sizes.n || b->k > device->sizes.k ||
        (mining && mining->a.rank > device->sizes.rank))
        return STATUS_NO_MEMORY; /* reserve() was not asked for this */
    return mining && mining->hits.offset % sizeof(uint32_t) ? STATUS_BAD_DATA : STATUS_OK;
}

bool cuda_work_is_nothing(const struct multiply *ask)
{
    return !ask->m || (!ask->mining && !ask->c.buffer);
}

static bool same_noise(const struct noise *a, const struct noise *b)
{
    return a->rank == b->rank && memcmp(a->seed, b->seed, sizeof a->seed) == 0;
}

/* All of it that was told to the card: when to leave off is not. */
static bool same_mining(const struct cuda_ahead *ahead, const struct mining *b)
{
    const struct mining *a = &ahead->mining;

    return same_noise(&a->a, &b->a) && same_noise(&a->b, &b->b) &&
           pattern_is_same(&ahead->rows, b->rows) &&
           pattern_is_same(&ahead->columns, b->columns) &&
           memcmp(a->bound, b->bound, sizeof a->bound) == 0 &&
           view_is_same(a->hits, b->hits) && a->hits_max == b->hits_max;
}

static bool is_ahead(const struct cuda_ahead *ahead, const struct multiply *ask)
{
    const struct multiply *made = &ahead->ask;

    if (!ahead->is_set || made->m != ask->m || made->b != ask->b ||
        !view_is_same(made->a, ask->a) || !view_is_same(made->c, ask->c) ||
        !made->mining != !ask->mining)
        return false;
    return !ask->mining || same_mining(ahead, ask->mining);
}

static void ahead_keep(struct cuda_ahead *ahead, const struct cuda_work *work)
{
    const struct mining *mining = work->ask->mining;

    *ahead = (struct cuda_ahead){.is_set = true, .ask = *work->ask, .run = work->run};
    if (!mining)
        return;
    ahead->mining = *mining;
    ahead->rows = *mining->rows;
    ahead->columns = *mining->columns;
}

void cuda_ahead_touch(struct device *device, const struct buffer *buffer,
                      const struct packed *packed)
{
    struct cuda_ahead *ahead = &device->ahead;

    if ((packed && packed == ahead->ask.b) ||
        (buffer && (buffer == ahead->ask.a.buffer || buffer == ahead->ask.c.buffer ||
                    buffer == ahead->mining.hits.buffer)))
        ahead->is_set = false;
}

enum status cuda_work_prepare(struct cuda_work *work)
{
    struct device *device = work->device;
    enum status status = STATUS_OK;

    if (is_ahead(&device->ahead, work->ask)) {
        work->set = &device->sets[device->set];
        work->run = device->ahead.run;
        work->run.grid = &work->grid;
    } else {
        work_begin(work);
        status = work_fill(work);
    }
    device->ahead.is_set = false;
    device->set = (device->set + 1) % device->set_count;
    return status;
}

/* With one set only, `order` would wait for the product that works in it. */
enum status cuda_prepare(struct device *device, const struct multiply *ask)
{
    struct cuda_work work = {.device = device, .ask = ask};
    enum status status = cuda_enter(device);

    device->ahead.is_set = false;
    if (!status)
        status = cuda_work_check(device, ask);
    if (status || device->set_count < 2 || cuda_work_is_nothing(ask))
        return status;
    work_begin(&work);
    status = work_fill(&work);
    if (!status)
        ahead_keep(&device->ahead, &work);
    return status;
}
