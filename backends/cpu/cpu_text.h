/*
 * cpu_text.h - kernels of the shared text compiled for an instruction set; NULL where the
 * baseline's are as good.
 *
 * Any thread; no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_TEXT_H
#define MINERVA_BACKENDS_CPU_TEXT_H

#include "kernels/kernels.h"

extern kernel_function *const cpu_text_avx512[KERNEL_COUNT];
extern kernel_function *const cpu_text_avx2[KERNEL_COUNT];

/* Which folders of kernels gain: floats and short integers do, hashes do not. */
#define CPU_TEXT_elementwise(name) [KERNEL_##name] = run_##name,
#define CPU_TEXT_rows(name)        [KERNEL_##name] = run_##name,
#define CPU_TEXT_attention(name)   [KERNEL_##name] = run_##name,
#define CPU_TEXT_matmul(name)
#define CPU_TEXT_pow(name)
#define CPU_TEXT_hash(name)

#endif
