/*
 * cpu_strips.c - tickets whose columns do not lie together in one block.
 *
 * A strip holds, for one tile row, the folds of every column of a window, each column's
 * slices in a line: strips[tile][column][slice].  A window is a multiple of the column
 * pattern's period, so no tile leaves it.  When a window is multiplied, a ticket is the
 * XOR of its columns' lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

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

static uint64_t common_multiple(uint64_t a, uint64_t b)
{
    uint64_t x = a, y = b;

    while (y) {
        const uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
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

static uint32_t *strip(const struct cpu_product *product, const struct cpu_desk *desk,
                       uint32_t tile, uint32_t column)
{
    const size_t width = (size_t)product->window_panels * CPU_COLUMNS;

    return (uint32_t *)desk->strips.data +
           (tile * width + column) * slices_padded(product);
}

void cpu_strips_add(const struct cpu_product *product, const struct cpu_place *place,
                    uint32_t first, uint32_t window)
{
    const struct cpu_tiles *tiles = &product->tiles;
    const uint32_t groups = CPU_ROWS / tiles->group, padded = slices_padded(product);
    const uint32_t tile = tiles_in(tiles, place->left - first);
    const int is_first = (place->left - first) % tiles->panels_per_tile == 0;
    const uint32_t *folds = place->desk->folds.data;

    for (uint32_t g = 0; g < groups; g++) {
        uint32_t *to =
            strip(product, place->desk, tile + g, (place->right - window) * CPU_COLUMNS);

        for (uint32_t s = 0; s < product->b->slices; s++)
            for (uint32_t j = 0; j < CPU_COLUMNS; j++) {
                uint32_t *at = to + (size_t)j * padded + s;
                *at = (is_first ? 0 : *at) ^ folds[(s * groups + g) * CPU_COLUMNS + j];
            }
    }
}

/* The words of the tile whose lines these are. */
static void strip_words(const struct cpu_product *product, const uint32_t *lines,
                        uint32_t words[CPU_WORDS])
{
    const struct pattern *columns = product->ask->mining->columns;
    const uint32_t padded = slices_padded(product);

    memset(words, 0, CPU_WORDS * sizeof *words);
    for (uint32_t s = 0; s < product->b->slices; s += CPU_WORDS) {
        uint32_t folds[CPU_WORDS] = {0};

        for (uint32_t j = 0; j < columns->count; j++)
            for (uint32_t i = 0; i < CPU_WORDS; i++)
                folds[i] ^= lines[(size_t)columns->offsets[j] * padded + s + i];
        for (uint32_t i = 0; i < CPU_WORDS && s + i < product->b->slices; i++)
            words[i] = (words[i] << 13 | words[i] >> 19) ^ folds[i];
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

        for (uint64_t i = start_index(columns, from); i < starts; i++) {
            const uint64_t column = pattern_start(columns, i);
            if (column >= to)
                break;
            strip_words(product,
                        strip(product, start->desk, t, (uint32_t)(column - from)), words);
            cpu_draw_add(draw, row, (uint32_t)column, words);
        }
    }
}
