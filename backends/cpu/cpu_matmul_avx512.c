/*
 * cpu_matmul_avx512.c - the int8 product with AVX-512 VNNI.
 *
 * Left panels are [k / 4][8][4] and unsigned: a + 128, as the instruction wants one side;
 * right panels are [k / 4][32][4].  What the 128 adds is taken off by one vector a slice,
 * made of the sums of the right panel's columns before each fold.  16 accumulators hold a
 * block.
 *
 * SPDX-License-Identifier: MIT
 */
#include <immintrin.h>
#include <string.h>

#include "backends/cpu/cpu_avx512.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_matmul.h"
#include "backends/cpu/cpu_text.h"

/* One line of assembly each, in loops that are not unrolled: gcc 12 copies and spills the
 * accumulators otherwise (tests/backends/test_inner_loops.py). */
#define DOT_BYTES(sum, a, b) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#define DOT_WORDS(sum, a, b) __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))

struct sums {
    __m512i row[CPU_ROWS][2];
};

static inline __attribute__((always_inline)) __m512i load(const void *from)
{
    return _mm512_loadu_si512(from);
}

static inline __attribute__((always_inline)) __m512i spread(const uint8_t *from)
{
    int32_t value;

    memcpy(&value, from, sizeof value);
    return _mm512_set1_epi32(value);
}

/* next: what is wanted soon in the second cache, 32 bytes a step. */
static inline __attribute__((always_inline)) void
add_bytes(const uint8_t *a, const uint8_t *b, uint32_t steps, const char *next,
          struct sums *sums)
{
#pragma GCC unroll 1
    for (size_t at = 0; at < (size_t)steps * 32; at += 32) {
        const __m512i b0 = load(b + 4 * at), b1 = load(b + 4 * at + 64);

        _mm_prefetch(next + at, _MM_HINT_T1);
#pragma GCC unroll 8
        for (int i = 0; i < CPU_ROWS; i++) {
            const __m512i ai = spread(a + at + (ptrdiff_t)4 * i);
            DOT_BYTES(sums->row[i][0], ai, b0);
            DOT_BYTES(sums->row[i][1], ai, b1);
        }
    }
}

static inline __attribute__((always_inline)) void
add_words(const int16_t *a, const int16_t *b, uint32_t steps, struct sums *sums)
{
#pragma GCC unroll 1
    for (uint32_t s = 0; s < steps; s++) {
        const __m512i b0 = load(b + (size_t)s * 64), b1 = load(b + (size_t)s * 64 + 32);
#pragma GCC unroll 8
        for (int i = 0; i < CPU_ROWS; i++) {
            const __m512i ai = spread((const uint8_t *)(a + (size_t)s * 16 + 2 * i));
            DOT_WORDS(sums->row[i][0], ai, b0);
            DOT_WORDS(sums->row[i][1], ai, b1);
        }
    }
}

static inline __attribute__((always_inline)) void correct(const int32_t *corrections,
                                                          struct sums *sums)
{
    const __m512i c0 = load(corrections), c1 = load(corrections + 16);

#pragma GCC unroll 8
    for (int i = 0; i < CPU_ROWS; i++) {
        sums->row[i][0] = _mm512_add_epi32(sums->row[i][0], c0);
        sums->row[i][1] = _mm512_add_epi32(sums->row[i][1], c1);
    }
}

static inline __attribute__((always_inline)) __m512i xor3(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96); /* 0x96: odd parity */
}

static inline __attribute__((always_inline)) void fold(const struct sums *sums,
                                                       uint32_t group, uint32_t *out)
{
    __m512i two[4];

#pragma GCC unroll 2
    for (int half = 0; half < 2; half++, out += 16) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            two[i] = _mm512_xor_si512(sums->row[2 * i][half], sums->row[2 * i + 1][half]);
        if (group == 8) {
            _mm512_storeu_si512(out,
                                _mm512_xor_si512(xor3(two[0], two[1], two[2]), two[3]));
        } else if (group == 4) {
            _mm512_storeu_si512(out, _mm512_xor_si512(two[0], two[1]));
            _mm512_storeu_si512(out + 32, _mm512_xor_si512(two[2], two[3]));
        } else {
            for (int i = 0; i < 4; i++)
                _mm512_storeu_si512(out + (ptrdiff_t)32 * i, two[i]);
        }
    }
}

