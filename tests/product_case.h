/*
 * product_case.h - products with and without tickets, and what the plain composition of
 * the shared text makes of them: the definition every backend is compared with.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_PRODUCT_CASE_H
#define MINERVA_TESTS_PRODUCT_CASE_H

#include "backends/backend.h"

enum product_values {
    VALUES_ANY,
    VALUES_EDGES,   /* -64 and 64 */
    VALUES_HIGHEST, /* 64 */
    VALUES_ZERO,
    VALUES_WIDE, /* from here on clean products only: up to 127 */
    VALUES_FULL  /* lines of 127 and of -127 */
};

struct product_case { /* rank 0: clean */
    uint32_t m, n, k, rank;
    struct pattern rows, columns;
    enum product_values values;
    uint32_t threads;
    uint8_t bound_top; /* highest byte of the bound: 255 makes every tile a hit */
};

/* Operands and everything the plain composition makes of them. */
struct product_plain {
    int8_t *a, *b, *a_noised, *b_noised, *dense_a, *dense_b;
    uint16_t *pairs_a, *pairs_b;
    int32_t *c;
    uint64_t tile_rows, tile_columns, wins;
    struct hit *tiles;                              /* [tile_rows][tile_columns] */
    uint32_t *row_indices, *column_indices, *words; /* as kernels.def has them */
};

/* Fails the test when the composition does not give the product's definition in 64 bits.
 */
void product_plain_make(const struct product_case *shape, struct product_plain *p);
void product_plain_free(struct product_plain *p);
/* The seeds the noise of a (number 7) and b (number 8) is drawn from. */
enum { SEED_A = 7, SEED_B = 8 };
void product_seed(uint8_t seed[32], uint8_t number);

/* Of up to three pairs of length and stride, smallest stride first. */
struct pattern product_pattern(uint32_t l1, uint32_t s1, uint32_t l2, uint32_t s2,
                               uint32_t l3, uint32_t s3);

#endif
