/*
 * noisy_gemm.h - what only this scheme's callers may ask of its run.
 *
 * Belongs to the run's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_NOISY_GEMM_H
#define MINERVA_POW_NOISY_GEMM_H

#include "miner/pow/scheme.h"

/* For worked cases and for who knows better than the smallest rank: from now on every
 * product is mined with this rank and these patterns, or computed plainly where they do
 * not fit it.  Without rows, the device's own tile.  A job that dictates its shape comes
 * before any choice: other products are then computed plainly.  NULL: the smallest rank
 * and the device's own tile again. */
struct noisy_gemm_choice {
    uint32_t rank;
    struct matmul_plan plan;
};
void noisy_gemm_dictate(struct pow_run *run, const struct noisy_gemm_choice *choice);

#endif
