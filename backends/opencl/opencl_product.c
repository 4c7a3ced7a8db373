/*
 * opencl_product.c - one product: bands, windows, strips, tickets, and the clean result.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_product.h"

#include <assert.h>
#include <string.h>

#include "backends/common_multiple.h"
#include "backends/hits.h"
#include "backends/opencl/opencl_order.h"
#include "miner/base/bytes.h"
#include "miner/base/memory.h"

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* So many slots as fit, in whole units; all if they fit. */
static uint32_t whole_units(uint64_t fit, uint32_t unit, uint32_t all)
{
    assert(unit);
    return fit >= all ? all : (uint32_t)(fit / unit * unit);
}

/* Bytes that the folds of one block take. */
static uint64_t fold_size(const struct opencl_product *product)
{
    return (uint64_t)(product->k / product->rank) * (BLOCK_ROWS / product->rows->group) *
           (BLOCK_COLUMNS / product->columns->group) * sizeof(uint32_t);
}

/* How much goes at a time.  NO_MEMORY: not even one ticket has room. */
static enum status sizes_plan(struct opencl_product *product)
{
    const struct device *device = product->device;
    const struct opencl_scratch *scratch = &device->scratch;
    const uint32_t row_unit =
        (uint32_t)common_multiple(device->row->cell_rows, product->rows->padded);
    const uint32_t column_unit =
        (uint32_t)common_multiple(device->row->cell_columns, product->columns->padded);
    uint64_t band = opencl_band_slots(device, product->k_padded);

    assert(!product->limbs || product->rank);
    if (product->limbs)
        band = least(band,
                     scratch->left_extra.size /
                         ((1 + product->limbs) * product->rank * device->row->left_size));
    product->band = whole_units(band, row_unit, product->rows->slots);
    product->window = whole_units(product->rank ? OPENCL_WINDOW_MAX : UINT32_MAX,
                                  column_unit, product->columns->slots);
    product->strip = product->band;
    if (product->rank) {
        const uint64_t size = fold_size(product);

        assert(size);
        const uint64_t blocks = scratch->folds.size / size;

        if (blocks / (product->window / BLOCK_COLUMNS) * BLOCK_ROWS < row_unit)
            product->window = least(column_unit, product->window);
        product->strip =
            whole_units(blocks / (product->window / BLOCK_COLUMNS) * BLOCK_ROWS, row_unit,
                        product->band);
    }
    return product->band && product->window && product->strip ? STATUS_OK
                                                              : STATUS_NO_MEMORY;
}

static struct opencl_part part_of(const struct opencl_product *product,
                                  struct opencl_range strip, struct opencl_range window)
{
    const struct opencl_matmul *row = product->device->row;

    return (struct opencl_part){
        .m = product->ask->m,
        .n = product->b->head.n,
        .k_padded = product->k_padded,
        .rank = product->rank,
        .slices = product->rank ? product->k / product->rank : 0,
        .limbs = product->limbs,
        .row_first = strip.first,
        .column_first = window.first,
        .left_first = strip.first % product->band,
        .right_first = product->reorders ? 0 : window.first,
        .cells_down = strip.slots / row->cell_rows,
        .cells_across = window.slots / row->cell_columns,
        .group_rows = product->rows->group,
        .group_columns = product->columns->group,
        .has_c = product->ask->c.buffer != NULL,
        .has_columns = !product->columns->is_plain,
    };
}

static enum status strip_multiply(const struct opencl_product *product,
                                  const struct opencl_part *part)
{
    struct device *device = product->device;
    const struct opencl_scratch *scratch = &device->scratch;
    struct opencl_call call = opencl_call_begin(device, &device->own[OWN_multiply]);

    opencl_call_memory(&call, scratch->left.memory);
    opencl_call_memory(&call,
                       product->reorders ? scratch->right.memory : product->b->values);
    opencl_call_memory(&call, scratch->left_extra.memory);
    opencl_call_memory(&call, scratch->right_extra.memory);
    opencl_call_memory(&call, product->rows->room.memory);
    opencl_call_memory(&call, product->columns->room.memory);
    opencl_call_view(&call, product->ask->c);
    opencl_call_memory(&call, scratch->folds.memory);
    opencl_call_value(&call, part, sizeof *part);
    call.items = device->row->cell_items;
    call.work = product->k_padded;
    call.mining = product->ask->c.buffer ? NULL : product->ask->mining;
    return opencl_call_run(&call, 0, (uint64_t)part->cells_down * part->cells_across);
}

