/*
 * opencl_order.c - slots of rows and columns.
 *
 * A ticket of 2, 4 or 8 lines lies in one block with others; a larger one takes whole
 * blocks, a ticket of any other size the next of these with nobody's lines at its end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_order.h"

#include <assert.h>
#include <string.h>

enum { CELL_MAX = 128 };

uint64_t opencl_order_slots_max(uint32_t lines)
{
    /* Worst: tickets of 18 columns take 32. */
    return 2 * (uint64_t)lines + 2 * (uint64_t)CELL_MAX;
}

static bool order_holds(const struct opencl_order *order, const struct pattern *pattern,
                        uint32_t lines)
{
    return order->is_set && order->lines == lines &&
           order->has_pattern == (pattern != NULL) &&
           (!pattern || memcmp(&order->pattern, pattern, sizeof *pattern) == 0);
}

/* The start of the ticket that line would belong to: each pair's digit is taken off. */
static uint32_t tile_start(const struct pattern *pattern, uint32_t line)
{
    uint32_t rest = line, start = line;

    for (int i = 2; i >= 0; i--) {
        rest %= pattern->stride[i] * pattern->length[i];
        start -= rest / pattern->stride[i] * pattern->stride[i];
        rest %= pattern->stride[i];
    }
    return start;
}

static void group_choose(struct opencl_order *order, uint32_t count, uint32_t block)
{
    uint32_t group = 2;

    while (group < count && group < block)
        group *= 2;
    order->group = group;
    order->padded = opencl_pad(count, group);
}

static uint64_t tiles_fill(struct opencl_order *order, uint32_t lines)
{
    const struct pattern *pattern = &order->pattern;
    uint64_t at = 0;

    order->tiles = (uint32_t)pattern_starts(pattern, lines);
    for (uint32_t t = 0; t < order->tiles; t++) {
        const uint32_t start = (uint32_t)pattern_start(pattern, t);

        for (uint32_t i = 0; i < order->padded; i++)
            order->host[at++] = i < pattern->count ? start + pattern->offsets[i] : lines;
    }
    return at;
}

static void order_fill(struct opencl_order *order, const struct opencl_side *side)
{
    const struct pattern *pattern = &order->pattern;
    const uint32_t lines = side->lines;
    uint64_t at = 0;

    if (order->has_pattern)
        at = tiles_fill(order, lines);
    while (at % side->block)
        order->host[at++] = lines;
    for (uint32_t line = 0; line < lines; line++)
        if (!order->has_pattern ||
            (uint64_t)tile_start(pattern, line) + pattern->offsets[pattern->count - 1] >=
                lines)
            order->host[at++] = line;
    while (at % side->cell)
        order->host[at++] = lines;
    assert(at <= order->host_max);
    order->slots = (uint32_t)at;
    order->is_plain = true;
    for (uint32_t i = 0; i < order->slots; i++)
        order->is_plain &= order->host[i] == (i < lines ? i : lines);
}

enum status opencl_order_make(struct device *device, struct opencl_order *order,
                              const struct pattern *pattern,
                              const struct opencl_side *side)
{
    cl_int code;

    if (order_holds(order, pattern, side->lines))
        return STATUS_OK;
    order->is_set = false;
    order->has_pattern = pattern != NULL;
    order->lines = side->lines;
    order->tiles = 0;
    order->group = order->padded = side->block;
    if (pattern) {
        order->pattern = *pattern;
        group_choose(order, pattern->count, side->block);
    }
    order_fill(order, side);
    code = device->api.clEnqueueWriteBuffer(device->queue, order->room.memory, CL_TRUE, 0,
                                            order->slots * sizeof(uint32_t), order->host,
                                            0, NULL, NULL);
    order->is_set = !code;
    return opencl_status(code);
}
