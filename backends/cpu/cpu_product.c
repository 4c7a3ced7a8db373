/*
 * cpu_product.c - one product: factors, packing, blocks, tickets, and the clean result.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_product.h"

#include <assert.h>
#include <string.h>

enum {
    BLOCK_SIZE = 384 << 10, /* packed rows of one task: they share the second cache with a
                               panel of b */
    GATHER_PANELS = CPU_COLUMNS / CPU_ROWS,
    BLOCK_MIN = 8, /* panels */
    UNITS_PER_THREAD = 64,
};

static size_t left_panel_size(const struct cpu_product *product)
{
    return (size_t)CPU_ROWS * product->b->k_padded * product->device->row->unit;
}

static size_t right_panel_size(const struct cpu_product *product)
{
    return (size_t)CPU_COLUMNS * product->b->k_padded * product->device->row->unit;
}

/* X of up to 4 panels, and their rows' own noise, as extra columns. */
static void left_correct(struct cpu_product *product, struct cpu_desk *desk,
                         uint32_t panel, const uint32_t which[CPU_COLUMNS])
{
    const struct cpu_correction *correction = &product->correction;
    const struct cpu_matmul *row = product->device->row;
    struct cpu_lines clean = product->lines;
    const int8_t *lines[CPU_COLUMNS];
    const int32_t *sums = desk->sums.data;

    clean.dense = NULL;
    cpu_lines_take(product->device, &clean, which, CPU_COLUMNS, desk->clean.data, lines);
    row->pack_right(lines, clean.k_padded, clean.k_padded, desk->panel.data,
                    desk->c.data);
    row->gather(desk->panel.data, product->b->pairs, clean.k, correction->rank,
                correction->limbs == 1, desk->sums.data);
    for (uint32_t i = 0; i < GATHER_PANELS && panel + i < product->wave_panels; i++) {
        int16_t *out = product->device->scratch.left_extra.data;
        struct cpu_correction_panel to = {.sums = sums + (size_t)i * CPU_ROWS};

        to.out = out + (size_t)(panel + i) * CPU_ROWS * correction->extra;
        for (uint32_t j = 0; j < CPU_ROWS; j++)
            if (which[i * CPU_ROWS + j] != CPU_NO_ROW)
                to.dense[j] = product->lines.dense +
                              (size_t)which[i * CPU_ROWS + j] * correction->rank;
        cpu_correction_left(correction, &to);
    }
}

/* Unit: 4 left panels of the wave. */
static void left_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    struct cpu_product *product = context;
    struct cpu_desk *desk = &product->device->scratch.desks[thread];
    uint8_t *left = product->device->scratch.left.data;
    const int8_t *lines[CPU_COLUMNS];
    uint32_t which[CPU_COLUMNS];

    for (uint64_t unit = first; unit < last; unit++) {
        const uint32_t panel = (uint32_t)unit * GATHER_PANELS;
        const uint32_t *order =
            product->tiles.order + (size_t)(product->wave_first + panel) * CPU_ROWS;

        for (uint32_t i = 0; i < CPU_COLUMNS; i++) {
            const uint32_t at = product->wave_first + panel + i / CPU_ROWS;
            which[i] = at < product->tiles.panels ? order[i] : CPU_NO_ROW;
        }
        cpu_lines_take(product->device, &product->lines, which, CPU_COLUMNS,
                       desk->lines.data, lines);
        for (uint32_t i = 0; i < GATHER_PANELS && panel + i < product->wave_panels; i++)
            product->device->row->pack_left(
                lines + (size_t)i * CPU_ROWS, product->b->k_padded,
                left + (panel + i) * left_panel_size(product));
        if (product->correction.extra)
            left_correct(product, desk, panel, which);
    }
}

/* Y of a right panel, and its columns' own noise, as extra columns. */
static void right_correct(const struct cpu_product *product, const struct cpu_desk *desk,
                          uint32_t panel)
{
    const struct cpu_correction *correction = &product->correction;
    const struct packed *b = product->b;
    const uint32_t column = panel * CPU_COLUMNS;
    int16_t *out = product->device->scratch.right_extra.data;
    struct cpu_correction_panel to = {.sums = desk->sums.data,
                                      .out = out + (size_t)column * correction->extra};

    product->device->row->gather(b->values + panel * right_panel_size(product),
                                 product->lines.pairs, b->head.k, correction->rank,
                                 correction->limbs == 1, desk->sums.data);
    for (uint32_t j = 0; j < CPU_COLUMNS && column + j < b->head.n; j++)
        to.dense[j] = b->dense + (size_t)(column + j) * correction->rank;
    cpu_correction_right(correction, &to);
}

