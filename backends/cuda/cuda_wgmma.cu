/*
 * cuda_wgmma.cu - products by wgmma and TMA: the rows wgmma_lane and wgmma_quad of
 * cuda_matmul_wgmma.c.
 *
 * archs: 90a
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_group_roles.h"

#define GROUP_KERNEL(name, shape, mines, writes)                                         \
    KERNEL(name, GROUP_BLOCK, 1, const struct cuda_product product, TENSOR_MAP(a),       \
           TENSOR_MAP(b))                                                                \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, NULL, NULL};                             \
                                                                                         \
        group_run<shape, mines, writes>(&product, &maps);                                \
    }
/* With two maps more: of the correction's columns. */
#define GROUP_KERNEL_USEFUL(name, shape)                                                 \
    KERNEL(name, GROUP_BLOCK, 1, const struct cuda_product product, TENSOR_MAP(a),       \
           TENSOR_MAP(b), TENSOR_MAP(left), TENSOR_MAP(right))                           \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, &left, &right};                          \
                                                                                         \
        group_run<shape, true, true>(&product, &maps);                                   \
    }

GROUP_KERNEL(wgmma_clean, FOLD_LANE, false, true)
GROUP_KERNEL(wgmma_lane_mined, FOLD_LANE, true, false)
GROUP_KERNEL(wgmma_quad_mined, FOLD_QUAD, true, false)
GROUP_KERNEL_USEFUL(wgmma_lane_useful, FOLD_LANE)
GROUP_KERNEL_USEFUL(wgmma_quad_useful, FOLD_QUAD)
