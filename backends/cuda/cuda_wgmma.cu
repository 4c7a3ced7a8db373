/*
 * cuda_wgmma.cu - products by wgmma and TMA: the rows of cuda_matmul_wgmma.c; those
 * named pair in clusters of two blocks.
 *
 * archs: 90a
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_group_roles.h"

#define GROUP_KERNEL(name, shape, mines, writes, blocks)                                       \
    KERNEL(name, GROUP_BLOCK, 1, const struct cuda_product product, TENSOR_MAP(a),       \
           TENSOR_MAP(b))                                                                \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, NULL, NULL};                             \
                                                                                         \
        group_run<shape, mines, writes, blocks>(&product, &maps);                                \
    }
/* With two maps more: of the correction's columns. */
#define GROUP_KERNEL_USEFUL(name, shape, blocks)                                                 \
    KERNEL(name, GROUP_BLOCK, 1, const struct cuda_product product, TENSOR_MAP(a),       \
           TENSOR_MAP(b), TENSOR_MAP(left), TENSOR_MAP(right))                           \
    {                                                                                    \
        const struct group_maps maps = {&a, &b, &left, &right};                          \
                                                                                         \
        group_run<shape, true, true, blocks>(&product, &maps);                                   \
    }

GROUP_KERNEL(wgmma_clean, FOLD_LANE, false, true, 1)
GROUP_KERNEL(wgmma_lane_mined, FOLD_LANE, true, false, 1)
GROUP_KERNEL(wgmma_quad_mined, FOLD_QUAD, true, false, 1)
GROUP_KERNEL_USEFUL(wgmma_lane_useful, FOLD_LANE, 1)
GROUP_KERNEL_USEFUL(wgmma_quad_useful, FOLD_QUAD, 1)
GROUP_KERNEL(wgmma_pair_clean, FOLD_LANE, false, true, 2)
GROUP_KERNEL(wgmma_pair_lane_mined, FOLD_LANE, true, false, 2)
GROUP_KERNEL(wgmma_pair_quad_mined, FOLD_QUAD, true, false, 2)
GROUP_KERNEL_USEFUL(wgmma_pair_lane_useful, FOLD_LANE, 2)
GROUP_KERNEL_USEFUL(wgmma_pair_quad_useful, FOLD_QUAD, 2)
