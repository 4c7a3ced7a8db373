/*
 * cpu_panels.h - panels of bytes in steps of four columns of k, packed with AVX2, for
 * rows whose dot product is 256 bits wide.
 *
 * Left panels are [k / 4][8][4] and hold a + 128, right ones [k / 4][32][4]; corrections
 * take off what the 128 adds.  The functions are slots of struct cpu_matmul.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_PANELS_H
#define MINERVA_BACKENDS_CPU_PANELS_H

#include <stdint.h>

void cpu_panels_left(const int8_t *const *rows, uint32_t k_padded, void *out);
void cpu_panels_right(const int8_t *const *rows, uint32_t k_padded, uint32_t slice,
                      void *out, int32_t *corrections);
void cpu_panels_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                       uint32_t rank, int is_small, int32_t *sums);

#endif
