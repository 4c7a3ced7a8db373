/*
 * cpu_avx512.h - kernels that AVX-512 does faster than their text; the bits are the
 * text's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_AVX512_H
#define MINERVA_BACKENDS_CPU_AVX512_H

#include "kernels/kernels.h"

/* Sixteen hashes side by side (cpu_blake3_avx512.c). */
kernel_function cpu_blake3_chunks_avx512;
kernel_function cpu_blake3_parents_avx512;
kernel_function cpu_ticket_hash_avx512;
kernel_function cpu_noise_dense_avx512;
kernel_function cpu_noise_pairs_avx512;
/* 64 values at a time, for ranks whose dense values fit two registers
 * (cpu_noise_avx512.c). */
kernel_function cpu_noise_add_avx512;
/* Several queries over the same keys (cpu_attention_avx512.c). */
kernel_function cpu_attention_avx512;
/* What lies between products (cpu_rows_avx512.c). */
kernel_function cpu_gelu_avx512;
kernel_function cpu_dequantise_avx512;

#endif
