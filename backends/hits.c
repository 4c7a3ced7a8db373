/*
 * hits.c - winning tiles in order.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/hits.h"

static bool hit_before(const struct hit *a, const struct hit *b)
{
    return a->row != b->row ? a->row < b->row : a->column < b->column;
}

/* Shell's sort: no memory, and nearly ordered hits are its best case. */
void hits_sort(struct hit *hits, uint32_t count)
{
    uint32_t gap = 1;

    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap; gap /= 3)
        for (uint32_t i = gap; i < count; i++) {
            const struct hit hit = hits[i];
            uint32_t at = i;

            for (; at >= gap && hit_before(&hit, &hits[at - gap]); at -= gap)
                hits[at] = hits[at - gap];
            hits[at] = hit;
        }
}
