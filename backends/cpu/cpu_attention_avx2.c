/*
 * cpu_attention_avx2.c - the steps of attention (cpu_attention.h) with vpmaddwd, eight
 * keys or dimensions at a time.
 *
 * Products are written with intrinsics; what lies between them is plain loops over the
 * cores of exact_math.h, which the compiler vectorises.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_attention.h"
#include "backends/cpu/cpu_avx2.h"
#include "backends/cpu/cpu_text.h"
#include "kernels/exact_math.h"

enum {
    LANES = CPU_ATTENTION_LANES,
    CHUNK = CPU_ATTENTION_CHUNK,
    QUERIES = CPU_ATTENTION_QUERIES,
    LIMB_BITS = CPU_ATTENTION_LIMB_BITS,
    VECTOR = 8,      /* int32 or float */
    TOGETHER = 2,    /* queries that share the values they read */
    HALF_CHUNK = 16, /* dimensions: two vectors of each limb and query */
};

#define NO_WEIGHT (-31.0f) /* det_expw of it is 0 */

#define INLINE static inline __attribute__((always_inline))

INLINE __m256i load(const void *from)
{
    return _mm256_load_si256(from);
}

INLINE __m256i spread(const int16_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm256_set1_epi32(value);
}

INLINE __m256i add_dot(__m256i sum, __m256i a, __m256i b)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

/* ---- packing ---- */

/* Pairs of keys; one that is missing, and dimensions that are, count nothing. */
static void values_interleave(const int16_t *values, size_t stride, uint32_t dims,
                              const struct cpu_attention_pack *pack, int16_t *out)
{
    const uint32_t padded = pack->blocks * LANES;

    memset(out, 0, (size_t)padded * CHUNK * sizeof *out);
    for (uint32_t i = 0; i < pack->count; i++) {
        const int16_t *from = values + i * stride;
        int16_t *to = out + (size_t)(i / 2) * 2 * CHUNK + i % 2;

        for (uint32_t d = 0; d < dims; d++)
            to[(size_t)2 * d] = from[d];
    }
}

/* ---- scores ---- */

INLINE void scores_of(const struct cpu_attention_pack *pack, uint32_t block,
                      struct cpu_attention_queries *queries)
{
    const int16_t *keys = pack->keys + (size_t)block * 2 * pack->pairs * LANES;
    __m256i sums[QUERIES][2];

#pragma GCC unroll 4
    for (int i = 0; i < QUERIES; i++)
        sums[i][0] = sums[i][1] = _mm256_setzero_si256();
    for (uint32_t d = 0; d < pack->pairs; d++, keys += (ptrdiff_t)2 * LANES) {
        const __m256i k0 = load(keys), k1 = load(keys + LANES);

#pragma GCC unroll 4
        for (int i = 0; i < QUERIES; i++) {
            const __m256i q = spread(queries->q[i] + (size_t)2 * d);

            sums[i][0] = add_dot(sums[i][0], k0, q);
            sums[i][1] = add_dot(sums[i][1], k1, q);
        }
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < QUERIES; i++)
        for (uint32_t j = 0; j < 2; j++) {
            const size_t at = (size_t)block * LANES + (size_t)j * VECTOR;
            const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[i][j]),
                                                _mm256_load_ps(pack->scales + at));

            _mm256_store_ps(queries->scores[i] + at,
                            _mm256_mul_ps(scaled, _mm256_set1_ps(queries->factor[i])));
        }
}

static void scores_all(const struct cpu_attention_pack *pack,
                       struct cpu_attention_queries *queries)
{
    for (uint32_t block = 0; block < queries->blocks; block++)
        scores_of(pack, block, queries);
}

/* ---- weights ---- */

/* What is common to all keys that a query sees. */
struct bounds {
    float largest;    /* score */
    int32_t exponent; /* of the values */
    uint64_t sum;     /* of the weights */
    uint64_t brought; /* of the weights brought to that exponent */
};

static struct bounds bounds_of(const float *scores, const int32_t *exponents,
                               uint32_t seen)
{
    struct bounds bounds = {.largest = scores[0], .exponent = exponents[0]};

    for (uint32_t i = 0; i < seen; i++)
        bounds.largest = scores[i] > bounds.largest ? scores[i] : bounds.largest;
    for (uint32_t i = 0; i < seen; i++)
        bounds.exponent = exponents[i] > bounds.exponent ? exponents[i] : bounds.exponent;
    return bounds;
}

/* Scores of a block become weights brought to the exponent; the sums grow by them.  Keys
 * from `seen` on weigh nothing. */
INLINE void weights_block(const float *scores, const int32_t *exponents, uint32_t seen,
                          struct bounds *bounds, uint32_t *brought)
{
    const uint32_t exponent = (uint32_t)bounds->exponent;
    float below_largest[LANES];
    uint32_t u[LANES];

    for (uint32_t i = 0; i < LANES; i++)
        below_largest[i] = scores[i] - bounds->largest;
    for (uint32_t i = seen; i < LANES; i++)
        below_largest[i] = NO_WEIGHT;
    for (uint32_t i = 0; i < LANES; i++)
        u[i] = det_expw(below_largest[i]);
    for (uint32_t i = 0; i < LANES; i++) {
        const uint32_t below = exponent - (uint32_t)exponents[i];

        brought[i] = u[i] >> (below < 31 ? below : 31); /* u has 31 bits */
    }
    for (uint32_t i = 0; i < LANES; i++) {
        bounds->sum += u[i];
        bounds->brought += brought[i];
    }
}

