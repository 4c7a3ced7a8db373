/*
 * cpu_matmul_avxvnni.c - the int8 product with AVX-VNNI: vpdpbusd on 256 bits.
 *
 * The encoding is asked for by name: an assembler would take the one of AVX-512, which
 * processors with this instruction set need not have.
 *
 * SPDX-License-Identifier: MIT
 */
#define DOT_BYTES(sum, a, b)                                                             \
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#define DOT_WORDS(sum, a, b)                                                             \
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#include "backends/cpu/cpu_block_ymm.h"

#include "backends/cpu/cpu_avx2.h"
#include "backends/cpu/cpu_features.h"
#include "backends/cpu/cpu_panels.h"
#include "backends/cpu/cpu_text.h"

static void avxvnni_block(const struct cpu_block *block)
{
    block_ymm(block);
}

const struct cpu_matmul cpu_matmul_avxvnni = {
    .name = "avxvnni",
    .absent = NULL,
    .needs = CPU_AVX2 | CPU_AVXVNNI,
    .unit = 1,
    .pair = 2,
    .pack_left = cpu_panels_left,
    .pack_right = cpu_panels_right,
    .block = avxvnni_block,
    .gather = cpu_panels_gather,
    .tile_words = cpu_tile_words,
    .texts = cpu_text_avx2,
    .overrides = cpu_avx2_overrides,
    .override_count = CPU_AVX2_OVERRIDES,
};