static void avx512_block(const struct cpu_block *block)
{
    const uint8_t *a = block->a, *b = block->b;
    const int32_t *corrections = block->corrections;
    const uint32_t group = block->group, steps = block->slice / 4;
    const char *next = block->next ? block->next : block->b;
    uint32_t *folds = block->folds;
    struct sums sums;

#pragma GCC unroll 8
    for (int i = 0; i < CPU_ROWS; i++)
        sums.row[i][0] = sums.row[i][1] = _mm512_setzero_si512();
    for (uint32_t s = 0; s < block->slices; s++) {
        add_bytes(a, b, steps, next, &sums);
        correct(corrections, &sums);
        if (group) {
            fold(&sums, group, folds);
            folds += CPU_ROWS / group * CPU_COLUMNS;
        }
        a += (size_t)steps * 32;
        b += (size_t)steps * 128;
        next += (size_t)steps * 32;
        corrections += CPU_COLUMNS;
    }
    if (!block->c[0])
        return;
    if (block->tail) {
        add_bytes(a, b, block->tail / 4, next, &sums);
        correct(corrections, &sums);
    }
    add_words(block->a_extra, block->b_extra, block->extra / 2, &sums);
#pragma GCC unroll 8
    for (int i = 0; i < CPU_ROWS; i++) {
        _mm512_storeu_si512(block->c[i], sums.row[i][0]);
        _mm512_storeu_si512(block->c[i] + 16, sums.row[i][1]);
    }
}

/* 64 bytes of each of four rows as 16 steps of 4 rows by 4 bytes, `stride` bytes apart.
 */
static inline __attribute__((always_inline)) void interleave(const int8_t *const *rows,
                                                             size_t at, __m512i flip,
                                                             uint8_t *out, size_t stride)
{
    __m512i r[4], t[4];

    for (int i = 0; i < 4; i++)
        r[i] = _mm512_xor_si512(load(rows[i] + at), flip);
    t[0] = _mm512_unpacklo_epi32(r[0], r[1]);
    t[1] = _mm512_unpackhi_epi32(r[0], r[1]);
    t[2] = _mm512_unpacklo_epi32(r[2], r[3]);
    t[3] = _mm512_unpackhi_epi32(r[2], r[3]);
    r[0] = _mm512_unpacklo_epi64(t[0], t[2]);
    r[1] = _mm512_unpackhi_epi64(t[0], t[2]);
    r[2] = _mm512_unpacklo_epi64(t[1], t[3]);
    r[3] = _mm512_unpackhi_epi64(t[1], t[3]);
    for (size_t j = 0; j < 4; j++) {
        _mm_storeu_si128((__m128i *)(out + j * stride),
                         _mm512_extracti32x4_epi32(r[j], 0));
        _mm_storeu_si128((__m128i *)(out + (4 + j) * stride),
                         _mm512_extracti32x4_epi32(r[j], 1));
        _mm_storeu_si128((__m128i *)(out + (8 + j) * stride),
                         _mm512_extracti32x4_epi32(r[j], 2));
        _mm_storeu_si128((__m128i *)(out + (12 + j) * stride),
                         _mm512_extracti32x4_epi32(r[j], 3));
    }
}

static void avx512_pack_left(const int8_t *const *rows, uint32_t k_padded, void *out)
{
    const __m512i flip = _mm512_set1_epi8(-128);
    uint8_t *to = out;

    for (size_t at = 0; at < k_padded; at += CPU_K_UNIT, to += CPU_K_UNIT * CPU_ROWS)
        for (size_t i = 0; i < CPU_ROWS; i += 4)
            interleave(rows + i, at, flip, to + 4 * i, 4 * CPU_ROWS);
}

