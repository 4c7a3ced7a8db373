/*
 * near_tile.c - tiles of neighbours, the one that is wanted most first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/near_tile.h"

enum status near_tile_plan(uint32_t m, uint32_t n, uint32_t work_max,
                           struct matmul_plan *out)
{
    static const uint32_t tiles[][2] = {{8, 16}, {4, 16}, {2, 16}, {8, 8},
                                        {8, 4},  {4, 8},  {16, 2}, {16, 4}};

    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        const uint32_t h = tiles[i][0], w = tiles[i][1];

        if (h > m || w > n || h * w > work_max)
            continue;
        out->rows = pattern_range(h);
        out->columns = pattern_range(w);
        return STATUS_OK;
    }
    return STATUS_NOT_SUPPORTED;
}
