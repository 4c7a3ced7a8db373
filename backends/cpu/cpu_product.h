/*
 * cpu_product.h - one product on its way through the threads, for the files that carry it
 * out.
 *
 * Rows of a go in waves: packed by all threads (cpu_product.c), then multiplied block by
 * block. Folded blocks become tickets at once where a tile's columns lie together in a
 * block, else they are gathered in strips first (cpu_strips.c).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_PRODUCT_H
#define MINERVA_BACKENDS_CPU_PRODUCT_H

#include "backends/cpu/cpu_correction.h"
#include "backends/cpu/cpu_lines.h"
#include "backends/cpu/cpu_tickets.h"
#include "backends/cpu/cpu_tiles.h"

struct cpu_product {
    struct device *device;
    const struct multiply *ask;
    const struct packed *b;
    struct cpu_tiles tiles;
    struct cpu_lines lines;           /* of a */
    struct cpu_correction correction; /* extra 0: not wanted */
    struct cpu_lottery lottery;
    uint32_t wave_first, wave_panels; /* left panels that are packed now, at most */
    uint32_t block_panels;  /* left panels of one task: they stay in the second cache */
    uint32_t window_panels; /* right panels whose tiles are complete among themselves */
    int has_strips;         /* tiles cross blocks */
    int corrects_late;      /* Y is made by the task that multiplies */
};

/* Left and right panel of one block. */
struct cpu_place {
    uint32_t left, right;
    struct cpu_desk *desk;
};

/* How wide windows are and how many panels a task may fold at once; sets has_strips. */
void cpu_strips_plan(struct cpu_product *product);
/* Where the columns of a right panel belong: tiles of their window. */
struct cpu_places {
    uint32_t tile[CPU_COLUMNS];
    int is_one; /* all to the same */
};
/* Before the first block of a window. */
void cpu_strips_begin(const struct cpu_product *product, const struct cpu_desk *desk);
/* For the panel of that number in its window. */
void cpu_strips_turn(const struct cpu_product *product, uint32_t panel,
                     struct cpu_places *places);
/* The folds of a block into the strips of its task, which began with left panel `first`.
 */
void cpu_strips_add(const struct cpu_product *product, const struct cpu_place *place,
                    uint32_t first, const struct cpu_places *places);
/* All tickets of a finished window. */
void cpu_strips_draw(const struct cpu_product *product, const struct cpu_place *start,
                     uint32_t left_end, struct cpu_draw *draw);

#endif