/* Weights become 19-bit shares of their sum, in two limbs; the sum of the shares. */
static int32_t shares_of(const uint32_t *weights, uint32_t count, uint64_t brought,
                         int16_t *low, int16_t *high)
{
    const struct cpu_attention_share share = cpu_attention_share(brought);
    uint32_t total = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t p =
            (uint32_t)(((uint64_t)weights[i] * share.inverse + share.half) >>
                       share.shift);

        total += p;
        low[i] = (int16_t)(p & ((1u << LIMB_BITS) - 1));
        high[i] = (int16_t)(p >> LIMB_BITS);
    }
    return (int32_t)total;
}

static void queries_weigh(const struct cpu_attention_pack *pack,
                          struct cpu_attention_queries *queries)
{
    const uint32_t keys = queries->blocks * LANES;
    uint32_t weights[CPU_ATTENTION_KEYS_MAX];

    for (uint32_t i = 0; i < QUERIES; i++) {
        const uint32_t seen = queries->seen[i];
        struct bounds bounds = bounds_of(queries->scores[i], pack->exponents, seen);

        for (uint32_t at = 0; at < keys; at += LANES)
            weights_block(queries->scores[i] + at, pack->exponents + at,
                          seen < at           ? 0
                          : seen - at < LANES ? seen - at
                                              : LANES,
                          &bounds, weights + at);
        queries->is_nothing[i] = bounds.brought == 0;
        if (!bounds.brought) {
            cpu_attention_nothing(queries, i);
            continue;
        }

        const int32_t total =
            shares_of(weights, keys, bounds.brought, queries->low[i], queries->high[i]);

        queries->rho[i] =
            cpu_attention_rho(bounds.sum, bounds.brought, total, bounds.exponent);
    }
}

/* ---- values ---- */

/* Shares of two queries times half a chunk of the values: [query][16 dimensions]. */
INLINE void sums_make(const struct cpu_attention_queries *queries, uint32_t query,
                      const int16_t *values, __m256i sums[TOGETHER][2])
{
    const size_t keys = (size_t)queries->blocks * LANES;
    __m256i high[TOGETHER][2];

#pragma GCC unroll 2
    for (int i = 0; i < TOGETHER; i++)
        sums[i][0] = sums[i][1] = high[i][0] = high[i][1] = _mm256_setzero_si256();
    for (size_t key = 0; key < keys; key += 2, values += (ptrdiff_t)2 * CHUNK) {
        const __m256i v0 = load(values), v1 = load(values + HALF_CHUNK);

#pragma GCC unroll 2
        for (uint32_t i = 0; i < TOGETHER; i++) {
            const __m256i low_limb = spread(queries->low[query + i] + key);
            const __m256i high_limb = spread(queries->high[query + i] + key);

            sums[i][0] = add_dot(sums[i][0], v0, low_limb);
            sums[i][1] = add_dot(sums[i][1], v1, low_limb);
            high[i][0] = add_dot(high[i][0], v0, high_limb);
            high[i][1] = add_dot(high[i][1], v1, high_limb);
        }
    }
#pragma GCC unroll 2
    for (int i = 0; i < TOGETHER; i++)
        for (int j = 0; j < 2; j++)
            sums[i][j] =
                _mm256_add_epi32(sums[i][j], _mm256_slli_epi32(high[i][j], LIMB_BITS));
}

/* What a query without weight gets is +0, whatever its sums hold. */
static void half_write(const struct cpu_attention_queries *queries, uint32_t query,
                       const __m256i sums[2], uint32_t dims, float *out)
{
    const float rho = queries->rho[query];
    _Alignas(32) int32_t sum[HALF_CHUNK];

    memcpy(sum, sums, sizeof sum);
    for (uint32_t d = 0; d < dims; d++)
        out[d] = queries->is_nothing[query] ? 0.0f : MUL(I2F(sum[d]), rho);
}

static void chunk_write(const struct cpu_attention_pack *pack,
                        const struct cpu_attention_queries *queries, uint32_t chunk,
                        uint32_t dims, float *const *out)
{
    const int16_t *values = pack->values + (size_t)chunk * pack->blocks * LANES * CHUNK;

    for (uint32_t query = 0; query < queries->count; query += TOGETHER)
        for (uint32_t at = 0; at < dims; at += HALF_CHUNK) {
            const uint32_t width = dims - at < HALF_CHUNK ? dims - at : HALF_CHUNK;
            __m256i sums[TOGETHER][2];

            sums_make(queries, query, values + (size_t)2 * at, sums);
            for (uint32_t i = 0; i < TOGETHER && query + i < queries->count; i++)
                half_write(queries, query + i, sums[i], width,
                           out[query + i] + (size_t)chunk * CHUNK + at);
        }
}

void cpu_attention_avx2(uint64_t first, uint64_t last, void *const *views,
                        const union scalar *scalars)
{
    const struct cpu_attention steps = {.interleave = values_interleave,
                                        .score = scores_all,
                                        .weigh = queries_weigh,
                                        .write = chunk_write,
                                        .text = cpu_text_avx2[KERNEL_attention]};

    cpu_attention_run(&steps, first, last, views, scalars);
}
