/*
 * cpu_matmul_avx512vl.c - the int8 product with AVX-512 VNNI on 256 bits.
 *
 * For processors that have VNNI but not VBMI, which cpu_matmul_avx512.c wants; and it
 * runs the text of cpu_matmul_avxvnni.c, to the bit, on processors without AVX-VNNI.
 *
 * SPDX-License-Identifier: MIT
 */
#define DOT_BYTES(sum, a, b) __asm__("vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#define DOT_WORDS(sum, a, b) __asm__("vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#include "backends/cpu/cpu_block_ymm.h"

#include "backends/cpu/cpu_avx2.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_panels.h"
#include "backends/cpu/cpu_text.h"

static void avx512vl_block(const struct cpu_block *block)
{
    block_ymm(block);
}

const struct cpu_matmul cpu_matmul_avx512vl = {
    .name = "avx512vl",
    .absent = NULL,
    .needs = CPU_AVX2 | CPU_AVX512 | CPU_VNNI,
    .unit = 1,
    .pair = 2,
    .pack_left = cpu_panels_left,
    .pack_right = cpu_panels_right,
    .block = avx512vl_block,
    .gather = cpu_panels_gather,
    .tile_words = cpu_tile_words,
    .texts = cpu_text_avx2,
    .overrides = cpu_avx2_overrides,
    .override_count = CPU_AVX2_OVERRIDES,
};
