/*
 * cuda_fold_any.h - tickets of any legal pattern and any rank: their lines are gathered
 * so that a ticket is a rectangle of the block, and its words lie in shared memory.
 *
 * Place p of the block's 128 rows is row p % h of the block's ticket row p / h; places
 * that are left over repeat row 0 and count for nothing.  A lane holds 8 neighbouring
 * places of rows and 16 of columns.  A word is an exclusive-or of slices, each turned by
 * what is still to come, so lanes may add their parts in any order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_FOLD_ANY_H
#define MINERVA_BACKENDS_CUDA_FOLD_ANY_H

#include "backends/cuda/cuda_product.h"
#include "backends/cuda/cuda_tile.h"

/* Place of a line of the block's half stage, so that a lane's lines are neighbours. */
DEVICE_FN u32 any_row_place(u32 line)
{
    return (line & 64) | (line & 7) << 3 | (line >> 3 & 7);
}

DEVICE_FN u32 any_column_place(u32 line)
{
    return (line & 64) | (line >> 1 & 3) << 4 | (line >> 3 & 7) << 1 | (line & 1);
}

/* One side of the block's tickets: `size` lines each, `count` of them from `first`. */
struct any_side {
    const u32 *lines; /* [all][size] */
    u32 size, first, count;
};

DEVICE_FN void any_side_make(const u32 *lines, u32 size, u32 all, u32 panel,
                             struct any_side *side)
{
    const u32 most = TILE_LINES / size;

    side->lines = lines + (u64)panel * most * size;
    side->size = size;
    side->first = panel * most;
    side->count = all - side->first < most ? all - side->first : most;
}

/* The line of the operand at a place. */
DEVICE_FN u32 any_side_line(const struct any_side *side, u32 place)
{
    return place < side->count * side->size ? side->lines[place] : 0;
}

/* Bit i: ticket ends with the lane's place first + i, or goes on in another lane. */
DEVICE_FN u32 any_side_ends(const struct any_side *side, u32 first, u32 places)
{
    u32 ends = 1u << (places - 1);

    for (u32 i = 0; i < places; i++)
        ends |= ((first + i + 1) % side->size == 0 ? 1u : 0u) << i;
    return ends;
}

struct fold_any {
    struct any_side rows, columns;
    u32 row, column;           /* of the ticket at the lane's first place */
    u32 row_ends, column_ends; /* bits of the lane's places */
    u32 next, every;           /* steps behind which comes the next fold; of a slice */
    u32 slices, slice;         /* to fold; folded so far */
    u32 words;                 /* shared offset of [16][ANY_TICKETS] */

    /* rows and columns are the caller's. */
    DEVICE_FN void begin(struct fold_any *fold, const struct cuda_product *product)
    {
        const u32 thread = thread_index();
        const u32 row = any_row_place(tile_thread_row(thread));
        const u32 column = any_column_place(tile_thread_column(thread));

        fold->row = row / fold->rows.size;
        fold->column = column / fold->columns.size;
        fold->row_ends = any_side_ends(&fold->rows, row, TILE_LANE_ROWS);
        fold->column_ends = any_side_ends(&fold->columns, column, TILE_LANE_COLUMNS);
        fold->every = product->rank / 32;
        fold->next = fold->every;
        fold->slices = product->slices;
        fold->slice = 0;
        for (u32 at = 4 * thread; at < ANY_SHARED; at += 4 * TILE_THREADS)
            *SHARED(u32, fold->words + at) = 0;
    }

    /* part[v]: of rows of one ticket row, the lane's column v. */
    DEVICE_FN void put(const struct fold_any *fold, u32 row, const u32 *part)
    {
        const u32 turn = 13 * ((fold->slices - 1 - fold->slice) / 16) % 32;
        const u32 at = fold->words + fold->slice % 16 * (4 * ANY_TICKETS) +
                       4 * row * fold->columns.count;
        u32 column = fold->column, x = 0;

        UNROLL
        for (u32 v = 0; v < TILE_LANE_COLUMNS; v++) {
            x ^= part[v];
            if (!(fold->column_ends >> v & 1))
                continue;
            if (column < fold->columns.count)
                (void)atomic_xor(SHARED(u32, at + 4 * column), rotate_left(x, turn));
            x = 0;
            column++;
        }
    }

    DEVICE_FN void after(struct fold_any *fold, u32 stage, u32 step, const tile_sums acc)
    {
        u32 part[TILE_LANE_COLUMNS], row = fold->row;

        if (TILE_STEPS * (stage - 1) + step + 1 != fold->next)
            return;
        UNROLL
        for (u32 v = 0; v < TILE_LANE_COLUMNS; v++)
            part[v] = 0;
        UNROLL
        for (u32 u = 0; u < TILE_LANE_ROWS; u++) {
            UNROLL
            for (u32 v = 0; v < TILE_LANE_COLUMNS; v++)
                part[v] ^= (u32)acc[u / 2][v / 2][u % 2 * 2 + v % 2];
            if (!(fold->row_ends >> u & 1))
                continue;
            if (row < fold->rows.count)
                put(fold, row, part);
            UNROLL
            for (u32 v = 0; v < TILE_LANE_COLUMNS; v++)
                part[v] = 0;
            row++;
        }
        fold->slice++;
        fold->next = fold->slice < fold->slices ? fold->next + fold->every : 0;
    }
};

#endif