/* Tickets that begin in a range of slots. */
static uint32_t tiles_in(const struct opencl_order *order, struct opencl_range range)
{
    const uint32_t first = range.first / order->padded;
    const uint32_t last =
        least(order->tiles, ((uint64_t)range.first + range.slots) / order->padded);

    return last > first ? last - first : 0;
}

static enum status strip_draw(const struct opencl_product *product,
                              struct opencl_range strip, struct opencl_range window)
{
    struct device *device = product->device;
    const struct mining *mining = product->ask->mining;
    const uint32_t down = tiles_in(product->rows, strip);
    const uint32_t across = tiles_in(product->columns, window);
    struct opencl_tickets tickets = {
        .tiles_across = across,
        .tile_first = strip.first / product->rows->padded,
        .tile_column = window.first / product->columns->padded,
        .rows_padded = product->rows->padded,
        .columns_padded = product->columns->padded,
        .group_rows = product->rows->group,
        .group_columns = product->columns->group,
        .blocks_down = strip.slots / BLOCK_ROWS,
        .blocks_across = window.slots / BLOCK_COLUMNS,
        .slices = product->k / product->rank,
        .hits_max = mining->hits_max,
    };
    struct opencl_call call = opencl_call_begin(device, &device->own[OWN_draw]);

    for (size_t i = 0; i < 8; i++) {
        tickets.seed[i] = u32_load(mining->a.seed + 4 * i);
        tickets.bound[i] = u32_load(mining->bound + 4 * i);
    }
    opencl_call_memory(&call, device->scratch.folds.memory);
    opencl_call_memory(&call, product->rows->room.memory);
    opencl_call_memory(&call, product->columns->room.memory);
    opencl_call_view(&call, mining->hits);
    opencl_call_value(&call, &tickets, sizeof tickets);
    return opencl_call_run(&call, 0, (uint64_t)down * across);
}

static enum status window_run(const struct opencl_product *product,
                              struct opencl_range band, struct opencl_range window)
{
    const uint32_t end = band.first + band.slots;
    enum status status = opencl_right_make(product, window);

    if (!status && product->limbs)
        status = opencl_right_correct(product, window);
    for (uint32_t first = band.first; !status && first < end; first += product->strip) {
        const struct opencl_range strip = {first, least(product->strip, end - first)};
        const struct opencl_part part = part_of(product, strip, window);

        status = strip_multiply(product, &part);
        if (!status && product->rank)
            status = strip_draw(product, strip, window);
    }
    return status;
}

static enum status band_run(const struct opencl_product *product,
                            struct opencl_range band)
{
    const uint32_t slots = product->columns->slots;
    const struct mining *mining = product->ask->c.buffer ? NULL : product->ask->mining;
    enum status status = STATUS_OK;

    if (product->limbs) {
        status = opencl_left_make(product, band, false);
        if (!status)
            status = opencl_left_correct(product, band);
    }
    if (!status)
        status = opencl_left_make(product, band, product->rank != 0);
    for (uint32_t first = 0; !status && first < slots; first += product->window) {
        const struct opencl_range window = {first, least(product->window, slots - first)};

        status = window_run(product, band, window);
        if (!status && opencl_is_over(mining))
            status = STATUS_STALE;
    }
    return status;
}

static enum status bands_run(const struct opencl_product *product)
{
    const uint32_t slots = product->rows->slots;
    enum status status = STATUS_OK;

    for (uint32_t first = 0; !status && first < slots; first += product->band) {
        const struct opencl_range band = {first, least(product->band, slots - first)};

        status = band_run(product, band);
    }
    return status;
}

static enum status zero(struct device *device, cl_mem memory, uint64_t offset,
                        size_t size)
{
    static const cl_uint none = 0;

    return opencl_status(device->api.clEnqueueFillBuffer(
        device->queue, memory, &none, sizeof none, (size_t)offset, size, 0, NULL, NULL));
}

static enum status hits_clear(struct device *device, const struct mining *mining)
{
    return zero(device, mining->hits.buffer->memory, mining->hits.offset,
                sizeof(struct hits));
}

static enum status mining_begin(const struct opencl_product *product)
{
    struct device *device = product->device;
    const struct mining *mining = product->ask->mining;
    const struct opencl_factors factors = {.side = 0,
                                           .lines = product->ask->m,
                                           .k = product->k,
                                           .dense = device->scratch.dense.memory,
                                           .pairs = device->scratch.pairs.memory};
    enum status status = opencl_factors_make(device, &mining->a, &factors);

    if (!status)
        status = hits_clear(device, mining);
    if (!status && product->limbs)
        status = opencl_sparse_make(product);
    if (!status && product->limbs)
        status = zero(device, device->scratch.flag.memory, 0, sizeof(uint32_t));
    return status;
}

