/*
 * row_noise.h - the noise of single rows, in plain C (pow.md section 5).
 *
 * The definition that a verifier uses.  It shares nothing with the devices' kernels but
 * BLAKE3, so that a fault there cannot hide here.  No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_ROW_NOISE_H
#define MINERVA_POW_ROW_NOISE_H

#include <stdint.h>

enum noise_side { NOISE_A, NOISE_B };

struct row_noise {
    enum noise_side side;
    const uint8_t *seed; /* 32 bytes */
    uint32_t rank;       /* a power of two, 32..1024 */
};

struct noise_pair { /* one position of k */
    uint16_t plus, minus;
};

/* The sparse factor: one pair for each of k positions. */
void row_noise_pairs(const struct row_noise *noise, uint32_t k, struct noise_pair *pairs);
/* values[0..count) += noise(row, 0..count). */
void row_noise_add(const struct row_noise *noise, uint32_t row,
                   const struct noise_pair *pairs, uint32_t count, int16_t *values);

#endif
