/*
 * cpu_tiles.h - how the rows of a left operand go to panels of 8, so that a ticket's rows
 * lie together.
 *
 * A pattern of 2 or 4 rows fills a panel with 4 or 2 tiles; any other takes whole panels
 * of its own, the last one filled with rows of zeros, which change no XOR.  Rows that
 * belong to no tile come last.  Without a pattern the rows lie as they are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_TILES_H
#define MINERVA_BACKENDS_CPU_TILES_H

#include <stdint.h>

#include "kernels/pattern.h"

#define CPU_NO_ROW UINT32_MAX

struct cpu_tiles {
    uint32_t count; /* of tile rows; 0 without a pattern */
    uint32_t group; /* rows of one tile in one panel: 2, 4, 8; 0 without a pattern */
    uint32_t panels_per_tile; /* 1 where a panel holds at least one tile */
    uint32_t tile_panels;     /* panels that hold tiles: the first ones */
    uint32_t panels;
    const uint32_t *order; /* [panels][8], CPU_NO_ROW: a row of zeros */
};

/* Panels needed at most for m rows, whatever the pattern. */
uint64_t cpu_tiles_panels_max(uint32_t m);
/* pattern NULL: none.  all: rows of no tile are wanted too.  order: room for panels_max()
 * * 8. */
struct cpu_tiles cpu_tiles_make(const struct pattern *pattern, uint32_t m, int all,
                                uint32_t *order);

#endif
