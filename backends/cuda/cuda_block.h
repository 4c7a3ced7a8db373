/*
 * cuda_block.h - one block's part of a product: which outputs, and what is done with
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_BLOCK_H
#define MINERVA_BACKENDS_CUDA_BLOCK_H

#include "backends/cuda/cuda_fold.h"
#include "backends/cuda/cuda_multiply.h"
#include "backends/cuda/cuda_ticket.h"

enum {
    BLOCK_GROUP = 8, /* row panels that walk along the columns together: their lines
                        stay in the second cache */
    BLOCK_NEVER = 0xffffffffu /* no stage has that number */
};

/* The block's first row and column. */
struct block_place {
    u32 row, column;
};

template <u32 WARPS>
DEVICE_FN void block_place_make(const struct cuda_product *product, u32 part,
                                struct block_place *place)
{
    const u32 rows = (product->m + TILE_LINES - 1) / TILE_LINES;
    const u32 columns = (product->n + 64 * WARPS - 1) / (64 * WARPS);
    const u32 first = part / (BLOCK_GROUP * columns) * BLOCK_GROUP;
    const u32 high = rows - first < BLOCK_GROUP ? rows - first : BLOCK_GROUP;
    const u32 within = part % (BLOCK_GROUP * columns);

    place->row = (first + within % high) * TILE_LINES;
    place->column = within / high * (64 * WARPS);
}

/* Rows beyond m are row m - 1 again: nobody looks at their sums. */
template <u32 WARPS>
DEVICE_FN void block_lines(const struct cuda_product *product,
                           const struct block_place *place, struct pipe<WARPS> *pipe)
{
    UNROLL
    for (u32 i = 0; i < pipe->ROWS; i++) {
        const u32 row = place->row + pipe->line(thread_index(), i);

        pipe->rows[i] = row < product->m ? row : product->m - 1;
    }
    UNROLL
    for (u32 i = 0; i < pipe->COLUMNS; i++)
        pipe->columns[i] = place->column + pipe->line(thread_index(), i);
}

/* What a lane holds, where not all of it exists, or c has no pairs. */
DEVICE_FN void block_write_part(const struct cuda_product *product, u32 row, u32 column,
                                const tile_sums acc)
{
    UNROLL
    for (u32 i = 0; i < TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            UNROLL
            for (u32 e = 0; e < 4; e++) {
                const u32 line = row + 16 * i + e / 2 * 8, at = column + 8 * j + e % 2;

                if (line < product->m && at < product->n)
                    product->c[(u64)line * product->n + at] = acc[i][j][e];
            }
        }
    }
}

template <u32 WARPS>
DEVICE_FN void block_write(const struct cuda_product *product,
                           const struct block_place *place, const tile_sums acc)
{
    const u32 row = place->row + tile_thread_row<WARPS>(thread_index());
    const u32 column = place->column + tile_thread_column<WARPS>(thread_index());
    GLOBAL i32 *to = product->c + (u64)row * product->n + column;

    if (!correction_is_paired(product) || row + 56 >= product->m ||
        column + 57 >= product->n) {
        block_write_part(product, row, column, acc);
        return;
    }
    UNROLL
    for (u32 i = 0; i < 2 * TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            const i32 *sums = acc[i / 2][j] + i % 2 * 2;
            const u32 pair[2] = {(u32)sums[0], (u32)sums[1]};

            store_stream_8(to + (u64)(8 * i) * product->n + 8 * j, pair);
        }
    }
}

template <u32 WARPS, class FOLD>
DEVICE_FN void block_draw(const struct cuda_product *product,
                          const struct block_place *place, FOLD *fold)
{
    u32 row = place->row + tile_thread_row<WARPS>(thread_index());
    u32 column = place->column + tile_thread_column<WARPS>(thread_index());

    FOLD::start(&row, &column);
    FOLD::end(fold);
    if (row + FOLD::BELOW < product->m && column + FOLD::RIGHT < product->n)
        ticket_draw(product, fold->word, row, column);
}

/* c of all of k: of clean operands, or corrected. */
template <class PIPE, bool CORRECTS>
DEVICE_FN void block_run_plain(const struct cuda_product *product, u32 part)
{
    const u32 whole = (product->k + TILE_DEPTH - 1) / TILE_DEPTH;
    struct block_place place;
    struct fold_none fold;
    typename PIPE::state pipe;
    tile_sums acc;

    block_place_make<PIPE::WARPS>(product, part, &place);
    block_lines(product, &place, &pipe);
    block_multiply<PIPE, struct fold_none, CORRECTS>(product, whole, &pipe, &fold, acc);
    block_write<PIPE::WARPS>(product, &place, acc);
}

/* Tickets, and c with them or not: then k ends with the last slice. */
template <class PIPE, enum fold_shape SHAPE, bool WRITES>
DEVICE_FN void block_run_mined(const struct cuda_product *product, u32 part)
{
    const u32 whole =
        (WRITES ? product->k : product->slices * product->rank) / TILE_DEPTH;
    struct fold_words<SHAPE> fold;
    struct block_place place;
    typename PIPE::state pipe;
    tile_sums acc;

    block_place_make<PIPE::WARPS>(product, part, &place);
    block_lines(product, &place, &pipe);
    block_multiply<PIPE, struct fold_words<SHAPE>, WRITES>(product, whole, &pipe, &fold,
                                                           acc);
    if (WRITES)
        block_write<PIPE::WARPS>(product, &place, acc);
    block_draw<PIPE::WARPS>(product, &place, &fold);
}

#endif
