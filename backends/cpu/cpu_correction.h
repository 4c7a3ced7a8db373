/*
 * cpu_correction.h - the int16 columns that turn a noised product back into the clean
 * one.
 *
 * A B = A' B' - E_AL Y - X E_BR with Y = E_AR B', X = A E_BL (pow.md section 10).  The
 * block that multiplied k goes on with (E_AL, -X) times (-Y, E_BR).  Where a sum may
 * leave an int16 it is cut in two limbs, v = 1024 h + l, and the other factor comes once
 * more, times 1024: always exact.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_CORRECTION_H
#define MINERVA_BACKENDS_CPU_CORRECTION_H

#include "backends/cpu/cpu_device.h"

struct cpu_correction {
    const struct cpu_matmul *row;
    uint32_t rank, limbs;
    uint32_t extra; /* int16 columns: 2 * rank * limbs */
};

/* What these pairs [k][2] of both sides need. */
struct cpu_correction cpu_correction_make(const struct cpu_matmul *row, uint32_t rank,
                                          uint32_t k, const uint16_t *pairs_a,
                                          const uint16_t *pairs_b);
/* A left (8 lanes) or right (32 lanes) panel's extra columns, and what they are made of.
 */
struct cpu_correction_panel {
    const int8_t *dense[CPU_COLUMNS]; /* [rank], the lane's own line of E; NULL: zeros */
    const int32_t *sums;              /* [rank][32]: X or Y; lane i is column i */
    int16_t *out;
};
void cpu_correction_left(const struct cpu_correction *correction,
                         const struct cpu_correction_panel *panel);
void cpu_correction_right(const struct cpu_correction *correction,
                          const struct cpu_correction_panel *panel);

#endif
