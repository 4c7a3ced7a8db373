/*
 * cpu_exact_avx512.h - cores of exact_math.h, sixteen at a time: operation by operation
 * the same, so that the bits are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_EXACT_AVX512_H
#define MINERVA_BACKENDS_CPU_EXACT_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "kernels/exact_math.h"

#define CPU_EXACT_FN static inline __attribute__((always_inline, unused))

CPU_EXACT_FN __m512i exact_word(uint32_t bits)
{
    return _mm512_set1_epi32((int32_t)bits);
}

CPU_EXACT_FN __m512 exact_float(uint32_t bits)
{
    return _mm512_castsi512_ps(exact_word(bits));
}

CPU_EXACT_FN __m512i exact_bits(__m512 x)
{
    return _mm512_castps_si512(x);
}

/* The lanes of a vector that holds values [at, at + 16) of n. */
CPU_EXACT_FN __mmask16 exact_lanes(uint32_t n, uint32_t at)
{
    if (n <= at)
        return 0;
    return n - at >= 16 ? UINT16_MAX : (__mmask16)((1u << (n - at)) - 1);
}

/* det_magnitude */
CPU_EXACT_FN __m512i exact_magnitude(__m512 x)
{
    return _mm512_and_si512(exact_bits(x), exact_word(MAGNITUDE));
}

/* The cores below take several vectors at once and do one operation on all of them before
 * the next: each is one long chain, and a processor looks ahead less than its length. */
enum { EXACT_WIDE = 4 };

#define EXACT_EACH(i) _Pragma("GCC unroll 4") for (int i = 0; i < EXACT_WIDE; i++)

struct exact_floats {
    __m512 of[EXACT_WIDE];
};

/* Horner's rule, a product then a sum. */
CPU_EXACT_FN void exact_step(struct exact_floats *p, const struct exact_floats *x,
                             uint32_t coefficient)
{
    EXACT_EACH(i)
    p->of[i] = _mm512_mul_ps(p->of[i], x->of[i]);
    EXACT_EACH(i)
    p->of[i] = _mm512_add_ps(p->of[i], exact_float(coefficient));
}

CPU_EXACT_FN struct exact_floats exact_all(uint32_t bits)
{
    struct exact_floats all;

    EXACT_EACH(i)
    all.of[i] = exact_float(bits);
    return all;
}

/* det_rcp */
CPU_EXACT_FN struct exact_floats exact_rcp(const struct exact_floats *x)
{
    struct exact_floats r, t;

    EXACT_EACH(i)
    r.of[i] = _mm512_castsi512_ps(
        _mm512_sub_epi32(exact_word(0x7ef311c3u), exact_bits(x->of[i])));
#pragma GCC unroll 3
    for (int step = 0; step < 3; step++) {
        EXACT_EACH(i)
        t.of[i] = _mm512_mul_ps(x->of[i], r.of[i]);
        EXACT_EACH(i)
        t.of[i] = _mm512_sub_ps(_mm512_set1_ps(2.0f), t.of[i]);
        EXACT_EACH(i)
        r.of[i] = _mm512_mul_ps(r.of[i], t.of[i]);
    }
    return r;
}

/* det_exp2 */
CPU_EXACT_FN struct exact_floats exact_exp2(const struct exact_floats *x)
{
    const __m512 rounder = exact_float(0x4b400000u);
    struct exact_floats t, g, p = exact_all(0x391fd103u);

    EXACT_EACH(i)
    t.of[i] = _mm512_add_ps(x->of[i], rounder);
    EXACT_EACH(i)
    g.of[i] = _mm512_sub_ps(t.of[i], rounder);
    EXACT_EACH(i)
    g.of[i] = _mm512_sub_ps(x->of[i], g.of[i]);
    exact_step(&p, &g, 0x3aaf85c1u);
    exact_step(&p, &g, 0x3c1d9850u);
    exact_step(&p, &g, 0x3d6357bbu);
    exact_step(&p, &g, 0x3e75fdecu);
    exact_step(&p, &g, 0x3f317218u);
    exact_step(&p, &g, 0x3f800000u);
    /* The low nine bits of t are those of the exponent: the rounder's are zero. */
    EXACT_EACH(i)
    p.of[i] = _mm512_castsi512_ps(_mm512_add_epi32(
        exact_bits(p.of[i]), _mm512_slli_epi32(exact_bits(t.of[i]), 23)));
    return p;
}

/* det_snap */
CPU_EXACT_FN __m512 exact_snap(__m512 x)
{
    const __mmask16 is_kept =
        _mm512_cmpge_epu32_mask(exact_magnitude(x), exact_word(SNAP_BITS));

    return _mm512_maskz_mov_ps(is_kept, x);
}

#endif
