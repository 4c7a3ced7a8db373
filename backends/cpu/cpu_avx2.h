/*
 * cpu_avx2.h - kernels that AVX2 does faster than their text; the bits are the text's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_AVX2_H
#define MINERVA_BACKENDS_CPU_AVX2_H

#include "backends/cpu/cpu_matmul.h"

/* Eight hashes side by side (cpu_blake3_avx2.c). */
kernel_function cpu_blake3_chunks_avx2;
kernel_function cpu_blake3_parents_avx2;
kernel_function cpu_ticket_hash_avx2;
kernel_function cpu_noise_dense_avx2;
kernel_function cpu_noise_pairs_avx2;
/* Several queries over the same keys (cpu_attention_avx2.c). */
kernel_function cpu_attention_avx2;

/* All of them, for every row of 256 bits. */
enum { CPU_AVX2_OVERRIDES = 6 };
extern const struct cpu_override cpu_avx2_overrides[CPU_AVX2_OVERRIDES];

#endif
