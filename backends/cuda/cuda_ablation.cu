/*
 * cuda_ablation.cu - the mined products of cuda_mma.cu and cuda_wide.cu with steps left
 * out: for `minerva bench` alone.
 *
 * archs: 80 86 89 90a 100 120
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_ablation.h"
#include "backends/cuda/cuda_block.h"

#define PART (u32)(product.part_first + block_index())

typedef struct pipe_async<TILE_STAGES_ASYNC> mma_pipe;
typedef struct pipe_async<WIDE_STAGES, 4> wide_pipe;

/* The exclusive-or of what a lane holds. */
DEVICE_FN u32 sums_join(const tile_sums acc)
{
    u32 part[4];

    fold_rows(acc, part);
    return xor3(part[0], part[1], part[2]) ^ part[3];
}

template <class PIPE, class FOLD, enum ablation STEP>
DEVICE_FN void ablation_run(const struct cuda_product *product, u32 part)
{
    const u32 k =
        STEP == ABLATION_CORRECT ? product->k : product->slices * product->rank;
    struct block_place place;
    typename PIPE::state pipe;
    FOLD fold;
    tile_sums acc;

    block_place_make<PIPE::WARPS>(product, part, &place);
    block_lines(product, &place, &pipe);
    block_multiply<PIPE, FOLD, STEP == ABLATION_CORRECT>(product, k / TILE_DEPTH, &pipe,
                                                         &fold, acc);
    const u32 row = place.row + tile_thread_row<PIPE::WARPS>(thread_index());
    const u32 column = place.column + tile_thread_column<PIPE::WARPS>(thread_index());

    if constexpr (STEP == ABLATION_FOLD) {
        FOLD::end(&fold);
        ablation_keep<16>(product, row, column, fold.word, 0);
    } else {
        const u32 sum = sums_join(acc);

        ablation_keep<1>(product, row, column, &sum, 0);
    }
    if constexpr (STEP == ABLATION_CORRECT)
        block_draw<PIPE::WARPS>(product, &place, &fold);
}

#define ABLATION(family, threads, blocks, name, fold, step)                              \
    KERNEL(family##_lane_##name, threads, blocks, const struct cuda_product product)     \
    {                                                                                    \
        ablation_run<family##_pipe, struct fold, step>(&product, PART);                  \
    }
ABLATION(mma, TILE_THREADS, 2, loop, fold_none, ABLATION_LOOP)
ABLATION(mma, TILE_THREADS, 2, fold, fold_words<FOLD_LANE>, ABLATION_FOLD)
ABLATION(mma, TILE_THREADS, 2, correct, fold_words<FOLD_LANE>, ABLATION_CORRECT)
ABLATION(wide, WIDE_THREADS, 1, loop, fold_none, ABLATION_LOOP)
ABLATION(wide, WIDE_THREADS, 1, fold, fold_words<FOLD_LANE>, ABLATION_FOLD)
ABLATION(wide, WIDE_THREADS, 1, correct, fold_words<FOLD_LANE>, ABLATION_CORRECT)
