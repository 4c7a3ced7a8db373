/*
 * cpu_attention_avx512.c - attention of several queries over the same keys, in exact
 * integers; the bits are the text's.
 *
 * Keys of one head are packed once for all queries of their span: sixteen keys lie side
 * by side, two dimensions of each in a dword, so that a dot instruction gives sixteen
 * scores.  Scores are kept, not computed anew.  A share of at most 2^19 is cut in
 * limbs of 14 and 6 bits, which multiply two keys at a time.  All integer sums are taken
 * modulo 2^32: whatever the order, the text's sum, which fits an i32, comes out.
 *
 * Spans that do not fit the scratch on the stack, few queries, or a bias go to the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx512.h"
#include "backends/cpu/cpu_text.h"
#include "kernels/exact_math.h"

enum {
    LANES = 16,     /* keys of a block */
    QUERIES = 4,    /* that go together */
    CHUNK = 32,     /* dimensions that are summed together */
    LIMB_BITS = 14, /* of a weight's low limb: it is an int16 and not negative */
    DIM_MAX = 256,
    KEYS_MAX = 512,
    VALUES_MAX = 1 << 15, /* of packed keys, and as many of packed values: 64 KiB each */
    QUERIES_MIN = 2,      /* fewer are not worth packing the keys */
};

#define INLINE static inline __attribute__((always_inline))

struct call {
    const int16_t *q, *k, *v;
    const int32_t *q_exponents, *k_exponents, *v_exponents;
    const uint32_t *spans;
    float *out;
    uint32_t heads, kv_heads, dim;
    float scale;
    uint32_t causal;
    uint64_t first, last; /* units */
};

/* One head's keys and values of one span. */
struct pack {
    _Alignas(64) int16_t keys[VALUES_MAX];    /* [blocks][dimensions / 2][16][2] */
    _Alignas(64) int16_t values[VALUES_MAX];  /* [chunks][blocks * 8][32][2] */
    _Alignas(64) float scales[KEYS_MAX];      /* of the keys */
    _Alignas(64) int32_t exponents[KEYS_MAX]; /* of the values */
    uint32_t count, blocks, pairs, chunks;
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

INLINE __m512i constant(uint32_t bits)
{
    return _mm512_set1_epi32((int32_t)bits);
}

INLINE __m512 float_constant(uint32_t bits)
{
    return _mm512_castsi512_ps(constant(bits));
}

/* ---- packing ---- */

/* One key into its lane. */
static void pack_key(const int16_t *from, uint32_t dim, int16_t *to)
{
    for (uint32_t d = 0; d + 1 < dim; d += 2)
        memcpy(to + (size_t)d * LANES, from + d, 2 * sizeof *to);
    if (dim % 2) {
        to[(size_t)(dim - 1) * LANES] = from[dim - 1];
        to[(size_t)(dim - 1) * LANES + 1] = 0;
    }
}

static void pack_keys(const int16_t *from, size_t stride, uint32_t dim, struct pack *to)
{
    const size_t block = (size_t)2 * to->pairs * LANES;

    if (to->count % LANES)
        memset(to->keys + (to->blocks - 1) * block, 0, block * sizeof *to->keys);
    for (uint32_t i = 0; i < to->count; i++)
        pack_key(from + i * stride, dim,
                 to->keys + i / LANES * block + (ptrdiff_t)2 * (i % LANES));
}

INLINE __m512i interleaving(int is_upper)
{
    int16_t index[CHUNK];

    for (int i = 0; i < CHUNK; i++)
        index[i] = (int16_t)(i / 2 + (is_upper ? CHUNK / 2 : 0) + (i % 2 ? CHUNK : 0));
    return _mm512_loadu_si512(index);
}

/* A chunk of all values, two keys together. */
static void pack_chunk(const int16_t *from, size_t stride, __mmask32 mask,
                       const struct pack *pack, int16_t *to)
{
    const __m512i lower = interleaving(0), upper = interleaving(1);
    const uint32_t padded = pack->blocks * LANES;

    for (uint32_t i = 0; i < padded; i += 2, to += 2 * CHUNK) {
        const __m512i a =
            _mm512_maskz_loadu_epi16(i < pack->count ? mask : 0, from + i * stride);
        const __m512i b = _mm512_maskz_loadu_epi16(i + 1 < pack->count ? mask : 0,
                                                   from + (i + 1) * stride);

        _mm512_store_si512(to, _mm512_permutex2var_epi16(a, lower, b));
        _mm512_store_si512(to + CHUNK, _mm512_permutex2var_epi16(a, upper, b));
    }
}

static __mmask32 chunk_mask(uint32_t dim, uint32_t chunk)
{
    const uint32_t left = dim - chunk * CHUNK;

    return left >= CHUNK ? UINT32_MAX : (1u << left) - 1;
}

/* What the queries of a span share: the keys and values of one head. */
static void pack_head(const struct call *call, const uint32_t *span, uint32_t head,
                      struct pack *pack)
{
    const size_t stride = (size_t)call->kv_heads * call->dim;
    const uint64_t entry = (uint64_t)span[0] * call->kv_heads + head;
    const int16_t *v = call->v + entry * call->dim;

