/*
 * opencl_order.h - the order in which a product takes rows or columns: the lines of one
 * ticket together, then those that belong to none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_ORDER_H
#define MINERVA_BACKENDS_OPENCL_ORDER_H

#include "backends/opencl/opencl_device.h"

struct opencl_side {
    uint32_t lines;
    uint32_t block, cell; /* lines of a block and of a cell, to a whole number of which
                             slots are padded */
};

/* Slots at most for so many lines, whatever the pattern. */
uint64_t opencl_order_slots_max(uint32_t lines);
/* pattern NULL: as they come.  On the device afterwards. */
MUST_CHECK enum status opencl_order_make(struct device *device,
                                         struct opencl_order *order,
                                         const struct pattern *pattern,
                                         const struct opencl_side *side);

#endif
