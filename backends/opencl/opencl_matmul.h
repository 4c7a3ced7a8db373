/*
 * opencl_matmul.h - the ways this backend multiplies: one row of opencl_matmul.def each.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_MATMUL_H
#define MINERVA_BACKENDS_OPENCL_MATMUL_H

#include "backends/opencl/opencl_probe.h"

struct opencl_matmul {
    const char *name;
    const char *options;                          /* of the compiler */
    uint32_t cell_rows, cell_columns, cell_items; /* as the block's text has them */
    uint32_t left_size;                           /* bytes of one packed value of a */
    bool reorders; /* columns in another order are copied before they are multiplied */
};

extern const struct opencl_matmul opencl_matmul_table[];
extern const size_t opencl_matmul_count;

/* Whether the device can run this row at all. */
bool opencl_matmul_suits(const struct opencl_matmul *row, const struct opencl_api *api,
                         cl_device_id device);

#endif