    pack_keys(call->k + entry * call->dim, stride, call->dim, pack);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        pack_chunk(v + (size_t)chunk * CHUNK, stride, chunk_mask(call->dim, chunk), pack,
                   pack->values + (size_t)chunk * pack->blocks * LANES * CHUNK);
    for (uint32_t i = 0; i < pack->blocks * LANES; i++) {
        const uint64_t at = entry + (uint64_t)i * call->kv_heads;

        pack->scales[i] = i < pack->count ? det_p2(call->k_exponents[at]) : 0.0f;
        pack->exponents[i] = i < pack->count ? call->v_exponents[at] : INT32_MIN;
    }
}

/* ---- scores ---- */

/* All queries with `width` blocks of keys. */
INLINE void scores_of(const struct pack *pack, uint32_t block, int width,
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

static void scores_all(const struct pack *pack, struct queries *queries)
{
    uint32_t block = 0;

    for (; block + 2 <= queries->blocks; block += 2)
        scores_of(pack, block, 2, queries);
    if (block < queries->blocks)
        scores_of(pack, block, 1, queries);
}

/* ---- weights ---- */

/* Lanes of a block that a query sees. */
INLINE __mmask16 seen_mask(uint32_t seen, uint32_t block)
{
    const uint32_t before = block * LANES;

    if (seen <= before)
        return 0;
    return seen - before >= LANES ? UINT16_MAX : (__mmask16)((1u << (seen - before)) - 1);
}

/* det_exp2 */
INLINE __m512 exp2_of(__m512 x)
{
    static const uint32_t coefficients[] = {0x3aaf85c1u, 0x3c1d9850u, 0x3d6357bbu,
                                            0x3e75fdecu, 0x3f317218u, 0x3f800000u};
    const __m512 rounder = float_constant(0x4b400000u);
    const __m512 t = _mm512_add_ps(x, rounder);
    const __m512i k = _mm512_sub_epi32(_mm512_castps_si512(t), constant(0x4b400000u));
    const __m512 g = _mm512_sub_ps(x, _mm512_sub_ps(t, rounder));
    __m512 p = float_constant(0x391fd103u);

#pragma GCC unroll 6
    for (int i = 0; i < 6; i++)
        p = _mm512_add_ps(_mm512_mul_ps(p, g), float_constant(coefficients[i]));
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(k, 23)));
}