static void right_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    const struct cpu_product *product = context;

    for (uint64_t panel = first; panel < last; panel++)
        right_correct(product, &product->device->scratch.desks[thread], (uint32_t)panel);
}

/* Where the block's rows go: straight to c, except what is ragged or nobody's. */
static void block_rows(const struct cpu_product *product, const struct cpu_place *place,
                       struct cpu_block *block)
{
    const uint32_t *order = product->tiles.order + (size_t)place->left * CPU_ROWS;
    const uint32_t n = product->b->head.n, column = place->right * CPU_COLUMNS;
    int32_t *c = cpu_view(product->ask->c), *spare = place->desk->c.data;

    for (uint32_t i = 0; i < CPU_ROWS; i++)
        if (order[i] == CPU_NO_ROW)
            block->c[i] = spare + CPU_ROWS * CPU_COLUMNS;
        else if (n - column < CPU_COLUMNS)
            block->c[i] = spare + i * CPU_COLUMNS;
        else
            block->c[i] = c + (size_t)order[i] * n + column;
}

/* The columns that exist, of rows that exist. */
static void ragged_rows(const struct cpu_product *product, const struct cpu_place *place)
{
    const uint32_t *order = product->tiles.order + (size_t)place->left * CPU_ROWS;
    const uint32_t n = product->b->head.n, column = place->right * CPU_COLUMNS;
    int32_t *c = cpu_view(product->ask->c);
    const int32_t *spare = place->desk->c.data;

    if (n - column >= CPU_COLUMNS)
        return;
    for (uint32_t i = 0; i < CPU_ROWS; i++)
        if (order[i] != CPU_NO_ROW)
            memcpy(c + (size_t)order[i] * n + column, spare + i * CPU_COLUMNS,
                   (n - column) * sizeof *c);
}

/* So that rows of c lie in the first cache when the block is done, and nobody waits. */
static void rows_await(const struct cpu_block *block)
{
    for (uint32_t i = 0; i < CPU_ROWS; i++) {
        __builtin_prefetch(block->c[i], 1);
        __builtin_prefetch(block->c[i] + CPU_COLUMNS / 2, 1);
    }
}

/* A quarter of the next right panel: four blocks bring all of it. */
static const uint8_t *block_next(const struct cpu_product *product,
                                 const struct cpu_place *place)
{
    const size_t size = right_panel_size(product);
    const size_t part = (place->left - product->wave_first) % product->block_panels;

    if (part >= 4 || place->right + 1 >= product->b->panels)
        return NULL;
    return product->b->values + (place->right + 1) * size + part * (size / 4);
}

static void block_run(const struct cpu_product *product, const struct cpu_place *place)
{
    const struct packed *b = product->b;
    const struct cpu_scratch *scratch = &product->device->scratch;
    const size_t in_wave = place->left - product->wave_first;
    const uint32_t extra = product->correction.extra;
    struct cpu_block block = {
        .a = (const uint8_t *)scratch->left.data + in_wave * left_panel_size(product),
        .b = b->values + place->right * right_panel_size(product),
        .next = block_next(product, place),
        .corrections =
            b->corrections + (size_t)place->right * (b->slices + 1) * CPU_COLUMNS,
        .slice = b->slice,
        .slices = b->slices,
        .tail = b->tail,
        .extra = extra,
        .group = place->left < product->tiles.tile_panels ? product->tiles.group : 0,
        .folds = place->desk->folds.data,
    };

    if (extra) {
        block.a_extra =
            (const int16_t *)scratch->left_extra.data + in_wave * CPU_ROWS * extra;
        block.b_extra = (const int16_t *)scratch->right_extra.data +
                        (size_t)place->right * CPU_COLUMNS * extra;
    }
    if (product->ask->c.buffer) {
        block_rows(product, place, &block);
        rows_await(&block);
    }
    product->device->row->block(&block);
    if (product->ask->c.buffer)
        ragged_rows(product, place);
}

