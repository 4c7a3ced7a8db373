/*
 * cpu_rows_avx512.c - what is left to gain between products, sixteen values at a time:
 * operation by operation the text's, so that the bits are.
 *
 * The compiler vectorises the text of the others as well as can be.  It does not let
 * several long chains of gelu take turns, and widens all limbs to 64 bits.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>

#include "backends/cpu/cpu_avx512.h"
#include "backends/cpu/cpu_exact_avx512.h"
#include "backends/cpu/cpu_text.h"

enum { LANES = 16 };

#define INLINE CPU_EXACT_FN
#define ALL    UINT16_MAX /* lanes: masked instructions are slower, stores most of all */

INLINE __m512 load(const float *from, __mmask16 lanes)
{
    return _mm512_maskz_loadu_ps(lanes, from);
}

/* ---- gelu ---- */

enum { GELU_VALUES = EXACT_WIDE * LANES };

/* det_gelu of magnitudes below 12. */
INLINE struct exact_floats gelu_near(const struct exact_floats *x,
                                     const struct exact_floats *a)
{
    struct exact_floats t, e, p = exact_all(0x3f87dc22u);

    EXACT_EACH(i)
    t.of[i] = _mm512_mul_ps(a->of[i], exact_float(0x3f3504f3u));
    EXACT_EACH(i)
    t.of[i] = _mm512_mul_ps(exact_float(0x3ea7ba05u), t.of[i]);
    EXACT_EACH(i)
    t.of[i] = _mm512_add_ps(_mm512_set1_ps(1.0f), t.of[i]);
    t = exact_rcp(&t);
    EXACT_EACH(i)
    e.of[i] = _mm512_mul_ps(a->of[i], a->of[i]);
    EXACT_EACH(i)
    e.of[i] = _mm512_mul_ps(e.of[i], exact_float(0xbf38aa3bu));
    e = exact_exp2(&e);
    exact_step(&p, &t, 0xbfba00e3u);
    exact_step(&p, &t, 0x3fb5f0e3u);
    exact_step(&p, &t, 0xbe91a98eu);
    exact_step(&p, &t, 0x3e827906u);
    EXACT_EACH(i)
    p.of[i] = _mm512_mul_ps(_mm512_mul_ps(p.of[i], t.of[i]), e.of[i]);
    EXACT_EACH(i)
    p.of[i] = _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(0.5f), a->of[i]), p.of[i]);
    EXACT_EACH(i)
    {
        /* As integers, values with a sign are below zero: what is left is the relu. */
        const __m512i relu = _mm512_max_epi32(exact_bits(x->of[i]), exact_word(0));

        p.of[i] = _mm512_sub_ps(_mm512_castsi512_ps(relu), p.of[i]);
    }
    return p;
}

/* GELU_VALUES of them; whether that could be done: none is far from zero. */
INLINE int gelu_some(const float *from, float *to)
{
    struct exact_floats x, a;
    __m512i most = _mm512_setzero_si512();

    EXACT_EACH(i)
    {
        x.of[i] = _mm512_loadu_ps(from + (ptrdiff_t)i * LANES);
        a.of[i] = _mm512_castsi512_ps(exact_magnitude(x.of[i]));
        most = _mm512_max_epu32(most, exact_bits(a.of[i]));
    }
    if (_mm512_cmpge_epu32_mask(most, exact_word(0x41400000u))) /* 12 */
        return 0;
    x = gelu_near(&x, &a);
    EXACT_EACH(i)
    _mm512_storeu_ps(to + (ptrdiff_t)i * LANES, x.of[i]);
    return 1;
}

void cpu_gelu_avx512(uint64_t first, uint64_t last, void *const *views,
                     const union scalar *scalars)
{
    const float *x = views[0];
    float *y = views[1];

    for (uint64_t at = first; at < last; at += GELU_VALUES) {
        const uint64_t end = last - at < GELU_VALUES ? last : at + GELU_VALUES;

        if (end - at < GELU_VALUES || !gelu_some(x + at, y + at))
            cpu_text_avx512[KERNEL_gelu](at, end, views, scalars);
    }
}

