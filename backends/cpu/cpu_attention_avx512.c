/*
 * cpu_attention_avx512.c - attention of several queries over the same keys, in exact
 * integers; the bits are the text's.
 *
 * Keys of one head are packed once for all queries of their span, so that a dot
 * instruction gives sixteen scores.  Scores are kept, not computed anew.  A share of at
 * most 2^19 is cut in limbs of 14 and 6 bits, which multiply two keys at a time.  All
 * integer sums are taken modulo 2^32: whatever the order, the text's sum, which fits an
 * i32, comes out.
 *
 * Spans that do not fit the scratch on the stack, few queries, or a bias go to the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/cpu/cpu_attention_pack.h"
#include "backends/cpu/cpu_avx512.h"
#include "backends/cpu/cpu_exact_avx512.h"
#include "backends/cpu/cpu_text.h"

enum {
    LANES = CPU_ATTENTION_LANES,
    CHUNK = CPU_ATTENTION_CHUNK,
    KEYS_MAX = CPU_ATTENTION_KEYS_MAX,
    DIM_MAX = CPU_ATTENTION_DIM_MAX,
    QUERIES = EXACT_WIDE, /* that go together */
    QUERIES_MIN = 2,      /* fewer are not worth packing the keys */
    LIMB_BITS = 14,       /* of a share's low limb: it is an int16 and not negative */
};

#define INLINE static inline __attribute__((always_inline))

struct call {
    struct cpu_attention_keys keys;
    const int16_t *q;
    const int32_t *q_exponents;
    const uint32_t *spans;
    float *out;
    uint32_t heads, dim;
    float scale;
    uint32_t causal;
    uint64_t first, last; /* units */
};

/* Queries on their way, each with room for all keys. */
struct queries {
    uint32_t count, blocks; /* blocks: that any of them sees */
    uint32_t seen[QUERIES]; /* keys */
    float factor[QUERIES];
    uint32_t is_nothing[QUERIES];
    float rho[QUERIES];
    _Alignas(64) int16_t q[QUERIES][DIM_MAX];
    _Alignas(64) float scores[QUERIES][KEYS_MAX];
    _Alignas(64) int16_t low[QUERIES][KEYS_MAX], high[QUERIES][KEYS_MAX];
};

INLINE __m512i spread(const int16_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm512_set1_epi32(value);
}

/* ---- scores ---- */

/* All queries with `width` blocks of keys. */
INLINE void scores_of(const struct cpu_attention_pack *pack, uint32_t block, int width,
                      struct queries *queries)
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

