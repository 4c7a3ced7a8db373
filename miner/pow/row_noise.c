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
    uint8_t message[64] = {0};

    u32_store(message + 4 * slot, index + 1);
    memcpy(message + 32, noise->side == NOISE_A ? "A_tensor" : "B_tensor", 8);
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
    uint8_t stream[NOISE_RANK_MAX];
    int16_t dense[NOISE_RANK_MAX];

    assert(noise->rank % BLAKE3_SIZE == 0);
    assert(noise->rank <= NOISE_RANK_MAX);
    for (uint32_t i = 0; i < blocks; i++)
        stream_block(noise, SLOT_DENSE, row * blocks + i, stream + i * BLAKE3_SIZE);
    for (uint32_t j = 0; j < noise->rank; j++)
        dense[j] = (int16_t)((stream[j] & 63) - 32);
    for (uint32_t l = 0; l < count; l++)
        values[l] = (int16_t)(values[l] + dense[pairs[l].plus] - dense[pairs[l].minus]);
}
