/*
 * cpu_attention.h - attention of several queries over the same keys, in exact integers;
 * the bits are the text's.
 *
 * Keys of one head are packed once for all queries of their span, so that a dot
 * instruction gives as many scores as it has lanes.  Scores are kept, not computed anew.
 * A share of at most 2^19 is cut in limbs of 14 and 6 bits, which multiply two keys at a
 * time.  All integer sums are taken modulo 2^32: whatever the order, the text's sum,
 * which fits an i32, comes out.
 *
 * cpu_attention.c walks over spans, heads and queries; an instruction set brings the four
 * steps.  Any thread, on the caller's stack.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_ATTENTION_H
#define MINERVA_BACKENDS_CPU_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

enum {
    CPU_ATTENTION_LANES = 16, /* keys of a block */
    CPU_ATTENTION_CHUNK = 32, /* dimensions that are summed together */
    CPU_ATTENTION_DIM_MAX = 256,
    CPU_ATTENTION_KEYS_MAX = 512,
    CPU_ATTENTION_VALUES_MAX = 1 << 15, /* packed: 64 KiB of keys, 64 KiB of values */
    CPU_ATTENTION_QUERIES = 4,          /* that go together */
    CPU_ATTENTION_LIMB_BITS = 14, /* of a share's low limb: an int16, not negative */
};

/* Keys and values of one head of one span. */
struct cpu_attention_pack {
    /* [blocks][dimensions / 2][16][2]: sixteen keys side by side, two dimensions each */
    _Alignas(64) int16_t keys[CPU_ATTENTION_VALUES_MAX];
    /* [chunks][blocks * 8][32][2]: the dimensions of a chunk, two keys each */
    _Alignas(64) int16_t values[CPU_ATTENTION_VALUES_MAX];
    _Alignas(64) float scales[CPU_ATTENTION_KEYS_MAX];      /* of the keys */
    _Alignas(64) int32_t exponents[CPU_ATTENTION_KEYS_MAX]; /* of the values */
    uint32_t count, blocks, pairs, chunks;
};

/* Queries on their way, each with room for all keys. */
struct cpu_attention_queries {
    uint32_t count, blocks;               /* blocks: that any of them sees */
    uint32_t seen[CPU_ATTENTION_QUERIES]; /* keys */
    float factor[CPU_ATTENTION_QUERIES];  /* of scores */
    uint32_t is_nothing[CPU_ATTENTION_QUERIES];
    float rho[CPU_ATTENTION_QUERIES]; /* what integer sums are multiplied with */
    _Alignas(64) int16_t q[CPU_ATTENTION_QUERIES][CPU_ATTENTION_DIM_MAX];
    _Alignas(64) float scores[CPU_ATTENTION_QUERIES][CPU_ATTENTION_KEYS_MAX];
    _Alignas(64) int16_t low[CPU_ATTENTION_QUERIES][CPU_ATTENTION_KEYS_MAX];
    _Alignas(64) int16_t high[CPU_ATTENTION_QUERIES][CPU_ATTENTION_KEYS_MAX];
};

/* The steps of one instruction set. */
struct cpu_attention {
    /* A chunk of `dims` dimensions of all values, `stride` apart, into pairs of keys. */
    void (*interleave)(const int16_t *values, size_t stride, uint32_t dims,
                       const struct cpu_attention_pack *pack, int16_t *out);
    /* q to scores, of all blocks that are seen. */
    void (*score)(const struct cpu_attention_pack *pack,
                  struct cpu_attention_queries *queries);
    /* Scores to limbs of shares, is_nothing and rho. */
    void (*weigh)(const struct cpu_attention_pack *pack,
                  struct cpu_attention_queries *queries);
    /* Shares times a chunk of the values, to out[count] + its first dimension. */
    void (*write)(const struct cpu_attention_pack *pack,
                  const struct cpu_attention_queries *queries, uint32_t chunk,
                  uint32_t dims, float *const *out);
    kernel_function *text; /* for what does not fit: long spans, lone queries, a bias */
};

/* The kernel `attention`. */
void cpu_attention_run(const struct cpu_attention *steps, uint64_t first, uint64_t last,
                       void *const *views, const union scalar *scalars);

/* What integer sums of a query are multiplied with: of the sum of its weights, of the
 * weights brought to the largest exponent, and of their shares. */
float cpu_attention_rho(uint64_t sum, uint64_t brought, int32_t shares, int32_t exponent);

/* A query without weight: sums are made of its limbs too, and thrown away. */
void cpu_attention_nothing(struct cpu_attention_queries *queries, uint32_t query);

/* A share is (weight * inverse + half) >> shift. */
struct cpu_attention_share {
    uint32_t inverse, shift;
    uint64_t half;
};
/* brought: not 0. */
struct cpu_attention_share cpu_attention_share(uint64_t brought);

#endif
