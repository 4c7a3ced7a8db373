/*
 * cpu_attention_avx512.c - the steps of attention (cpu_attention.h) with vpdpwssd,
 * sixteen keys or dimensions at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cpu/cpu_attention.h"
#include "backends/cpu/cpu_avx512.h"
#include "backends/cpu/cpu_exact_avx512.h"
#include "backends/cpu/cpu_text.h"

enum {
    LANES = CPU_ATTENTION_LANES,
    CHUNK = CPU_ATTENTION_CHUNK,
    QUERIES = CPU_ATTENTION_QUERIES,
    LIMB_BITS = CPU_ATTENTION_LIMB_BITS,
};

_Static_assert((int)QUERIES == (int)EXACT_WIDE,
               "queries go through the exact cores together");

#define INLINE static inline __attribute__((always_inline))

INLINE __m512i spread(const int16_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm512_set1_epi32(value);
}

/* A bit for each dimension of a chunk. */
INLINE __mmask32 dims_mask(uint32_t dims)
{
    return dims == CHUNK ? UINT32_MAX : (1u << dims) - 1;
}

/* ---- packing ---- */

/* Takes values of two registers in turn, of their lower or upper halves. */
INLINE __m512i interleaving(int is_upper)
{
    int16_t index[CHUNK];

    for (int i = 0; i < CHUNK; i++)
        index[i] = (int16_t)(i / 2 + (is_upper ? CHUNK / 2 : 0) + (i % 2 ? CHUNK : 0));
    return _mm512_loadu_si512(index);
}

static void values_interleave(const int16_t *values, size_t stride, uint32_t dims,
                              const struct cpu_attention_pack *pack, int16_t *out)
{
    const __m512i lower = interleaving(0), upper = interleaving(1);
    const uint32_t padded = pack->blocks * LANES;
    const __mmask32 mask = dims_mask(dims);

    for (uint32_t i = 0; i < padded; i += 2, out += (ptrdiff_t)2 * CHUNK) {
        const __m512i a =
            _mm512_maskz_loadu_epi16(i < pack->count ? mask : 0, values + i * stride);
        const __m512i b = _mm512_maskz_loadu_epi16(i + 1 < pack->count ? mask : 0,
                                                   values + (i + 1) * stride);

        _mm512_store_si512(out, _mm512_permutex2var_epi16(a, lower, b));
        _mm512_store_si512(out + CHUNK, _mm512_permutex2var_epi16(a, upper, b));
    }
}

/* ---- scores ---- */

/* All queries with `width` blocks of keys. */
INLINE void scores_of(const struct cpu_attention_pack *pack, uint32_t block, int width,
                      struct cpu_attention_queries *queries)
{
    const size_t size = (size_t)2 * pack->pairs * LANES;
    const int16_t *keys = pack->keys + block * size;
    __m512i sums[QUERIES][2];

#pragma GCC unroll 4
    for (int i = 0; i < QUERIES; i++)
        sums[i][0] = sums[i][1] = _mm512_setzero_si512();
    for (uint32_t d = 0; d < pack->pairs; d++, keys += 2 * LANES) {
        const __m512i k0 = _mm512_load_si512(keys);
        const __m512i k1 = _mm512_load_si512(width == 2 ? keys + size : keys);

#pragma GCC unroll 4
        for (int i = 0; i < QUERIES; i++) {
            const __m512i q = spread(queries->q[i] + (size_t)2 * d);

            sums[i][0] = _mm512_dpwssd_epi32(sums[i][0], k0, q);
            if (width == 2)
                sums[i][1] = _mm512_dpwssd_epi32(sums[i][1], k1, q);
        }
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < QUERIES; i++)
        for (uint32_t j = 0; j < (uint32_t)width; j++) {
            const size_t at = ((size_t)block + j) * LANES;
            const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[i][j]),
                                                _mm512_load_ps(pack->scales + at));

            _mm512_store_ps(queries->scores[i] + at,
                            _mm512_mul_ps(scaled, _mm512_set1_ps(queries->factor[i])));
        }
}

static void scores_all(const struct cpu_attention_pack *pack,
                       struct cpu_attention_queries *queries)
{
    uint32_t block = 0;

    for (; block + 2 <= queries->blocks; block += 2)
        scores_of(pack, block, 2, queries);
    if (block < queries->blocks)
        scores_of(pack, block, 1, queries);
}

/* ---- weights ---- */

/* Adds sixteen u32 to eight u64. */
INLINE __m512i add_wide(__m512i sum, __m512i x)
{
    sum = _mm512_add_epi64(sum, _mm512_maskz_mov_epi32(0x5555, x));
    return _mm512_add_epi64(sum, _mm512_srli_epi64(x, 32));
}

