/*
 * cpu_strips.c - tickets whose columns do not lie together in one block.
 *
 * A strip holds, for one tile row, the XOR of each tile's folds so far, its slices in a
 * line: strips[tile row][tile][slice].  Every column belongs to one tile, so a block adds
 * its columns where they belong.  A window is a multiple of the column pattern's period,
 * so no tile leaves it, and its tickets can be drawn when it is multiplied.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/common_multiple.h"
#include "backends/cpu/cpu_product.h"

static uint32_t slices_padded(const struct cpu_product *product)
{
    return cpu_pad(product->b->slices, 16);
}

/* Tile rows in this many panels. */
static uint32_t tiles_in(const struct cpu_tiles *tiles, uint32_t panels)
{
    return tiles->panels_per_tile > 1 ? panels / tiles->panels_per_tile
                                      : panels * (CPU_ROWS / tiles->group);
}

static int is_plain_sixteen(const struct pattern *columns)
{
    return columns->count == 16 && columns->offsets[15] == 15;
}

void cpu_strips_plan(struct cpu_product *product)
{
    const struct pattern *columns = product->ask->mining->columns;
    const uint32_t right = product->b->panels, unit = product->tiles.panels_per_tile;
    const uint64_t period = (uint64_t)columns->stride[2] * columns->length[2];
    const uint64_t whole = common_multiple(period, CPU_COLUMNS) / CPU_COLUMNS;
    const uint32_t least = (uint32_t)(whole < right ? whole : right);
    const size_t line = slices_padded(product) * sizeof(uint32_t);
    const size_t lines = product->device->scratch.desks[0].strips.size / line;

    product->has_strips = unit > 1 || !is_plain_sixteen(columns);
    if (!product->has_strips)
        return;
    while (product->block_panels > unit &&
           (size_t)tiles_in(&product->tiles, product->block_panels) * least *
                   CPU_COLUMNS >
               lines)
        product->block_panels -= unit;
    const size_t fit = lines / tiles_in(&product->tiles, product->block_panels) /
                       CPU_COLUMNS / least * least;
    product->window_panels = fit < right ? (uint32_t)fit : right;
}

/* The line of a tile, counted within the block's rows and the window. */
static uint32_t *strip(const struct cpu_product *product, const struct cpu_desk *desk,
                       uint32_t row, uint32_t tile)
{
    const size_t width = (size_t)product->window_panels * CPU_COLUMNS;

    return (uint32_t *)desk->strips.data + (row * width + tile) * slices_padded(product);
}

/* Which start, in ascending order, a column of a window belongs to: what is left of it
 * when each pair's own digit is taken out. */
static uint32_t tile_of(const struct pattern *columns, uint32_t column)
{
    uint32_t rest = column, index = 0, size = 1; /* size: of what is counted by rest */

    for (int i = 2; i >= 0; i--) {
        const uint32_t period = columns->stride[i] * columns->length[i];
        /* How many periods of this pair lie in a stride of the next one. */
        const uint32_t count = i == 2 ? 1 : columns->stride[i + 1] / period;

        index = index * count + rest / period;
        rest = rest % period % columns->stride[i];
        size = columns->stride[i];
    }
    return index * size + rest;
}

void cpu_strips_begin(const struct cpu_product *product, const struct cpu_desk *desk)
{
    const struct pattern *columns = product->ask->mining->columns;
    const uint64_t period = (uint64_t)columns->stride[2] * columns->length[2];
    const uint32_t width = product->window_panels * CPU_COLUMNS;
    const uint32_t tiles = width % period ? width : width / columns->count;

    for (uint32_t row = 0; row < tiles_in(&product->tiles, product->block_panels); row++)
        memset(strip(product, desk, row, 0), 0,
               (size_t)tiles * slices_padded(product) * sizeof(uint32_t));
}

void cpu_strips_turn(const struct cpu_product *product, uint32_t panel,
                     struct cpu_places *places)
{
    const struct pattern *columns = product->ask->mining->columns;

    places->is_one = 1;
    for (uint32_t j = 0; j < CPU_COLUMNS; j++) {
        places->tile[j] = tile_of(columns, panel * CPU_COLUMNS + j);
        places->is_one &= places->tile[j] == places->tile[0];
    }
}

/* A slice's folds of 32 columns of one tile. */
static uint32_t together(const uint32_t *folds)
{
    uint32_t all = 0;

    for (uint32_t j = 0; j < CPU_COLUMNS; j++)
        all ^= folds[j];
    return all;
}

void cpu_strips_add(const struct cpu_product *product, const struct cpu_place *place,
                    uint32_t first, const struct cpu_places *places)
{
    const struct cpu_tiles *tiles = &product->tiles;
    const uint32_t groups = CPU_ROWS / tiles->group, padded = slices_padded(product);
    const uint32_t row = tiles_in(tiles, place->left - first),
                   slices = product->b->slices;
    const uint32_t *folds = place->desk->folds.data;

    for (uint32_t i = 0; i < slices * groups; i++, folds += CPU_COLUMNS) {
        const uint32_t s = i / groups;
        uint32_t *to = strip(product, place->desk, row + i % groups, 0) + s;

        if (places->is_one) {
            to[(size_t)places->tile[0] * padded] ^= together(folds);
            continue;
        }
        for (uint32_t j = 0; j < CPU_COLUMNS; j++)
            to[(size_t)places->tile[j] * padded] ^= folds[j];
    }
}

/* The words of the tile whose line this is. */
static void strip_words(const struct cpu_product *product, const uint32_t *line,
                        uint32_t words[CPU_WORDS])
{
    memset(words, 0, CPU_WORDS * sizeof *words);
    for (uint32_t s = 0; s < product->b->slices; s++) {
        uint32_t *word = &words[s % CPU_WORDS];
        *word = (*word << 13 | *word >> 19) ^ line[s];
    }
}

/* Index of the first start at or after column; columns that begin a window begin a
 * period. */
static uint64_t start_index(const struct pattern *columns, uint64_t column)
{
    const uint64_t period = (uint64_t)columns->stride[2] * columns->length[2];

    return column / period * (period / columns->count);
}

void cpu_strips_draw(const struct cpu_product *product, const struct cpu_place *start,
                     uint32_t left_end, struct cpu_draw *draw)
{
    const struct cpu_tiles *tiles = &product->tiles;
    const struct pattern *columns = product->ask->mining->columns;
    const uint32_t end = left_end < tiles->tile_panels ? left_end : tiles->tile_panels;
    const uint64_t from = (uint64_t)start->right * CPU_COLUMNS;
    const uint64_t to = from + (uint64_t)product->window_panels * CPU_COLUMNS;
    const uint64_t starts = pattern_starts(columns, product->b->head.n);
    const uint64_t start_first = start_index(columns, from);
    const uint32_t first_tile = tiles_in(tiles, start->left);
    uint32_t words[CPU_WORDS];

    if (start->left >= end)
        return;
    for (uint32_t t = 0; t < tiles_in(tiles, end - start->left); t++) {
        const uint32_t tile = first_tile + t;
        if (tile >= tiles->count)
            return;
        const uint32_t row =
            tiles->group < CPU_ROWS
                ? tiles->order[(size_t)tile * tiles->group]
                : tiles->order[(size_t)tile * tiles->panels_per_tile * CPU_ROWS];

        for (uint64_t i = start_first; i < starts; i++) {
            const uint64_t column = pattern_start(columns, i);
            if (column >= to)
                break;
            strip_words(product,
                        strip(product, start->desk, t, (uint32_t)(i - start_first)),
                        words);
            cpu_draw_add(draw, row, (uint32_t)column, words);
        }
    }
}
