/*
 * cpu_lines.h - lines of an operand (rows of a, columns of b) as packing wants them:
 * whole in k, noised if asked, zero where there is none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_LINES_H
#define MINERVA_BACKENDS_CPU_LINES_H

#include "backends/cpu/cpu_device.h"

struct cpu_lines {
    const int8_t *values; /* [..][k] */
    uint32_t k, k_padded;
    const int8_t *dense;   /* [..][rank]; NULL: no noise */
    const uint16_t *pairs; /* [k][2] */
    uint32_t rank;
};

/* Pointers to count lines (CPU_NO_ROW: zeros).  room: [count + 1][k_padded], its last
 * line zero; lines are copied there only where they must be. */
void cpu_lines_take(const struct device *device, const struct cpu_lines *lines,
                    const uint32_t *which, uint32_t count, int8_t *room,
                    const int8_t **out);

#endif