/* Hits came in any order; most products have none. */
static enum status hits_order(const struct opencl_product *product)
{
    struct device *device = product->device;
    const struct opencl_api *api = &device->api;
    const struct mining *mining = product->ask->mining;
    cl_mem memory = mining->hits.buffer->memory;
    const size_t at = (size_t)mining->hits.offset, first = at + sizeof(struct hits);
    uint32_t count = 0;
    cl_int code = api->clEnqueueReadBuffer(device->queue, memory, CL_TRUE, at,
                                           sizeof count, &count, 0, NULL, NULL);

    count = least(count, mining->hits_max);
    if (code || count < 2)
        return opencl_status(code);
    struct hit *hits = memory_array(count, sizeof *hits);
    if (!hits)
        return STATUS_NO_MEMORY;
    code = api->clEnqueueReadBuffer(device->queue, memory, CL_TRUE, first,
                                    count * sizeof *hits, hits, 0, NULL, NULL);
    if (!code) {
        hits_sort(hits, count);
        code = api->clEnqueueWriteBuffer(device->queue, memory, CL_TRUE, first,
                                         count * sizeof *hits, hits, 0, NULL, NULL);
    }
    memory_free(hits);
    return opencl_status(code);
}

/* Whether a limb did not fit. */
static enum status flag_read(struct device *device, bool *out)
{
    cl_uint flag = 0;
    const cl_int code =
        device->api.clEnqueueReadBuffer(device->queue, device->scratch.flag.memory,
                                        CL_TRUE, 0, sizeof flag, &flag, 0, NULL, NULL);

    *out = flag != 0;
    return opencl_status(code);
}

static enum status product_run(struct opencl_product *product)
{
    enum status status = sizes_plan(product);
    bool is_over = false;

    if (!status && product->rank)
        status = mining_begin(product);
    if (!status)
        status = bands_run(product);
    if (!status && product->limbs)
        status = flag_read(product->device, &is_over);
    if (!status && is_over)
        status = STATUS_FAULT;
    return status;
}

/* Two limbs hold what 256 terms can make, and a position of the sparse factor has 2 k / r
 * on average; where that is near, three limbs hold more than k allows. */
static uint32_t limbs_wanted(uint32_t k, uint32_t rank)
{
    return k > 64 * rank ? OPENCL_LIMBS_MAX : 2;
}

static enum status orders_make(struct opencl_product *product)
{
    struct device *device = product->device;
    const struct mining *mining = product->ask->mining;
    const struct opencl_side rows = {product->ask->m, BLOCK_ROWS, device->row->cell_rows};
    const struct opencl_side columns = {product->b->head.n, BLOCK_COLUMNS,
                                        device->row->cell_columns};
    enum status status = opencl_order_make(device, &device->scratch.rows,
                                           mining ? mining->rows : NULL, &rows);

    if (!status)
        status = opencl_order_make(device, &device->scratch.columns,
                                   mining ? mining->columns : NULL, &columns);
    product->rows = &device->scratch.rows;
    product->columns = &device->scratch.columns;
    product->reorders = device->row->reorders && !product->columns->is_plain;
    return status;
}

enum status opencl_multiply(struct device *device, const struct multiply *multiply)
{
    const struct mining *mining = multiply->mining;
    const struct opencl_scratch *scratch = &device->scratch;
    struct opencl_product product = {
        .device = device,
        .ask = multiply,
        .b = multiply->b,
        .k = multiply->b->head.k,
        .k_padded = multiply->b->k_padded,
        .rank = mining ? mining->a.rank : 0,
    };
    enum status status;

    if (multiply->m > scratch->m || product.b->head.n > scratch->n ||
        product.k > scratch->k || product.rank > scratch->rank)
        return STATUS_NO_MEMORY; /* reserve() was not asked for this */
    if (!mining && !multiply->c.buffer)
        return STATUS_OK;
    if (mining && mining->hits.offset % sizeof(uint32_t))
        return STATUS_BAD_DATA;
    if (!multiply->m)
        return mining ? hits_clear(device, mining) : STATUS_OK;
    if (mining && multiply->c.buffer)
        product.limbs = limbs_wanted(product.k, product.rank);
    status = orders_make(&product);
    if (!status)
        status = product_run(&product);
    if (status == STATUS_FAULT && product.limbs == 2) {
        product.limbs = OPENCL_LIMBS_MAX;
        status = product_run(&product);
    }
    if (mining && (!status || status == STATUS_STALE)) {
        const enum status ordered = hits_order(&product);
        status = ordered ? ordered : status;
    }
    return status;
}
