/*
 * row_noise.c - the noise of single rows, in plain C (pow.md section 5).
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/row_noise.h"

#include <assert.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/bytes.h"

enum { SLOT_DENSE, SLOT_SPARSE, NOISE_RANK_MAX = 1024, PAIRS_A_HASH = BLAKE3_SIZE / 4 };

/* N(slot, index): 32 bytes of a stream. */
static void stream_block(const struct row_noise *noise, uint32_t slot, uint32_t index,
                         uint8_t out[BLAKE3_SIZE])
{
    static const uint8_t labels[2][32] = {[NOISE_A] = "A_tensor", [NOISE_B] = "B_tensor"};
    uint8_t message[64] = {0};

    u32_store(message + 4 * slot, index + 1);
    memcpy(message + 32, labels[noise->side], sizeof labels[0]);
    blake3_hash(message, sizeof message, noise->seed, out);
}

void row_noise_pairs(const struct row_noise *noise, uint32_t k, struct noise_pair *pairs)
{
    uint8_t block[BLAKE3_SIZE];

    for (uint32_t i = 0; i < k; i++) {
        uint32_t u, step;
        if (i % PAIRS_A_HASH == 0)
            stream_block(noise, SLOT_SPARSE, i / PAIRS_A_HASH, block);
        u = u32_load(block + 4 * (i % PAIRS_A_HASH));
        step = (uint32_t)((uint64_t)u * (noise->rank - 1) >> 32);
        pairs[i].plus = (uint16_t)(u & (noise->rank - 1));
        pairs[i].minus = (uint16_t)(pairs[i].plus ^ (1 + step));
    }
}

void row_noise_add(const struct row_noise *noise, uint32_t row,
                   const struct noise_pair *pairs, uint32_t count, int16_t *values)
{
    const uint32_t blocks = noise->rank / BLAKE3_SIZE;
    int16_t dense[NOISE_RANK_MAX] = {0};
    uint8_t block[BLAKE3_SIZE];

    assert(noise->rank % BLAKE3_SIZE == 0);
    assert(noise->rank <= NOISE_RANK_MAX);
    for (uint32_t i = 0; i < blocks; i++) {
        stream_block(noise, SLOT_DENSE, row * blocks + i, block);
        for (uint32_t j = 0; j < BLAKE3_SIZE; j++)
            dense[i * BLAKE3_SIZE + j] = (int16_t)((block[j] & 63) - 32);
    }
    for (uint32_t l = 0; l < count; l++)
        values[l] = (int16_t)(values[l] + dense[pairs[l].plus] - dense[pairs[l].minus]);
}