/* -128 times the sums of each column over `steps` steps. */
static void column_sums(const uint8_t *panel, uint32_t steps, int32_t *corrections)
{
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0;

    for (uint32_t s = 0; s < steps; s++) {
        DOT_BYTES(s0, ones, load(panel + (size_t)s * 128));
        DOT_BYTES(s1, ones, load(panel + (size_t)s * 128 + 64));
    }
    const __m512i zero = _mm512_setzero_si512();
    _mm512_storeu_si512(corrections, _mm512_sub_epi32(zero, _mm512_slli_epi32(s0, 7)));
    _mm512_storeu_si512(corrections + 16,
                        _mm512_sub_epi32(zero, _mm512_slli_epi32(s1, 7)));
}

static void avx512_pack_right(const int8_t *const *rows, uint32_t k_padded,
                              uint32_t slice, void *out, int32_t *corrections)
{
    const __m512i flip = _mm512_setzero_si512();
    uint8_t *to = out;

    for (size_t at = 0; at < k_padded; at += CPU_K_UNIT, to += CPU_K_UNIT * CPU_COLUMNS)
        for (size_t i = 0; i < CPU_COLUMNS; i += 4)
            interleave(rows + i, at, flip, to + 4 * i, 4 * CPU_COLUMNS);
    for (uint32_t at = 0; at < k_padded; at += slice, corrections += CPU_COLUMNS)
        column_sums((const uint8_t *)out + (size_t)at * CPU_COLUMNS,
                    (k_padded - at < slice ? k_padded - at : slice) / 4, corrections);
}

/* Byte q of 32 columns of 4 bytes, as int16. */
static inline __attribute__((always_inline)) __m512i column_words(const uint8_t *step,
                                                                  uint32_t q)
{
    /* Word j takes the byte as its high half from byte 4 j + q of both registers. */
    const __m512i two =
        _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                         15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i at = _mm512_slli_epi16(
        _mm512_add_epi16(_mm512_slli_epi16(two, 2), _mm512_set1_epi16((short)q)), 8);

    return _mm512_srai_epi16(_mm512_permutex2var_epi8(load(step), at, load(step + 64)),
                             8);
}

static inline __attribute__((always_inline)) void words_add(int16_t *sums, __m512i value)
{
    _mm512_storeu_si512(sums, _mm512_add_epi16(load(sums), value));
}

static inline __attribute__((always_inline)) void words_take(int16_t *sums, __m512i value)
{
    _mm512_storeu_si512(sums, _mm512_sub_epi16(load(sums), value));
}

/* Sums in int16, made wide afterwards from the last one on, in place. */
static void gather_small(const uint8_t *panel, const uint16_t *pairs, uint32_t k,
                         uint32_t rank, int32_t *out)
{
    int16_t *sums = (int16_t *)out; /* through intrinsics only, which may alias */

    memset(out, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (size_t l = 0; l < k; l += 4)
#pragma GCC unroll 4
        for (uint32_t q = 0; q < 4; q++) {
            const __m512i value = column_words(panel + l * CPU_COLUMNS, q);
            words_add(sums + (size_t)pairs[2 * (l + q)] * CPU_COLUMNS, value);
            words_take(sums + (size_t)pairs[2 * (l + q) + 1] * CPU_COLUMNS, value);
        }
    for (size_t j = rank; j-- > 0;) {
        const __m512i value = load(sums + j * CPU_COLUMNS);
        _mm512_storeu_si512(out + j * CPU_COLUMNS,
                            _mm512_cvtepi16_epi32(_mm512_castsi512_si256(value)));
        _mm512_storeu_si512(out + j * CPU_COLUMNS + 16,
                            _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(value, 1)));
    }
}

static inline __attribute__((always_inline)) void wide_add(int32_t *sums, __m512i low,
                                                           __m512i high)
{
    _mm512_storeu_si512(sums, _mm512_add_epi32(load(sums), low));
    _mm512_storeu_si512(sums + 16, _mm512_add_epi32(load(sums + 16), high));
}

static inline __attribute__((always_inline)) void wide_take(int32_t *sums, __m512i low,
                                                            __m512i high)
{
    _mm512_storeu_si512(sums, _mm512_sub_epi32(load(sums), low));
    _mm512_storeu_si512(sums + 16, _mm512_sub_epi32(load(sums + 16), high));
}

