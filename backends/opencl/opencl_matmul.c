/*
 * opencl_matmul.c - which way to multiply suits a device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_matmul.h"

#include <string.h>

/* As the texts of the blocks define them. */
#define SHAPE_LOCAL                                                                      \
    .cell_rows = 128, .cell_columns = 128, .cell_items = 128, .left_size = 1
#define SHAPE_VECTOR                                                                     \
    .cell_rows = 8, .cell_columns = 16, .cell_items = 1, .left_size = 4, .reorders = true
enum {
    LOCAL_SIZE = 8192 + 64,
    CAPABILITY_MAJOR_NV = 0x4000,
    CAPABILITY_MINOR_NV = 0x4001,
    CAPABILITY_DP4A = 61,
};

const struct opencl_matmul opencl_matmul_table[] = {
#define OPENCL_MATMUL(row, block, dot)                                                   \
    {.name = #row, .options = "-DBLOCK_" #block " -DDOT_" #dot, SHAPE_##block},
#include "backends/opencl/opencl_matmul.def"
#undef OPENCL_MATMUL
};

const size_t opencl_matmul_count =
    sizeof opencl_matmul_table / sizeof opencl_matmul_table[0];

static bool has_dp4a(const struct opencl_api *api, cl_device_id device)
{
    return opencl_device_has(api, device, "cl_nv_device_attribute_query") &&
           10 * opencl_device_number(api, device, CAPABILITY_MAJOR_NV) +
                   opencl_device_number(api, device, CAPABILITY_MINOR_NV) >=
               CAPABILITY_DP4A;
}

bool opencl_matmul_suits(const struct opencl_matmul *row, const struct opencl_api *api,
                         cl_device_id device)
{
    if (row->cell_items == 1)
        return true;
    if (strstr(row->options, "DOT_KHR") &&
        !opencl_device_has(api, device, "cl_khr_integer_dot_product"))
        return false;
    if (strstr(row->options, "DOT_NVIDIA") && !has_dp4a(api, device))
        return false;
    return opencl_device_number(api, device, CL_DEVICE_MAX_WORK_GROUP_SIZE) >=
               row->cell_items &&
           opencl_device_number(api, device, CL_DEVICE_LOCAL_MEM_SIZE) >= LOCAL_SIZE;
}
