/*
 * near_tile.h - the plan of a device on which any tile of neighbours does.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_NEAR_TILE_H
#define MINERVA_BACKENDS_NEAR_TILE_H

#include "backends/backend.h"

/* The slot of struct backend for a device that folds 8 rows by 16 columns of neighbours
 * fastest, and any other tile. NOT_SUPPORTED: none fits. */
MUST_CHECK enum status near_tile_plan(uint32_t m, uint32_t n, uint32_t work_max,
                                      struct matmul_plan *out);

#endif
