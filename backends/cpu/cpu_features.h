/*
 * cpu_features.h - what this processor can do and its system lets us use.
 *
 * Asked when a device is opened, never per product.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_FEATURES_H
#define MINERVA_BACKENDS_CPU_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum cpu_feature {
    CPU_AVX2 = 1u << 0,   /* with BMI2 */
    CPU_AVX512 = 1u << 1, /* F, BW, VL and DQ */
    CPU_VBMI = 1u << 2,
    CPU_VNNI = 1u << 3,    /* of AVX-512 */
    CPU_AVXVNNI = 1u << 4, /* the same on 256 bits, without AVX-512 */
    CPU_DOTPROD = 1u << 5, /* of AArch64 NEON */
};

uint32_t cpu_features(void);
/* The names of the features, separated by blanks; "" for none. */
void cpu_features_text(uint32_t features, char *text, size_t cap);
/* The processor's own name; "unknown processor" where it has none. */
void cpu_name(char *text, size_t cap);
/* From now on this thread rounds to nearest and keeps subnormal numbers
 * (numerics.md 1.1). */
void cpu_float_exact(void);
/* Tells the processor that this thread spins. */
void cpu_pause(void);

#endif