/* det_expw of the lanes in mask, 0 in the others. */
INLINE __m512i expw_of(__mmask16 mask, __m512 x)
{
    const __mmask16 seen =
        _mm512_mask_cmp_ps_mask(mask, x, _mm512_set1_ps(-31.0f), _CMP_GT_OQ);
    const __m512 e = exp2_of(_mm512_maskz_mov_ps(seen, x));

    return _mm512_maskz_cvttps_epi32(seen, _mm512_mul_ps(e, float_constant(0x4e800000u)));
}

/* Adds sixteen u32 to eight u64. */
INLINE __m512i add_wide(__m512i sum, __m512i x)
{
    sum = _mm512_add_epi64(sum, _mm512_maskz_mov_epi32(0x5555, x));
    return _mm512_add_epi64(sum, _mm512_srli_epi64(x, 32));
}

/* What the weights of one query add up to. */
struct weights {
    int32_t exponent;
    uint64_t sum, brought;
};

/* Scores become weights brought to the largest exponent of the values seen. */
static struct weights weights_of(const struct pack *pack, const struct queries *queries,
                                 uint32_t index, float *scores)
{
    const uint32_t seen = queries->seen[index];
    __m512i exponent = _mm512_set1_epi32(pack->exponents[0]);
    __m512 largest = _mm512_set1_ps(scores[0]);
    __m512i sum = _mm512_setzero_si512(), brought = sum;

    for (uint32_t b = 0; b * LANES < seen; b++) {
        const __mmask16 mask = seen_mask(seen, b);
        const size_t at = (size_t)b * LANES;

        largest = _mm512_mask_max_ps(largest, mask, _mm512_load_ps(scores + at), largest);
        exponent = _mm512_mask_max_epi32(
            exponent, mask, _mm512_load_si512(pack->exponents + at), exponent);
    }
    largest = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    exponent = _mm512_set1_epi32(_mm512_reduce_max_epi32(exponent));
    for (uint32_t b = 0; b < queries->blocks; b++) {
        const __mmask16 mask = seen_mask(seen, b);
        const size_t at = (size_t)b * LANES;
        const __m512i below = _mm512_maskz_sub_epi32(
            mask, exponent, _mm512_load_si512(pack->exponents + at));
        const __m512i u =
            expw_of(mask, _mm512_sub_ps(_mm512_load_ps(scores + at), largest));
        /* From 31 on nothing is left of a weight, here too: it has 31 bits. */
        const __m512i g = _mm512_srlv_epi32(u, below);

        _mm512_store_si512(scores + at, g);
        sum = add_wide(sum, u);
        brought = add_wide(brought, g);
    }
    return (struct weights){_mm_cvtsi128_si32(_mm512_castsi512_si128(exponent)),
                            (uint64_t)_mm512_reduce_add_epi64(sum),
                            (uint64_t)_mm512_reduce_add_epi64(brought)};
}

/* Weights become 19-bit shares of their sum, in two limbs; the sum of the shares. */
static int32_t shares_of(const struct queries *queries, uint64_t brought,
                         const float *weights, int16_t *low, int16_t *high)
{
    const uint32_t top = 63u - (uint32_t)__builtin_clzll(brought);
    const uint64_t normal = top >= 31 ? brought >> (top - 31) : brought << (31 - top);
    const __m512i inverse = _mm512_set1_epi64((int64_t)(INT64_MAX / normal));
    const __m512i half = _mm512_set1_epi64(1LL << (12 + top));
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
        _mm256_store_si256(
            (__m256i *)(void *)(low + at),
            _mm512_cvtepi32_epi16(_mm512_and_si512(p, constant((1u << LIMB_BITS) - 1))));
        _mm256_store_si256((__m256i *)(void *)(high + at),
                           _mm512_cvtepi32_epi16(_mm512_srli_epi32(p, LIMB_BITS)));
    }
    return _mm512_reduce_add_epi32(total);
}