/* The tiles of 16 columns that lie whole in a block. */
static void block_draw(const struct cpu_product *product, const struct cpu_place *place,
                       struct cpu_draw *draw)
{
    const struct cpu_tiles *tiles = &product->tiles;
    const uint32_t groups = CPU_ROWS / tiles->group, column = place->right * CPU_COLUMNS;
    const uint32_t *folds = place->desk->folds.data;
    uint32_t words[2][CPU_WORDS];

    for (uint32_t g = 0; g < groups && place->left * groups + g < tiles->count; g++) {
        const uint32_t row = tiles->order[place->left * CPU_ROWS + g * tiles->group];

        product->device->row->tile_words(folds + (size_t)g * CPU_COLUMNS,
                                         product->b->slices, groups * CPU_COLUMNS, words);
        for (uint32_t t = 0; t < 2; t++)
            if (column + 16 * t + 16 <= product->b->head.n)
                cpu_draw_add(draw, row, column + 16 * t, words[t]);
    }
}

/* One window under left panels [start->left, left_end). */
static void window_run(struct cpu_product *product, const struct cpu_place *start,
                       uint32_t left_end, struct cpu_draw *draw)
{
    const uint32_t right_end = start->right + product->window_panels < product->b->panels
                                   ? start->right + product->window_panels
                                   : product->b->panels;
    struct cpu_place place = *start;
    struct cpu_places places;

    if (product->has_strips)
        cpu_strips_begin(product, start->desk);
    for (place.right = start->right; place.right < right_end; place.right++) {
        if (product->has_strips)
            cpu_strips_turn(product, place.right - start->right, &places);
        if (product->corrects_late)
            right_correct(product, place.desk, place.right);
        for (place.left = start->left; place.left < left_end; place.left++) {
            block_run(product, &place);
            if (place.left >= product->tiles.tile_panels)
                continue;
            if (product->has_strips)
                cpu_strips_add(product, &place, start->left, &places);
            else
                block_draw(product, &place, draw);
        }
    }
    if (product->has_strips)
        cpu_strips_draw(product, start, left_end, draw);
}

/* Whether nobody waits for the rest of it. */
static int is_over(const struct cpu_product *product)
{
    const struct mining *mining = product->ask->mining;

    return mining && mining->count && !product->ask->c.buffer &&
           __atomic_load_n(mining->count, __ATOMIC_RELAXED) != mining->seen;
}

static uint32_t windows(const struct cpu_product *product)
{
    return (product->b->panels + product->window_panels - 1) / product->window_panels;
}

/* Unit: one block of rows by one window of columns; neighbours share the rows. */
static void task_part(void *context, uint32_t thread, uint64_t first, uint64_t last)
{
    struct cpu_product *product = context;
    struct cpu_draw draw = {.lottery = &product->lottery};
    const uint32_t wave_end = product->wave_first + product->wave_panels;

    for (uint64_t task = first; task < last; task++) {
        const uint32_t block = (uint32_t)(task / windows(product));
        const uint32_t window = (uint32_t)(task % windows(product));
        const struct cpu_place start = {.left = product->wave_first +
                                                block * product->block_panels,
                                        .right = window * product->window_panels,
                                        .desk = &product->device->scratch.desks[thread]};
        const uint32_t left_end = start.left + product->block_panels < wave_end
                                      ? start.left + product->block_panels
                                      : wave_end;

        if (!is_over(product))
            window_run(product, &start, left_end, &draw);
    }
    if (product->ask->mining)
        cpu_draw_end(&draw);
}

/* Row blocks fit the cache, and are lower where there are few columns: units must be many
 * for all threads to end together. */
static void grid_plan(struct cpu_product *product)
{
    const uint32_t threads = cpu_threads_count(product->device->threads);
    const uint32_t tile = product->tiles.panels_per_tile, right = product->b->panels;
    const uint32_t fit = (uint32_t)(BLOCK_SIZE / left_panel_size(product));
    const uint32_t wanted =
        threads > 1 ? (UNITS_PER_THREAD * threads + right - 1) / right : 1;
    const uint32_t even = (product->wave_panels + wanted - 1) / wanted;
    const uint32_t most = fit < even ? fit : even;

    product->block_panels = most > BLOCK_MIN ? most : BLOCK_MIN;
    product->block_panels = (product->block_panels + tile - 1) / tile * tile;
    product->window_panels = 1;
    if (product->ask->mining)
        cpu_strips_plan(product);
    assert(product->window_panels);
}