/* What is common to all keys that a query sees. */
struct weights {
    float largest[QUERIES];    /* score */
    int32_t exponent[QUERIES]; /* of the values */
    uint64_t sum[QUERIES];     /* of the weights */
    uint64_t brought[QUERIES]; /* of the weights brought to the largest exponent */
};

static void weights_bounds(const struct cpu_attention_pack *pack,
                           const struct cpu_attention_queries *queries,
                           struct weights *out)
{
    for (uint32_t i = 0; i < QUERIES; i++) {
        __m512i exponent = _mm512_set1_epi32(pack->exponents[0]);
        __m512 largest = _mm512_set1_ps(queries->scores[i][0]);

        for (uint32_t at = 0; at < queries->seen[i]; at += LANES) {
            const __mmask16 lanes = exact_lanes(queries->seen[i], at);

            largest = _mm512_mask_max_ps(
                largest, lanes, _mm512_load_ps(queries->scores[i] + at), largest);
            exponent = _mm512_mask_max_epi32(
                exponent, lanes, _mm512_load_si512(pack->exponents + at), exponent);
        }
        out->largest[i] = _mm512_reduce_max_ps(largest);
        out->exponent[i] = _mm512_reduce_max_epi32(exponent);
    }
}

/* det_expw of how far scores lie below the largest; 0 for a key that is not seen. */
INLINE void weights_block(const struct cpu_attention_queries *queries, uint32_t at,
                          const struct weights *bounds, __m512i u[QUERIES])
{
    struct exact_floats x;
    __mmask16 seen[QUERIES];

    EXACT_EACH(i)
    {
        x.of[i] = _mm512_sub_ps(_mm512_load_ps(queries->scores[i] + at),
                                _mm512_set1_ps(bounds->largest[i]));
        seen[i] = _mm512_mask_cmp_ps_mask(exact_lanes(queries->seen[i], at), x.of[i],
                                          _mm512_set1_ps(-31.0f), _CMP_GT_OQ);
        x.of[i] = _mm512_maskz_mov_ps(seen[i], x.of[i]);
    }
    x = exact_exp2(&x);
    EXACT_EACH(i)
    u[i] = _mm512_maskz_cvttps_epi32(seen[i],
                                     _mm512_mul_ps(x.of[i], exact_float(0x4e800000u)));
}

/* Scores become weights brought to the largest exponent of the values seen. */
static void weights_of(const struct cpu_attention_pack *pack,
                       struct cpu_attention_queries *queries, struct weights *out)
{
    __m512i sum[QUERIES], brought[QUERIES];

    weights_bounds(pack, queries, out);
    EXACT_EACH(i)
    sum[i] = brought[i] = _mm512_setzero_si512();
    for (uint32_t at = 0; at < queries->blocks * LANES; at += LANES) {
        const __m512i exponents = _mm512_load_si512(pack->exponents + at);
        __m512i u[QUERIES];

        weights_block(queries, at, out, u);
        EXACT_EACH(i)
        {
            /* From 31 on nothing is left of a weight, here too: it has 31 bits. */
            const __m512i g = _mm512_srlv_epi32(
                u[i], _mm512_sub_epi32(_mm512_set1_epi32(out->exponent[i]), exponents));

            _mm512_store_si512(queries->scores[i] + at, g);
            sum[i] = add_wide(sum[i], u[i]);
            brought[i] = add_wide(brought[i], g);
        }
    }
    EXACT_EACH(i)
    {
        out->sum[i] = (uint64_t)_mm512_reduce_add_epi64(sum[i]);
        out->brought[i] = (uint64_t)_mm512_reduce_add_epi64(brought[i]);
    }
}