static void query_weigh(const struct pack *pack, struct queries *queries, uint32_t i)
{
    const struct weights weights = weights_of(pack, queries, i, queries->scores[i]);

    queries->is_nothing[i] = weights.brought == 0;
    queries->rho[i] = 0.0f;
    if (!weights.brought)
        return;

    const int32_t total = shares_of(queries, weights.brought, queries->scores[i],
                                    queries->low[i], queries->high[i]);

    queries->rho[i] =
        MUL(MUL(I2F((int64_t)weights.brought), det_rcp(I2F((int64_t)weights.sum))),
            MUL(det_rcp(I2F(total)), det_p2(weights.exponent)));
}

/* ---- values ---- */

struct sums {
    __m512i low[QUERIES][2], high[QUERIES][2];
};

/* Shares times a chunk of the values. */
INLINE void sums_add(const struct pack *pack, const struct queries *queries,
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

static void chunk_write(const struct call *call, const struct pack *pack,
                        const struct queries *queries, uint32_t chunk, float *const *out)
{
    const __mmask32 mask = chunk_mask(call->dim, chunk);
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

/* Up to QUERIES rows of one head; room that no query uses follows the last one. */
static void queries_run(const struct call *call, const struct pack *pack, uint64_t row,
                        uint32_t head, struct queries *queries)
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
    for (uint32_t i = 0; i < queries->count; i++)
        query_weigh(pack, queries, i);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        chunk_write(call, pack, queries, chunk, out);
}

/* The rows [row, end) see the same span; of its first and last row maybe not all heads
 * are wanted. */
static void span_run(const struct call *call, uint64_t row, uint64_t end,
                     struct pack *pack, struct queries *queries)
{
    const uint32_t *span = call->spans + row * 4;
    uint32_t packed = UINT32_MAX;

    for (uint32_t head = 0; head < call->heads; head++) {
        const uint32_t kv_head = head / (call->heads / call->kv_heads);
        const uint64_t from = row * call->heads + head < call->first ? row + 1 : row;
        const uint64_t to = (end - 1) * call->heads + head < call->last ? end : end - 1;

        if (kv_head != packed && from < to) {
            pack_head(call, span, kv_head, pack);
            packed = kv_head;
        }
        for (uint64_t at = from; at < to; at += QUERIES) {
            queries->count = to - at < QUERIES ? (uint32_t)(to - at) : QUERIES;
            queries_run(call, pack, at, head, queries);
        }
    }
}

/* Sizes of a span's pack; whether it fits. */
static int pack_plan(const struct call *call, const uint32_t *span, struct pack *pack)
{
    const uint32_t chunks = (call->dim + CHUNK - 1) / CHUNK;
    const uint32_t count = span[1] - span[0];

    if (count == 0 || count > KEYS_MAX)
        return 0;
    pack->count = count;
    pack->blocks = (count + LANES - 1) / LANES;
    pack->pairs = (call->dim + 1) / 2;
    pack->chunks = chunks;
    return pack->blocks * LANES * chunks * CHUNK <= VALUES_MAX;
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
        views[0],       views[2],       views[4],       views[1],       views[3],
        views[5],       views[6],       views[8],       scalars[0].u32, scalars[1].u32,
        scalars[2].u32, scalars[3].f32, scalars[4].u32, first,          last,
    };
    struct pack pack;
    struct queries queries;

    if (scalars[5].u32 || call.dim > DIM_MAX || call.dim == 0) {
        text(first, last, views, scalars);
        return;
    }
    /* Fewer queries than there is room for are multiplied with what is left there. */
    memset(&queries, 0, sizeof queries);
    for (uint64_t row = first / call.heads; row * call.heads < last;) {
        const uint64_t end = span_end(&call, row);

        if (end - row >= QUERIES_MIN && pack_plan(&call, call.spans + row * 4, &pack)) {
            span_run(&call, row, end, &pack, &queries);
        } else {
            const uint64_t from = row * call.heads, to = end * call.heads;

            text(from < first ? first : from, to > last ? last : to, views, scalars);
        }
        row = end;
    }
}