static void scores_all(const struct cpu_attention_pack *pack, struct queries *queries)
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
                           const struct queries *queries, struct weights *out)
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
INLINE void weights_block(const struct queries *queries, uint32_t at,
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
static void weights_of(const struct cpu_attention_pack *pack, struct queries *queries,
                       struct weights *out)
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
static int32_t shares_of(const struct queries *queries, uint64_t brought,
                         const float *weights, int16_t *low, int16_t *high)
{
    const uint32_t top = 63u - (uint32_t)__builtin_clzll(brought);
    const uint64_t normal = top >= 31 ? brought >> (top - 31) : brought << (31 - top);
    const __m512i inverse = _mm512_set1_epi64((long long)(INT64_MAX / normal));
    const __m512i half = _mm512_set1_epi64((long long)1 << (12 + top));
    const __m128i shift = _mm_cvtsi32_si128((int32_t)(13 + top));
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

static void queries_weigh(const struct cpu_attention_pack *pack, struct queries *queries)
{
    struct weights weights;

    weights_of(pack, queries, &weights);
    for (uint32_t i = 0; i < QUERIES; i++) {
        const uint64_t brought = weights.brought[i];

        queries->is_nothing[i] = brought == 0;
        queries->rho[i] = 0.0f;
        if (!brought)
            continue;

        const int32_t total = shares_of(queries, brought, queries->scores[i],
                                        queries->low[i], queries->high[i]);

        queries->rho[i] =
            MUL(MUL(I2F((int64_t)brought), det_rcp(I2F((int64_t)weights.sum[i]))),
                MUL(det_rcp(I2F(total)), det_p2(weights.exponent[i])));
    }
}

/* ---- values ---- */

struct sums {
    __m512i low[QUERIES][2], high[QUERIES][2];
};

/* Shares times a chunk of the values. */
INLINE void sums_add(const struct cpu_attention_pack *pack, const struct queries *queries,
                     uint32_t chunk, struct sums *sums)
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

static void chunk_write(const struct call *call, const struct cpu_attention_pack *pack,
                        const struct queries *queries, uint32_t chunk, float *const *out)
{
    const __mmask32 mask = cpu_attention_chunk_mask(call->dim, chunk);
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

/* ---- queries ---- */

static uint32_t keys_seen(const uint32_t *span, uint32_t causal)
{
    const uint32_t count = span[1] - span[0], seen = span[2] + 1;

    return causal && seen < count ? seen : count;
}

/* Up to QUERIES rows of one head; where there are fewer the last one is computed again.
 */
static void queries_run(const struct call *call, const struct cpu_attention_pack *pack,
                        uint64_t row, uint32_t head, struct queries *queries)
{
    float *out[QUERIES];
    uint32_t most = 0;

    for (uint32_t i = 0; i < QUERIES; i++) {
        const uint64_t at = row + (i < queries->count ? i : queries->count - 1);
        const uint64_t unit = at * call->heads + head;

        memcpy(queries->q[i], call->q + unit * call->dim, call->dim * sizeof(int16_t));
        if (call->dim % 2)
            queries->q[i][call->dim] = 0;
        queries->factor[i] =
            MUL(MUL(as_f32(0x3fb8aa3bu), call->scale), det_p2(call->q_exponents[unit]));
        queries->seen[i] = keys_seen(call->spans + at * 4, call->causal);
        most = queries->seen[i] > most ? queries->seen[i] : most;
        out[i] = call->out + unit * call->dim;
    }
    queries->blocks = (most + LANES - 1) / LANES;
    scores_all(pack, queries);
    queries_weigh(pack, queries);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        chunk_write(call, pack, queries, chunk, out);
}

/* The rows [row, end) see the same span; of its first and last row maybe not all heads
 * are wanted. */
static void span_run(const struct call *call, uint64_t row, uint64_t end,
                     struct cpu_attention_pack *pack, struct queries *queries)
{
    const uint32_t *span = call->spans + row * 4;
    uint32_t packed = UINT32_MAX;

    for (uint32_t head = 0; head < call->heads; head++) {
        const uint32_t kv_head = head / (call->heads / call->keys.heads);
        const uint64_t from = row * call->heads + head < call->first ? row + 1 : row;
        const uint64_t to = (end - 1) * call->heads + head < call->last ? end : end - 1;

        if (kv_head != packed && from < to) {
            cpu_attention_pack_head(&call->keys, span[0], kv_head, pack);
            packed = kv_head;
        }
        for (uint64_t at = from; at < to; at += QUERIES) {
            queries->count = to - at < QUERIES ? (uint32_t)(to - at) : QUERIES;
            queries_run(call, pack, at, head, queries);
        }
    }
}

static uint64_t span_end(const struct call *call, uint64_t row)
{
    const uint32_t *span = call->spans + row * 4;
    uint64_t end = row + 1;

    while (end * call->heads < call->last && call->spans[end * 4] == span[0] &&
           call->spans[end * 4 + 1] == span[1])
        end++;
    return end;
}

void cpu_attention_avx512(uint64_t first, uint64_t last, void *const *views,
                          const union scalar *scalars)
{
    kernel_function *const text = cpu_text_avx512[KERNEL_attention];
    const struct call call = {
        .keys = {.k = views[2],
                 .k_exponents = views[3],
                 .v = views[4],
                 .v_exponents = views[5],
                 .heads = scalars[1].u32,
                 .dim = scalars[2].u32},
        .q = views[0],
        .q_exponents = views[1],
        .spans = views[6],
        .out = views[8],
        .heads = scalars[0].u32,
        .dim = scalars[2].u32,
        .scale = scalars[3].f32,
        .causal = scalars[4].u32,
        .first = first,
        .last = last,
    };
    struct cpu_attention_pack pack;
    struct queries queries;

    if (scalars[5].u32) { /* a bias */
        text(first, last, views, scalars);
        return;
    }
    /* A query without weight is multiplied with what its limbs hold. */
    memset(&queries, 0, sizeof queries);
    for (uint64_t row = first / call.heads; row * call.heads < last;) {
        const uint64_t end = span_end(&call, row);

        if (end - row >= QUERIES_MIN &&
            cpu_attention_pack_plan(&call.keys, call.spans + row * 4, &pack)) {
            span_run(&call, row, end, &pack, &queries);
        } else {
            const uint64_t from = row * call.heads, to = end * call.heads;

            text(from < first ? first : from, to > last ? last : to, views, scalars);
        }
        row = end;
    }
}