/* Y of all right panels, unless each is met only once: then it is made when it is met. */
static void right_begin(struct cpu_product *product)
{
    if (!product->correction.extra)
        return;
    product->corrects_late = product->tiles.panels <= product->wave_panels &&
                             product->wave_panels <= product->block_panels;
    if (!product->corrects_late)
        cpu_threads_run(product->device->threads, right_part, product, product->b->panels,
                        1);
}

static void waves_run(struct cpu_product *product, uint32_t wave)
{
    const uint32_t panels = product->tiles.panels;

    for (uint32_t first = 0; first < panels && !is_over(product); first += wave) {
        product->wave_first = first;
        product->wave_panels = panels - first < wave ? panels - first : wave;
        grid_plan(product);
        if (!first)
            right_begin(product);
        const uint64_t groups =
            (product->wave_panels + GATHER_PANELS - 1) / GATHER_PANELS;
        const uint64_t blocks =
            (product->wave_panels + product->block_panels - 1) / product->block_panels;

        cpu_threads_run(product->device->threads, left_part, product, groups, 1);
        cpu_threads_run(product->device->threads, task_part, product,
                        blocks * windows(product), 1);
    }
}

/* Panels of one wave: whole tiles, whole gathers, and no more than there is room for. */
static uint32_t wave_plan(const struct cpu_product *product)
{
    const struct cpu_scratch *scratch = &product->device->scratch;
    const size_t extra_size = CPU_ROWS * product->correction.extra * sizeof(int16_t);
    const uint32_t unit = product->tiles.panels_per_tile * GATHER_PANELS;
    size_t fit = scratch->left.size / left_panel_size(product);

    if (extra_size && scratch->left_extra.size / extra_size < fit)
        fit = scratch->left_extra.size / extra_size;
    return fit >= product->tiles.panels ? product->tiles.panels
                                        : (uint32_t)(fit / unit * unit);
}

/* Noise of a, correction and lottery, before any packing. */
static void mining_begin(struct cpu_product *product, const struct mining *mining)
{
    struct device *device = product->device;
    const struct packed *b = product->b;
    const struct cpu_factors factors = {.side = 0,
                                        .lines = product->ask->m,
                                        .k = b->head.k,
                                        .dense = device->scratch.dense.data,
                                        .pairs = device->scratch.pairs.data};

    cpu_factors_make(device, &mining->a, &factors);
    product->lines.dense = device->scratch.dense.data;
    product->lines.pairs = device->scratch.pairs.data;
    product->lines.rank = mining->a.rank;
    product->lottery.mining = mining;
    product->lottery.hash = device->kernels[KERNEL_ticket_hash];
    product->lottery.hits = cpu_view(mining->hits);
    if (product->ask->c.buffer)
        product->correction = cpu_correction_make(device->row, mining->a.rank, b->head.k,
                                                  product->lines.pairs, b->pairs);
}

enum status cpu_multiply(struct device *device, const struct multiply *multiply)
{
    const struct mining *mining = multiply->mining;
    const struct packed *b = multiply->b;
    const struct cpu_scratch *scratch = &device->scratch;
    struct cpu_product product = {
        .device = device,
        .ask = multiply,
        .b = b,
        .lines = {.values = cpu_view(multiply->a),
                  .k = b->head.k,
                  .k_padded = b->k_padded},
    };

    if (multiply->m > scratch->m || b->head.n > scratch->n || b->head.k > scratch->k)
        return STATUS_NO_MEMORY; /* reserve() was not asked for this */
    if (mining && mining->a.rank > scratch->rank)
        return STATUS_NO_MEMORY;
    if (!mining && !multiply->c.buffer)
        return STATUS_OK;
    product.tiles = cpu_tiles_make(mining ? mining->rows : NULL, multiply->m,
                                   multiply->c.buffer != NULL, scratch->order.data);
    if (mining)
        mining_begin(&product, mining);
    const uint32_t wave = wave_plan(&product);
    assert(wave || !product.tiles.panels);
    waves_run(&product, wave);
    if (mining)
        cpu_lottery_end(&product.lottery);
    return is_over(&product) ? STATUS_STALE : STATUS_OK;
}
