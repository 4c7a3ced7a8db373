/*
 * instruction_cases.h - the list of instruction_cases.def, the operands, and what a plain
 * loop makes of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_INSTRUCTION_CASES_H
#define MINERVA_TESTS_EXECUTOR_INSTRUCTION_CASES_H

#include <stdint.h>

struct instruction_case {
    const char *name; /* of the kernel: case_... */
    uint32_t arch, threads, blocks, cluster, in_words, out_words, shared_bytes;
};

static const struct instruction_case instruction_cases[] = {
#define CASE(name, arch, threads, blocks, cluster, in, out, shared)                      \
    {"case_" #name, arch, threads, blocks, cluster, in, out, shared},
#include "tests/executor/instruction_cases.def"
#undef CASE
};

#define INSTRUCTION_CASES  (sizeof instruction_cases / sizeof *instruction_cases)
#define INSTRUCTION_ROUNDS 8u

/* Operands of a round: random words, then extremes of bytes and of words. */
static inline void instruction_operands(uint32_t *words, uint32_t count, uint32_t round)
{
    static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0x81, 0xff, 0x40, 0xc0};
    static const uint32_t wide[] = {0,           1,           0x7fffffffu, 0x80000000u,
                                    0xffffffffu, 0x7f800000u, 0x00800000u, 0x807fffffu};
    uint64_t x = 0x9e3779b97f4a7c15u * (round + 1u);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = 0;

        x = x * 6364136223846793005u + 1442695040888963407u;
        for (uint32_t b = 0; b < 4; b++)
            word |= (uint32_t)bytes[x >> (40 + 3 * b) & 7] << (8 * b);
        switch (round) {
        case 0:
        case 1:
            words[i] = (uint32_t)(x >> 32);
            break;
        case 2:
            words[i] = word;
            break;
        case 3:
            words[i] = wide[x >> 40 & 7];
            break;
        case 4:
            words[i] = 0x80808080u;
            break;
        case 5:
            words[i] = i % 2 ? 0x7f7f7f7fu : 0x80808080u;
            break;
        case 6:
            words[i] = x >> 63 ? word : wide[x >> 40 & 7];
            break;
        default:
            words[i] = 0;
        }
    }
}

/* What `out` holds before. */
static inline uint32_t instruction_before(uint32_t i)
{
    return i * 0x9e3779b9u + 0x7f4a7c15u;
}

static inline void instruction_grid(const struct instruction_case *c, uint32_t grid[3])
{
    const uint32_t is_large = c->blocks > 1 && !c->cluster;

    grid[0] = c->blocks;
    grid[1] = is_large ? 2 : 1;
    grid[2] = is_large ? 3 : 1;
}

/* The tensor of the TMA cases: `in` as 128 rows of 512 bytes.  Its box is 128 bytes by
 * 128 rows in the 128-byte pattern, for case_tma_load 64 by 64 and plain. */
#define TENSOR_WIDTH  512u
#define TENSOR_HEIGHT 128u

#endif
