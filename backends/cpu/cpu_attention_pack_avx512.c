/*
 * cpu_attention_pack_avx512.c - keys and values in the order in which
 * cpu_attention_avx512.c reads them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_attention_pack.h"

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "kernels/exact_math.h"

enum { LANES = CPU_ATTENTION_LANES, CHUNK = CPU_ATTENTION_CHUNK };

int cpu_attention_pack_plan(const struct cpu_attention_keys *keys, const uint32_t *span,
                            struct cpu_attention_pack *pack)
{
    const uint32_t count = span[1] - span[0];

    if (count == 0 || count > CPU_ATTENTION_KEYS_MAX || keys->dim == 0 ||
        keys->dim > CPU_ATTENTION_DIM_MAX)
        return 0;
    pack->count = count;
    pack->blocks = (count + LANES - 1) / LANES;
    pack->pairs = (keys->dim + 1) / 2;
    pack->chunks = (keys->dim + CHUNK - 1) / CHUNK;
    return pack->blocks * LANES * pack->chunks * CHUNK <= CPU_ATTENTION_VALUES_MAX;
}

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

static void pack_keys(const int16_t *from, size_t stride, uint32_t dim,
                      struct cpu_attention_pack *to)
{
    const size_t block = (size_t)2 * to->pairs * LANES;

    if (to->count % LANES)
        memset(to->keys + (to->blocks - 1) * block, 0, block * sizeof *to->keys);
    for (uint32_t i = 0; i < to->count; i++)
        pack_key(from + i * stride, dim,
                 to->keys + i / LANES * block + (ptrdiff_t)2 * (i % LANES));
}

/* Takes values of two registers in turn, of their lower or upper halves. */
static inline __m512i interleaving(int is_upper)
{
    int16_t index[CHUNK];

    for (int i = 0; i < CHUNK; i++)
        index[i] = (int16_t)(i / 2 + (is_upper ? CHUNK / 2 : 0) + (i % 2 ? CHUNK : 0));
    return _mm512_loadu_si512(index);
}

/* A chunk of all values. */
static void pack_chunk(const int16_t *from, size_t stride, __mmask32 mask,
                       const struct cpu_attention_pack *pack, int16_t *to)
{
    const __m512i lower = interleaving(0), upper = interleaving(1);
    const uint32_t padded = pack->blocks * LANES;

    for (uint32_t i = 0; i < padded; i += 2, to += (ptrdiff_t)2 * CHUNK) {
        const __m512i a =
            _mm512_maskz_loadu_epi16(i < pack->count ? mask : 0, from + i * stride);
        const __m512i b = _mm512_maskz_loadu_epi16(i + 1 < pack->count ? mask : 0,
                                                   from + (i + 1) * stride);

        _mm512_store_si512(to, _mm512_permutex2var_epi16(a, lower, b));
        _mm512_store_si512(to + CHUNK, _mm512_permutex2var_epi16(a, upper, b));
    }
}

void cpu_attention_pack_head(const struct cpu_attention_keys *keys, uint32_t first,
                             uint32_t head, struct cpu_attention_pack *pack)
{
    const size_t stride = (size_t)keys->heads * keys->dim;
    const uint64_t entry = (uint64_t)first * keys->heads + head;
    const int16_t *v = keys->v + entry * keys->dim;

    pack_keys(keys->k + entry * keys->dim, stride, keys->dim, pack);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        pack_chunk(v + (size_t)chunk * CHUNK, stride,
                   cpu_attention_chunk_mask(keys->dim, chunk), pack,
                   pack->values + (size_t)chunk * pack->blocks * LANES * CHUNK);
    for (uint32_t i = 0; i < pack->blocks * LANES; i++) {
        const uint64_t at = entry + (uint64_t)i * keys->heads;

        pack->scales[i] = i < pack->count ? det_p2(keys->k_exponents[at]) : 0.0f;
        pack->exponents[i] = i < pack->count ? keys->v_exponents[at] : INT32_MIN;
    }
}
