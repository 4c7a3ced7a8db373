/*
 * cuda_ablation.h - what the kernels of cuda_ablation.cu and cuda_ablation_wgmma.cu leave
 * out of a mined product, so that a benchmark can show what each step costs.
 *
 * They are launched with the grid and the struct of the row that they are taken from, for
 * the lane's tickets.  What they made is written to product->c where there is one, in
 * places of the ticket's own outputs; where there is none, as in the clock, nobody sees
 * it, but no compiler knows that, and so nothing is left out that was not meant to be.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_ABLATION_H
#define MINERVA_BACKENDS_CUDA_ABLATION_H

#include "backends/cuda/cuda_fold.h"

enum ablation {
    ABLATION_LOOP,    /* the loop over k: no fold; the exclusive-or of each ticket's sums
                         in its first place */
    ABLATION_FOLD,    /* and the fold, but no ticket's hash; word i in the ticket's row
                         i / 2, column i % 2 */
    ABLATION_CORRECT, /* fold, hash and correction, but the clean product is not written;
                         as the loop's */
};

/* What a ticket starting there came to: COUNT words, of which the first is number
 * `first`. */
template <u32 COUNT>
DEVICE_FN void ablation_keep(const struct cuda_product *product, u32 row, u32 column,
                             const u32 *words, u32 first)
{
    if (!product->c || row + fold_words<FOLD_LANE>::BELOW >= product->m ||
        column + fold_words<FOLD_LANE>::RIGHT >= product->n)
        return;
    UNROLL
    for (u32 i = 0; i < COUNT; i++) {
        const u32 number = (first + i) % COUNT;

        product->c[(u64)(row + number / 2 * 8) * product->n + column + number % 2] =
            (i32)words[i];
    }
}

#endif