/* ---- dequantise ---- */

/* The float nearest to 128 high + low.  Where high lies in [-2^23, 2^23) and low in
 * [-2^30, 2^30) the sum lies in [-2^31, 2^31): the i32 that is converted is the i64 of
 * the text, and both conversions round to nearest even.  Elsewhere the i64 is. */
INLINE __m512 join(__m512i high, __m512i low)
{
    const __mmask16 is_wide =
        _mm512_cmpge_epu32_mask(_mm512_add_epi32(high, exact_word(1u << 23)),
                                exact_word(1u << 24)) |
        _mm512_movepi32_mask(_mm512_add_epi32(low, exact_word(1u << 30)));
    __m256 half[2];

    if (__builtin_expect(!is_wide, 1))
        return _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(high, 7), low));
    for (int i = 0; i < 2; i++) {
        const __m512i h = _mm512_cvtepi32_epi64(i ? _mm512_extracti64x4_epi64(high, 1)
                                                  : _mm512_castsi512_si256(high));
        const __m512i l = _mm512_cvtepi32_epi64(i ? _mm512_extracti64x4_epi64(low, 1)
                                                  : _mm512_castsi512_si256(low));

        half[i] = _mm512_cvtepi64_ps(_mm512_add_epi64(_mm512_slli_epi64(h, 7), l));
    }
    return _mm512_insertf32x8(_mm512_castps256_ps512(half[0]), half[1], 1);
}

struct dequantised {
    const int32_t *high, *low; /* low NULL: one limb */
    const float *s_w, *bias;   /* bias NULL: none */
    float *y;
    uint32_t n;
    float s_a;
};

/* Columns from j on. */
INLINE void dequantise_at(const struct dequantised *row, uint32_t j, __mmask16 lanes)
{
    const __m512i high = _mm512_maskz_loadu_epi32(lanes, row->high + j);
    const __m512 acc = row->low
                           ? join(high, _mm512_maskz_loadu_epi32(lanes, row->low + j))
                           : _mm512_cvtepi32_ps(high);
    __m512 value = _mm512_mul_ps(_mm512_mul_ps(acc, _mm512_set1_ps(row->s_a)),
                                 load(row->s_w + j, lanes));

    if (row->bias)
        value = _mm512_add_ps(value, load(row->bias + j, lanes));
    _mm512_mask_storeu_ps(row->y + j, lanes, exact_snap(value));
}

INLINE void dequantise_row(const struct dequantised *row)
{
    const uint32_t whole = row->n / LANES * LANES;

    for (uint32_t j = 0; j < whole; j += LANES)
        dequantise_at(row, j, ALL);
    if (whole < row->n)
        dequantise_at(row, whole, exact_lanes(row->n, whole));
}

void cpu_dequantise_avx512(uint64_t first, uint64_t last, void *const *views,
                           const union scalar *scalars)
{
    const int32_t *acc = views[0];
    const float *s_a = views[1];
    const uint32_t rows = scalars[0].u32, n = scalars[1].u32, limbs_a = scalars[2].u32;

    if (limbs_a > 2 || scalars[3].u32 != 1) {
        cpu_text_avx512[KERNEL_dequantise](first, last, views, scalars);
        return;
    }
    for (uint64_t row = first; row < last; row++) {
        const struct dequantised one = {
            .high = acc + row * n,
            .low = limbs_a == 2 ? acc + (rows + row) * n : NULL,
            .s_w = views[2],
            .bias = scalars[4].u32 ? views[3] : NULL,
            .y = (float *)views[4] + row * n,
            .n = n,
            .s_a = s_a[row],
        };
        dequantise_row(&one);
    }
}