static void gather_wide(const uint8_t *panel, const uint16_t *pairs, uint32_t k,
                        uint32_t rank, int32_t *sums)
{
    memset(sums, 0, (size_t)rank * CPU_COLUMNS * sizeof *sums);
    for (size_t l = 0; l < k; l += 4)
#pragma GCC unroll 4
        for (uint32_t q = 0; q < 4; q++) {
            const __m512i value = column_words(panel + l * CPU_COLUMNS, q);
            const __m512i low = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(value));
            const __m512i high =
                _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(value, 1));
            wide_add(sums + (size_t)pairs[2 * (l + q)] * CPU_COLUMNS, low, high);
            wide_take(sums + (size_t)pairs[2 * (l + q) + 1] * CPU_COLUMNS, low, high);
        }
}

static void avx512_gather(const void *panel, const uint16_t *pairs, uint32_t k,
                          uint32_t rank, int is_small, int32_t *sums)
{
    (is_small ? gather_small : gather_wide)(panel, pairs, k, rank, sums);
}

/* One word a slice: the XOR of each of 16 vectors' 16 words, in the order of the vectors.
 */
static inline __attribute__((always_inline)) __m512i xor_across(__m512i v[16])
{
    for (int i = 0; i < 8; i++)
        v[i] = _mm512_xor_si512(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                                _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
    for (int i = 0; i < 4; i++)
        v[i] = _mm512_xor_si512(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]),
                                _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
    for (int i = 0; i < 2; i++)
        v[i] = _mm512_xor_si512(_mm512_shuffle_i32x4(v[2 * i], v[2 * i + 1], 0x88),
                                _mm512_shuffle_i32x4(v[2 * i], v[2 * i + 1], 0xdd));
    return _mm512_xor_si512(_mm512_shuffle_i32x4(v[0], v[1], 0x88),
                            _mm512_shuffle_i32x4(v[0], v[1], 0xdd));
}

static void avx512_tile_words(const uint32_t *folds, uint32_t slices, uint32_t stride,
                              uint32_t words[2][16])
{
    for (int tile = 0; tile < 2; tile++) {
        __m512i out = _mm512_setzero_si512();

        for (uint32_t s = 0; s < slices; s += 16) {
            const uint32_t count = slices - s < 16 ? slices - s : 16;
            __m512i v[16];

            for (uint32_t i = 0; i < 16; i++)
                v[i] = i < count
                           ? load(folds + (size_t)(s + i) * stride + (ptrdiff_t)16 * tile)
                           : _mm512_setzero_si512();
            out = _mm512_mask_xor_epi32(out, (__mmask16)((1u << count) - 1),
                                        _mm512_rol_epi32(out, 13), xor_across(v));
        }
        _mm512_storeu_si512(words[tile], out);
    }
}

static const struct cpu_override overrides[] = {
    {KERNEL_blake3_chunks, cpu_blake3_chunks_avx512},
    {KERNEL_blake3_parents, cpu_blake3_parents_avx512},
    {KERNEL_ticket_hash, cpu_ticket_hash_avx512},
    {KERNEL_noise_dense, cpu_noise_dense_avx512},
    {KERNEL_noise_pairs, cpu_noise_pairs_avx512},
    {KERNEL_noise_add, cpu_noise_add_avx512},
    {KERNEL_attention, cpu_attention_avx512},
    {KERNEL_gelu, cpu_gelu_avx512},
    {KERNEL_dequantise, cpu_dequantise_avx512},
};

const struct cpu_matmul cpu_matmul_avx512 = {
    .name = "avx512",
    .absent = NULL,
    .needs = CPU_AVX2 | CPU_AVX512 | CPU_VBMI | CPU_VNNI,
    .unit = 1,
    .pair = 2,
    .pack_left = avx512_pack_left,
    .pack_right = avx512_pack_right,
    .block = avx512_block,
    .gather = avx512_gather,
    .tile_words = avx512_tile_words,
    .texts = cpu_text_avx512,
    .overrides = overrides,
    .override_count = sizeof overrides / sizeof overrides[0],
};