/* Weights become 19-bit shares of their sum, in two limbs; the sum of the shares. */
static int32_t shares_of(const struct cpu_attention_queries *queries, uint64_t brought,
                         const float *weights, int16_t *low, int16_t *high)
{
    const struct cpu_attention_share share = cpu_attention_share(brought);
    const __m512i inverse = _mm512_set1_epi64((long long)share.inverse);
    const __m512i half = _mm512_set1_epi64((long long)share.half);
    const __m128i shift = _mm_cvtsi32_si128((int32_t)share.shift);
    __m512i total = _mm512_setzero_si512();

    for (uint32_t b = 0; b < queries->blocks; b++) {
        const size_t at = (size_t)b * LANES;
        const __m512i g = _mm512_load_si512(weights + at);
        const __m512i even = _mm512_mul_epu32(g, inverse);
        const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(g, 32), inverse);
        const __m512i p = _mm512_mask_blend_epi32(
            0xaaaa, _mm512_srl_epi64(_mm512_add_epi64(even, half), shift),
            _mm512_slli_epi64(_mm512_srl_epi64(_mm512_add_epi64(odd, half), shift), 32));

        total = _mm512_add_epi32(total, p);
        _mm256_store_si256((__m256i *)(void *)(low + at),
                           _mm512_cvtepi32_epi16(
                               _mm512_and_si512(p, exact_word((1u << LIMB_BITS) - 1))));
        _mm256_store_si256((__m256i *)(void *)(high + at),
                           _mm512_cvtepi32_epi16(_mm512_srli_epi32(p, LIMB_BITS)));
    }
    return _mm512_reduce_add_epi32(total);
}

static void queries_weigh(const struct cpu_attention_pack *pack,
                          struct cpu_attention_queries *queries)
{
    struct weights weights;

    weights_of(pack, queries, &weights);
    for (uint32_t i = 0; i < QUERIES; i++) {
        const uint64_t brought = weights.brought[i];

        queries->is_nothing[i] = brought == 0;
        if (!brought) {
            cpu_attention_nothing(queries, i);
            continue;
        }

        const int32_t total = shares_of(queries, brought, queries->scores[i],
                                        queries->low[i], queries->high[i]);

        queries->rho[i] =
            cpu_attention_rho(weights.sum[i], brought, total, weights.exponent[i]);
    }
}

/* ---- values ---- */

struct sums {
    __m512i low[QUERIES][2], high[QUERIES][2];
};

/* Shares times a chunk of the values. */
INLINE void sums_add(const struct cpu_attention_pack *pack,
                     const struct cpu_attention_queries *queries, uint32_t chunk,
                     struct sums *sums)
{
    const int16_t *values = pack->values + (size_t)chunk * pack->blocks * LANES * CHUNK;

#pragma GCC unroll 4
    for (int i = 0; i < QUERIES; i++)
        sums->low[i][0] = sums->low[i][1] = sums->high[i][0] = sums->high[i][1] =
            _mm512_setzero_si512();
    for (size_t key = 0; key < (size_t)queries->blocks * LANES;
         key += 2, values += 2 * CHUNK) {
        const __m512i v0 = _mm512_load_si512(values);
        const __m512i v1 = _mm512_load_si512(values + CHUNK);

#pragma GCC unroll 4
        for (int i = 0; i < QUERIES; i++) {
            const __m512i low = spread(queries->low[i] + key);
            const __m512i high = spread(queries->high[i] + key);

            sums->low[i][0] = _mm512_dpwssd_epi32(sums->low[i][0], v0, low);
            sums->low[i][1] = _mm512_dpwssd_epi32(sums->low[i][1], v1, low);
            sums->high[i][0] = _mm512_dpwssd_epi32(sums->high[i][0], v0, high);
            sums->high[i][1] = _mm512_dpwssd_epi32(sums->high[i][1], v1, high);
        }
    }
}

static void chunk_write(const struct cpu_attention_pack *pack,
                        const struct cpu_attention_queries *queries, uint32_t chunk,
                        uint32_t dims, float *const *out)
{
    const __mmask32 mask = dims_mask(dims);
    struct sums sums;

    sums_add(pack, queries, chunk, &sums);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < QUERIES; i++)
        for (uint32_t j = 0; j < 2 && i < queries->count; j++) {
            const __m512i sum = _mm512_add_epi32(
                sums.low[i][j], _mm512_slli_epi32(sums.high[i][j], LIMB_BITS));
            const __mmask16 lanes = (__mmask16)(mask >> (j * LANES));
            /* A query without weight gives +0, whatever its sums hold. */
            const __m512 value = _mm512_maskz_mul_ps(queries->is_nothing[i] ? 0 : lanes,
                                                     _mm512_cvtepi32_ps(sum),
                                                     _mm512_set1_ps(queries->rho[i]));

            _mm512_mask_storeu_ps(out[i] + (size_t)chunk * CHUNK + (size_t)j * LANES,
                                  lanes, value);
        }
}

void cpu_attention_avx512(uint64_t first, uint64_t last, void *const *views,
                          const union scalar *scalars)
{
    const struct cpu_attention steps = {.interleave = values_interleave,
                                        .score = scores_all,
                                        .weigh = queries_weigh,
                                        .write = chunk_write,
                                        .text = cpu_text_avx512[KERNEL_attention]};

    cpu_attention_run(&steps, first, last, views, scalars);
}
