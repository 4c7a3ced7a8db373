/*
 * cpu_matmul.h - the ways this backend multiplies: one row an instruction set.
 *
 * A product is cut in blocks of 8 rows by 32 columns that stay in registers for all of k.
 * Operands are packed first, in the row's own order: left panels of 8 rows, right panels
 * of 32 columns.  A block may leave, after each slice of k, the XOR of its accumulators
 * over its rows (for tickets), and may go on after k with int16 columns (the correction
 * that gives the clean product back). All rows give the same bits.  Any thread; no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_MATMUL_H
#define MINERVA_BACKENDS_CPU_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"
#include "miner/base/error.h"

enum {
    CPU_ROWS = 8,     /* of a left panel */
    CPU_COLUMNS = 32, /* of a right panel */
    CPU_K_UNIT =
        64, /* packed operands are padded with zeros to a multiple of this in k */
};

struct cpu_block {
    const void *a, *b; /* packed panels */
    const void *next; /* NULL, or what will be read soon: a hint, a quarter of b's size */
    const int32_t *corrections; /* [slices + 1][32], as pack_right() left them */
    uint32_t slice, slices;     /* slices of so many columns of k each... */
    uint32_t tail;              /* ...then so many more; multiples of 32 */
    const int16_t *a_extra; /* [8] and [32] times extra columns in the row's pair order */
    const int16_t *b_extra;
    uint32_t extra;       /* a multiple of 32 */
    uint32_t group;       /* rows that are folded together: 2, 4, 8; 0: no folds */
    uint32_t *folds;      /* [slices][8 / group][32] */
    int32_t *c[CPU_ROWS]; /* 32 columns each; c[0] NULL: none wanted */
};

struct cpu_override {
    enum kernel kernel;
    kernel_function *run;
};

struct cpu_matmul {
    const char *name;
    const char *absent; /* NULL, or why this build lacks it; then nothing else is set */
    uint32_t needs;     /* cpu_features() */
    uint32_t unit;      /* bytes a packed value takes */
    uint32_t pair;      /* int16 columns that lie together in extras; 0: all of them */
    /* rows: 8 (32) rows of k_padded int8.  slice: see cpu_block; sums go to corrections.
     */
    void (*pack_left)(const int8_t *const *rows, uint32_t k_padded, void *out);
    void (*pack_right)(const int8_t *const *rows, uint32_t k_padded, uint32_t slice,
                       void *out, int32_t *corrections);
    void (*block)(const struct cpu_block *block);
    /* sums[rank][32]: of a packed right panel, what pairs [k][2] add to and take from
     * each. is_small: no sum leaves an int16. */
    void (*gather)(const void *panel, const uint16_t *pairs, uint32_t k, uint32_t rank,
                   int is_small, int32_t *sums);
    /* The words of two tiles of 16 columns: folds [slices][stride] from the first group
     * on. */
    void (*tile_words)(const uint32_t *folds, uint32_t slices, uint32_t stride,
                       uint32_t words[2][16]);
    kernel_function *const *texts;        /* [KERNEL_COUNT] or NULL: see cpu_text.h */
    const struct cpu_override *overrides; /* tuned kernels of this instruction set */
    size_t override_count;
};

/* The row with that name (ABSENT, NOT_FOUND), or the first that this processor can run.
 * With MINERVA_CPU=row in the environment the rows before that one are ABSENT: a machine
 * that lacks them can be tried on one that has them. */
MUST_CHECK enum status cpu_matmul_choose(const char *name, const struct cpu_matmul **out,
                                         struct error *err);
/* NULL past the end. */
const struct cpu_matmul *cpu_matmul_row(size_t index);

/* Where value `column` of a lane lies in extras of `extra` columns and `lanes` lanes. */
static inline size_t cpu_extra_at(const struct cpu_matmul *row, uint32_t extra,
                                  uint32_t lanes, uint32_t column, uint32_t lane)
{
    size_t pair = row->pair ? row->pair : extra;

    return (column / pair * lanes + lane) * pair + column % pair;
}

/* The definitions that rows without their own use (cpu_matmul_portable.c). */
void cpu_tile_words(const uint32_t *folds, uint32_t slices, uint32_t stride,
                    uint32_t words[2][16]);

#define CPU_MATMUL(row) extern const struct cpu_matmul cpu_matmul_##row;
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL

#endif
