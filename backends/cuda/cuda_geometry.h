/*
 * cuda_geometry.h - sizes that the mma kernels and their rows in cuda_matmul_mma.c share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_GEOMETRY_H
#define MINERVA_BACKENDS_CUDA_GEOMETRY_H

enum {
    TILE_THREADS = 128,                  /* of a block: four warps of 64 x 64 outputs */
    TILE_LINES = 128,                    /* rows, and columns, of a block */
    TILE_DEPTH = 64,                     /* columns of k in one stage */
    TILE_HALF = TILE_LINES * TILE_DEPTH, /* bytes of one operand in a stage */
    TILE_STAGE = 2 * TILE_HALF,
    TILE_STAGES_ASYNC = 3,
    TILE_STAGES_WAITING = 2,

    /* Eight warps: blocks of 128 x 256. */
    WIDE_THREADS = 256,
    WIDE_COLUMNS = 256,
    WIDE_STAGES = 4,
    WIDE_SHARED = WIDE_STAGES * (TILE_HALF + WIDE_COLUMNS * TILE_DEPTH),

    /* Tickets of any pattern: words of a block's, of which the smallest has 32 outputs.
     */
    ANY_TICKETS = TILE_LINES * TILE_LINES / 32,
    ANY_SHARED = ANY_TICKETS * 16 * 4,

    /* wgmma: two consuming warp groups of 64 x 256 outputs, and one that brings. */
    GROUP_THREADS = 128,
    GROUP_BLOCK = 3 * GROUP_THREADS,
    GROUP_ROWS = 128,
    GROUP_COLUMNS = 256,
    GROUP_REGISTERS_MULTIPLY = 224,
    GROUP_REGISTERS_BRING = 56,
    GROUP_DEPTH = 128, /* columns of k in one stage */
    GROUP_STAGES = 4,
    GROUP_HALF_A = GROUP_ROWS * GROUP_DEPTH,
    GROUP_STAGE = GROUP_HALF_A + GROUP_COLUMNS * GROUP_DEPTH,
    GROUP_PARTS = 8,                /* of a ticket, at most, in other threads */
    GROUP_PART = GROUP_THREADS + 8, /* words between them: no two meet in a bank */
    GROUP_EXCHANGE = GROUP_STAGES * GROUP_STAGE,
    GROUP_WORDS = GROUP_EXCHANGE + 2 * 2 * GROUP_PARTS * GROUP_PART * 4,
    GROUP_BARRIERS = GROUP_WORDS + 16 * 2 * GROUP_THREADS * 4,
    GROUP_SHARED = GROUP_BARRIERS + (2 * GROUP_STAGES + 2) * 8,

    /* The correction's columns: scratch is SLOTS words, then m and n lines of
     * 2 * LIMBS * rank bytes, n rounded up to CUDA_LINES_UNIT. */
    CORRECTION_THREADS = 256,
    CORRECTION_SLOTS = 128, /* blocks that make them, at most */
    CORRECTION_LIMBS = 3,

    ROW_THREADS = 256, /* a warp a row */
    HASH_THREADS = 128,
    LEAVES_THREADS = 256, /* a warp a row, then a lane of the first warp a chunk */
    LEAVES_CHUNKS = 32,
    LEAVES_STRIDE = 1024 + 16, /* from chunk to chunk in shared memory */
    NOISE_THREADS = 256,
    NOISE_ROWS = 16,                 /* of a block at once */
    LOWRANK_THREADS = 128,           /* a warp a row */
    LOWRANK_STAGES = 3,              /* multiplied, ready, filled */
    LOWRANK_STEP = TILE_THREADS / 4, /* lines between a thread's chunks of a stage */
    LOWRANK_CHUNKS = TILE_LINES / LOWRANK_STEP,
    LOWRANK_SHARED = LOWRANK_STAGES * TILE_STAGE,
    LOWRANK_PIECE = 8,              /* stages of one, at least, where k is cut */
    NOISE_X_PITCH = TILE_LINES + 4, /* bytes between columns of noise: other banks */

    ATTENTION_THREADS = 128, /* a warp a query's head */
    ATTENTION_KEPT = 1024,   /* scores in shared memory */
    ATTENTION_WARP_SHARED = (256 + ATTENTION_KEPT) * 4,
    ATTENTION_SHARED = ATTENTION_THREADS / 32 * ATTENTION_WARP_SHARED,
};

/* The fewest rows of so many bytes that are whole chunks together. */
#define LEAVES_ROWS(size) ((size) % 1024 ? 1024 / ((size) & (0 - (size))) : 1)

#endif
