/*
 * cpu_attention_pack.h - keys and values of one head of one span, packed for all queries
 * that see it.
 *
 * For AVX-512 only; any thread, on the caller's stack.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_ATTENTION_PACK_H
#define MINERVA_BACKENDS_CPU_ATTENTION_PACK_H

#include <stdint.h>

enum {
    CPU_ATTENTION_LANES = 16, /* keys of a block */
    CPU_ATTENTION_CHUNK = 32, /* dimensions that are summed together */
    CPU_ATTENTION_DIM_MAX = 256,
    CPU_ATTENTION_KEYS_MAX = 512,
    CPU_ATTENTION_VALUES_MAX = 1 << 15, /* packed: 64 KiB of keys, 64 KiB of values */
};

/* All keys and values of a launch. */
struct cpu_attention_keys {
    const int16_t *k, *v; /* [..][heads][dim] */
    const int32_t *k_exponents, *v_exponents;
    uint32_t heads, dim;
};

struct cpu_attention_pack {
    /* [blocks][dimensions / 2][16][2]: sixteen keys side by side, two dimensions each */
    _Alignas(64) int16_t keys[CPU_ATTENTION_VALUES_MAX];
    /* [chunks][blocks * 8][32][2]: the dimensions of a chunk, two keys each */
    _Alignas(64) int16_t values[CPU_ATTENTION_VALUES_MAX];
    _Alignas(64) float scales[CPU_ATTENTION_KEYS_MAX];      /* of the keys */
    _Alignas(64) int32_t exponents[CPU_ATTENTION_KEYS_MAX]; /* of the values */
    uint32_t count, blocks, pairs, chunks;
};

/* The sizes for span[0] to span[1]; whether that fits. */
int cpu_attention_pack_plan(const struct cpu_attention_keys *keys, const uint32_t *span,
                            struct cpu_attention_pack *pack);
/* After plan(): one head of them, what is missing in the last block is zero. */
void cpu_attention_pack_head(const struct cpu_attention_keys *keys, uint32_t first,
                             uint32_t head, struct cpu_attention_pack *pack);

/* A bit for each dimension that a chunk has. */
static inline uint32_t cpu_attention_chunk_mask(uint32_t dim, uint32_t chunk)
{
    const uint32_t left = dim - chunk * CPU_ATTENTION_CHUNK;

    return left >= CPU_ATTENTION_CHUNK ? UINT32_MAX : (1u << left) - 1;
}

#endif
