/*
 * opencl_part.h - what the product kernels are told, the same structs for the host that
 * fills them in and the text that reads them.
 *
 * Slots: rows of a and columns of b in the order in which a product takes them, so that
 * the lines of one ticket lie together; rows[slot] and columns[slot] say which they are.
 * From m and n on they are nobody's, all zeros.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_PART_H
#define MINERVA_BACKENDS_OPENCL_PART_H

#include "kernels/vocabulary.h"

#define BLOCK_ROWS    8 /* one work item holds so many sums */
#define BLOCK_COLUMNS 16
#define K_UNIT        32 /* columns of k are padded to it; every rank is a multiple */

/* Lines brought to the layout of the main loop. */
struct opencl_lines {
    u32 first, slots; /* of the order; [0, slots) of what is written */
    u32 lines;        /* that exist */
    u32 k, k_padded, rank;
    u32 has_order, has_noise;
};

/* The extra columns that take the noise out again: dense, then limb after limb. */
struct opencl_extra {
    u32 first, slots, lines;
    u32 rank, limbs, has_order;
};

/* A band of rows under a window of columns. */
struct opencl_part {
    u32 m, n, k_padded, rank, slices;
    u32 limbs;                     /* 0: c is not corrected */
    u32 row_first, column_first;   /* slots where band and window begin */
    u32 left_first, right_first;   /* the same in what is packed of them */
    u32 cells_down, cells_across;  /* of the band */
    u32 group_rows, group_columns; /* lines of one ticket in a block */
    u32 has_c, has_columns;        /* columns[] finds the lines of b */
};

/* Tickets of a band under a window. */
struct opencl_tickets {
    u32 tiles_across;            /* of the window; tiles are counted from its corner */
    u32 tile_first, tile_column; /* the corner's, of all */
    u32 rows_padded, columns_padded; /* slots of one tile */
    u32 group_rows, group_columns;
    u32 blocks_down, blocks_across; /* of the band */
    u32 slices, hits_max;
    u32 seed[8], bound[8];
};

#endif
