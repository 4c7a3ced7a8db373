/*
 * cpu_tiles.c - how the rows of a left operand go to panels.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_tiles.h"

#include <assert.h>
#include <stdbool.h>

#include "backends/cpu/cpu_matmul.h"

uint64_t cpu_tiles_panels_max(uint32_t m)
{
    /* Worst: tiles of 10 rows take 16; and what is left of the last panel of either kind.
     */
    return ((uint64_t)m * 8 / 5) / CPU_ROWS + 4;
}

/* The start of the tile that row would belong to: each pair's own digit is taken off. */
static uint32_t tile_start(const struct pattern *pattern, uint32_t row)
{
    uint32_t rest = row, start = row;

    for (int i = 2; i >= 0; i--) {
        rest %= pattern->stride[i] * pattern->length[i];
        start -= rest / pattern->stride[i] * pattern->stride[i];
        rest %= pattern->stride[i];
    }
    return start;
}

static void fill(uint32_t *order, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        order[i] = CPU_NO_ROW;
}

static void tiles_order(struct cpu_tiles *tiles, const struct pattern *pattern,
                        uint32_t *order)
{
    const uint32_t h = pattern->count;
    uint64_t at = 0;

    for (uint32_t t = 0; t < tiles->count; t++) {
        const uint32_t start = (uint32_t)pattern_start(pattern, t);

        for (uint32_t i = 0; i < h; i++)
            order[at++] = start + pattern->offsets[i];
        if (tiles->group == CPU_ROWS && at % CPU_ROWS) {
            fill(order, at, at + CPU_ROWS - at % CPU_ROWS);
            at += CPU_ROWS - at % CPU_ROWS;
        }
    }
    fill(order, at, (uint64_t)tiles->tile_panels * CPU_ROWS);
}

struct cpu_tiles cpu_tiles_make(const struct pattern *pattern, uint32_t m, int all,
                                uint32_t *order)
{
    struct cpu_tiles tiles = {.order = order, .panels_per_tile = 1};
    uint32_t rest = 0;

    if (pattern) {
        const uint32_t h = pattern->count;

        tiles.count = (uint32_t)pattern_starts(pattern, m);
        tiles.group = h == 2 || h == 4 ? h : CPU_ROWS;
        tiles.panels_per_tile = (h + CPU_ROWS - 1) / CPU_ROWS;
        tiles.tile_panels = tiles.group < CPU_ROWS
                                ? (tiles.count + CPU_ROWS / h - 1) / (CPU_ROWS / h)
                                : tiles.count * tiles.panels_per_tile;
        tiles_order(&tiles, pattern, order);
    }
    uint32_t *next = order + (uint64_t)tiles.tile_panels * CPU_ROWS;
    for (uint32_t row = 0; all && row < m; row++) {
        if (pattern &&
            (uint64_t)tile_start(pattern, row) + pattern->offsets[pattern->count - 1] < m)
            continue;
        next[rest++] = row;
    }
    const uint32_t rest_panels = (rest + CPU_ROWS - 1) / CPU_ROWS;
    fill(next, rest, (uint64_t)rest_panels * CPU_ROWS);
    tiles.panels = tiles.tile_panels + rest_panels;
    assert(tiles.panels <= cpu_tiles_panels_max(m));
    return tiles;
}
