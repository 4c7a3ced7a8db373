/*
 * cuda_multiply.h - the loop over k of one block.
 *
 * A mined product folds as it goes and stops behind the last slice.  Where the clean
 * product is wanted too, the same accumulation goes on over the columns that
 * cuda_correction.h laid out, and the sums are scaled between its limbs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_MULTIPLY_H
#define MINERVA_BACKENDS_CUDA_MULTIPLY_H

#include "backends/cuda/cuda_correction.h"
#include "backends/cuda/cuda_pipe.h"

/* Stages of k, and where its sums are scaled. */
struct block_stages {
    u32 whole, all;
    u32 scale, every, scales; /* behind which stage next, 0: none; how often still */
    u32 last;                 /* the factor behind all */
};

template <bool CORRECTS>
DEVICE_FN void block_stages_make(const struct cuda_product *product, u32 whole,
                                 struct block_stages *stages)
{
    stages->whole = whole;
    stages->all = whole;
    if (!CORRECTS)
        return;
    const u32 limbs = correction_limbs(product);

    stages->every = 2 * product->rank / TILE_DEPTH;
    stages->scale = whole + stages->every;
    stages->scales = limbs - 1;
    stages->last = limbs == 3 ? CORRECTION_BASE * CORRECTION_BASE : CORRECTION_BASE;
    stages->all = whole + limbs * stages->every;
}

DEVICE_FN void block_scale(struct block_stages *stages, u32 stage, tile_sums acc)
{
    if (stage != stages->scale)
        return;
    tile_scale(acc, CORRECTION_INVERSE);
    stages->scale = --stages->scales ? stage + stages->every : 0;
}

/* All of `whole` stages, and of the correction.  rows and columns of the pipe are set. */
template <class PIPE, class FOLD, bool CORRECTS>
DEVICE_FN void block_multiply(const struct cuda_product *product, u32 whole,
                              typename PIPE::state *pipe, FOLD *fold, tile_sums acc)
{
    struct block_stages stages;
    struct tile_reader reader;

    block_stages_make<CORRECTS>(product, whole, &stages);
    tile_reader_make<PIPE::WARPS>(thread_index(), &reader);
    tile_clear(acc);
    FOLD::begin(fold, product);
    pipe_open(pipe);
    pipe_aim(pipe, product->a, product->b, product->stride, whole);
    for (u32 i = 0; i < PIPE::STAGES - 1; i++)
        PIPE::prime(pipe);
    for (u32 stage = 1; stage <= stages.all; stage++) {
        PIPE::settle();
        if (CORRECTS && !pipe->left && stage <= whole) /* once: whole is at least 16 */
            pipe_aim(pipe, correction_left(product), correction_right(product),
                     correction_stride(product), stages.all - whole);
        PIPE::begin(pipe);
        UNROLL
        for (u32 step = 0; step < TILE_STEPS; step++) {
            tile_step(&reader, pipe->used, step, acc);
            FOLD::after(fold, stage, step, acc);
        }
        PIPE::end(pipe);
        if (CORRECTS)
            block_scale(&stages, stage, acc);
    }
    if (CORRECTS)
        tile_scale(acc, stages.last);
}

#endif
