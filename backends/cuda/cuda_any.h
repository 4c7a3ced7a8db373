/*
 * cuda_any.h - a block's part of a product with tickets of any pattern.
 *
 * Tickets first: a part is 128 places of rows by 128 of columns (cuda_fold_any.h).
 * Where the clean product is wanted too, its own parts follow, without a fold: the lines
 * of tickets lie too far apart to be stored well, and some lines are in none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_ANY_H
#define MINERVA_BACKENDS_CUDA_ANY_H

#include "backends/cuda/cuda_block.h"
#include "backends/cuda/cuda_fold_any.h"

/* Blocks that `all` sides of `size` lines fill. */
DEVICE_FN u32 any_panels(u32 all, u32 size)
{
    const u32 most = TILE_LINES / size;

    return (all + most - 1) / most;
}

DEVICE_FN u32 any_parts(const struct cuda_product *product)
{
    return any_panels(product->tile_rows, product->h) *
           any_panels(product->tile_columns, product->w);
}

DEVICE_FN void any_draw(const struct cuda_product *product, const struct fold_any *fold)
{
    const u32 tickets = fold->rows.count * fold->columns.count;

    block_sync();
    for (u32 ticket = thread_index(); ticket < tickets; ticket += TILE_THREADS) {
        u32 words[16];

        UNROLL
        for (u32 i = 0; i < 16; i++)
            words[i] = *SHARED(u32, fold->words + 4 * (i * ANY_TICKETS + ticket));
        ticket_draw(
            product, words,
            fold->rows.lines[ticket / fold->columns.count * fold->rows.size],
            fold->columns.lines[ticket % fold->columns.count * fold->columns.size]);
    }
}

template <class PIPE> DEVICE_FN void any_run(const struct cuda_product *product, u32 part)
{
    const u32 panels = any_panels(product->tile_columns, product->w);
    struct fold_any fold;
    typename PIPE::state pipe;
    tile_sums acc;

    any_side_make(product->rows, product->h, product->tile_rows, part / panels,
                  &fold.rows);
    any_side_make(product->columns, product->w, product->tile_columns, part % panels,
                  &fold.columns);
    UNROLL
    for (u32 i = 0; i < pipe.ROWS; i++)
        pipe.rows[i] =
            any_side_line(&fold.rows, any_row_place(pipe.line(thread_index(), i)));
    UNROLL
    for (u32 i = 0; i < pipe.COLUMNS; i++)
        pipe.columns[i] =
            any_side_line(&fold.columns, any_column_place(pipe.line(thread_index(), i)));
    fold.words = PIPE::STAGES * TILE_STAGE;
    block_multiply<PIPE, struct fold_any, false>(
        product, product->slices * product->rank / TILE_DEPTH, &pipe, &fold, acc);
    any_draw(product, &fold);
}

template <class PIPE>
DEVICE_FN void any_run_useful(const struct cuda_product *product, u32 part)
{
    const u32 first = any_parts(product);

    if (part < first)
        any_run<PIPE>(product, part);
    else
        block_run_plain<PIPE, true>(product, part - first);
}

#endif
