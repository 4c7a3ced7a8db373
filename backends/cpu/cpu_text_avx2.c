/*
 * cpu_text_avx2.c - the shared text of the kernels that run over rows, compiled for AVX2.
 *
 * Nothing is written twice: the compiler vectorises the same text, and the same bits come
 * out.  Entered only where the processor has it (cpu_matmul_avx2.c).
 *
 * SPDX-License-Identifier: MIT
 */
#define KERNEL_FN static
#include "kernels/kernel_texts.h"

#include "backends/cpu/cpu_text.h"
#include "kernels/kernel_thunks.h"

kernel_function *const cpu_text_avx2[KERNEL_COUNT] = {
#define KERNEL(name, folder, file, views, scalars) CPU_TEXT_##folder(name)
#include "kernels/kernels.def"
#undef KERNEL
};
