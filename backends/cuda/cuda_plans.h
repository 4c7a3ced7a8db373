/*
 * cuda_plans.h - what the rows whose kernels fold in registers have in common: the
 * patterns that lanes hold, and the scratch of the correction.
 *
 * No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PLANS_H
#define MINERVA_BACKENDS_CUDA_PLANS_H

#include "backends/cuda/cuda_matmul.h"

/* rows 8 apart, 8 of them; columns (1, 2)(8, 8): a ticket in a lane of m16n8 fragments */
struct matmul_plan cuda_plan_lane(void);
/* rows 0 and 32; columns 0 to 63 */
struct matmul_plan cuda_plan_quad(void);
/* Whether a mined product has this pattern and a rank of at least so much, or is clean.
 */
bool cuda_plan_suits(const struct cuda_ask *ask, const struct matmul_plan *plan,
                     uint32_t rank_min);
/* For the slot: the lane's, or the largest of any row's that fits. */
bool cuda_plan_make(uint32_t m, uint32_t n, uint32_t k, uint32_t work_max,
                    struct matmul_plan *out);

/* For the slots scratch and prepare_grid of rows that use cuda_correction.h. */
uint64_t cuda_correction_size(uint32_t m, uint32_t n, uint32_t k, uint32_t rank);
void cuda_correction_grid(const struct cuda_traits *traits,
                          const struct cuda_product *product, struct cuda_grid *out);

#endif
