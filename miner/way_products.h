/*
 * way_products.h - products by a way on trial, held against the same ones by ways that
 * are established, bit for bit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WAY_PRODUCTS_H
#define MINERVA_MINER_WAY_PRODUCTS_H

#include "backends/device.h"

enum { WAY_TILE_ROWS = 128, WAY_TILE_COLUMNS = 256 }; /* what a block holds, at most */

struct way_sides { /* one card, opened three times */
    const struct way *way;
    struct device *trial; /* by that way alone */
    struct device
        *rival; /* by the established one: what large products are held against */
    struct device *text; /* by the texts alone: small ones */
};

/* Of the pairs; they are the backend's own. */
struct pattern way_pattern(const struct way_pattern *pairs);
/* Of so many blocks' tiles, laid out about square. */
uint32_t way_tile_columns(uint64_t tiles);
/* All of them, to the first that differs: MISMATCH and how. */
MUST_CHECK enum status way_products_check(const struct way_sides *sides, uint32_t *count,
                                          struct error *err);

#endif
