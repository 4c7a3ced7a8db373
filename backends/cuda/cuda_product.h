/*
 * cuda_product.h - what a product kernel is given: one struct by value, the same for the
 * host that fills it in and the kernel that reads it.
 *
 * Pointers are addresses on the device.  A kernel works on the half-open range of parts
 * [part_first, part_last): parts are its own unit (block tiles of the output, say), of
 * which its row's grid() says how many there are.  A long product is launched in several
 * ranges, so that it can be left off in between.  Any split gives the same bits.
 *
 * Only fixed-width types and pointers: C, CUDA and a host C++ compiler read this.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PRODUCT_H
#define MINERVA_BACKENDS_CUDA_PRODUCT_H

#include <stdint.h>

enum { CUDA_LINES_UNIT = 256, CUDA_K_UNIT = 64 };

/* A tile that won; the host orders them (struct hit of backend.h has this layout). */
struct cuda_hit {
    uint32_t row, column; /* rows[tile row][0], columns[tile column][0] */
    uint8_t ticket[32];
};

struct cuda_ring { /* count is zero at first and may pass hits_max: then no room was left
                    */
    uint32_t count;
    uint32_t reserved;
    struct cuda_hit hit[]; /* hits_max */
};

struct cuda_product {
    /* Rows of k values, `stride` bytes apart, a multiple of CUDA_K_UNIT; zeros beyond k.
     * Begin on 256 bytes.  b has zero rows up to a multiple of CUDA_LINES_UNIT; a ends
     * with row m - 1.  Noised ones in a mined product. */
    const int8_t *a, *b;
    int32_t *c; /* m x n, exact and clean; NULL: not wanted */
    uint32_t m, n, k, stride;
    uint64_t part_first, part_last;

    /* The rest only in a mined product: k is a multiple of 64, of which the first
     * slices * rank columns are folded. */
    uint32_t rank, slices;
    const uint32_t *rows, *columns; /* [tile_rows][h] and [tile_columns][w]: the indices
                                       of every tile side */
    uint32_t h, w, tile_rows, tile_columns;
    uint32_t hits_max;
    uint32_t seed[8];          /* the ticket's key, little-endian words */
    uint32_t bound[8];         /* likewise; inclusive */
    const uint8_t *seed_bytes; /* the key once more, on the device */
    struct cuda_ring *ring;

    /* Only where c is wanted of a mined product: c = a b - dense_a y' - x dense_b'. */
    const int8_t *dense_a, *dense_b; /* [m][rank], [n][rank] */
    const int32_t *x, *y;            /* [m][rank], [n][rank] */

    /* As many bytes as the row's scratch() asked for; undefined contents. */
    void *scratch;
};

#endif
