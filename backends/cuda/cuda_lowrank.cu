/*
 * cuda_lowrank.cu - lowrank.cl as a product: the sparse factor is laid out stage by stage
 * in shared memory, a column a position, and multiplied like any operand.
 *
 * A stage's factor is cleared one turn before its ones are put, which is one turn before
 * it is multiplied, so that one barrier a turn orders all of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_tile.h"
#include "backends/cuda/cuda_warp.h"

#include "kernels/pow/lowrank.cl"

enum { CHUNKS = TILE_HALF / 16 / TILE_THREADS };

/* One block's lines and columns of the sums, and how far it is. */
struct lowrank_block {
    GLOBAL ci8 *in;
    GLOBAL cu16 *pairs;
    u64 line, last; /* the first one, and behind the last one */
    u32 column, k;
    u32 stage; /* whose columns come next */
};

DEVICE_FN u32 lowrank_place(u32 stage)
{
    return stage % LOWRANK_STAGES * TILE_STAGE;
}

DEVICE_FN void lowrank_clear(u32 stage)
{
    const u32 zeros[4] = {0, 0, 0, 0};

    UNROLL
    for (u32 i = 0; i < CHUNKS; i++)
        store_16(SHARED(u8, lowrank_place(stage) + TILE_HALF +
                                16 * (thread_index() + i * TILE_THREADS)),
                 zeros);
}

DEVICE_FN void lowrank_put_one(const struct lowrank_block *block, u32 factor, i8 value)
{
    const u32 line = factor - block->column, at = thread_index();

    if (line < TILE_LINES)
        *SHARED(i8, lowrank_place(block->stage) + TILE_HALF + tile_chunk(line, at / 16) +
                        at % 16) = value;
}

/* A position that adds what it takes away does nothing. */
DEVICE_FN void lowrank_put(const struct lowrank_block *block, GLOBAL cu16 *pair)
{
    const u32 plus = pair[0], minus = pair[1];

    if (plus == minus)
        return;
    lowrank_put_one(block, plus, 1);
    lowrank_put_one(block, minus, -1);
}

/* The next stage's lines and ones, behind which a group of copies ends; nothing where k
 * is over. */
DEVICE_FN void lowrank_bring(struct lowrank_block *block)
{
    const u32 first = block->stage * TILE_DEPTH, chunk = thread_index() % 4;

    if (first < block->k) {
        UNROLL
        for (u32 i = 0; i < CHUNKS; i++) {
            const u32 line = thread_index() / 4 + i * (TILE_THREADS / 4);
            const u64 from =
                block->line + line < block->last ? block->line + line : block->last - 1;

            copy_async<16>(lowrank_place(block->stage) + tile_chunk(line, chunk),
                           block->in + from * block->k + first + 16 * chunk);
        }
        if (thread_index() < TILE_DEPTH)
            lowrank_put(block, block->pairs + 2 * (first + thread_index()));
    }
    copy_async_commit();
    block->stage++;
}

DEVICE_FN void lowrank_multiply(struct lowrank_block *block, tile_sums acc)
{
    struct tile_reader reader;

    tile_reader_make(thread_index(), &reader);
    tile_clear(acc);
    for (u32 stage = 0; stage < 3; stage++)
        lowrank_clear(stage);
    block_sync();
    block->stage = 0;
    lowrank_bring(block);
    lowrank_bring(block);
    for (u32 stage = 0; stage * TILE_DEPTH < block->k; stage++) {
        copy_async_wait<1>();
        block_sync();
        lowrank_bring(block);
        lowrank_clear(stage + 3);
        UNROLL
        for (u32 step = 0; step < TILE_STEPS; step++)
            tile_step(&reader, lowrank_place(stage), step, acc);
    }
    copy_async_wait<0>();
    block_sync();
}

DEVICE_FN void lowrank_write(const struct lowrank_block *block, const tile_sums acc,
                             GLOBAL i32 *out, u32 rank)
{
    const u64 line = block->line + tile_thread_row(thread_index());
    const u32 column = block->column + tile_thread_column(thread_index());

    UNROLL
    for (u32 i = 0; i < 2 * TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++) {
            const i32 *sums = acc[i / 2][j] + i % 2 * 2;
            GLOBAL i32 *to = out + (line + 8 * i) * rank + column + 8 * j;

            if (line + 8 * i < block->last && column + 8 * j < rank)
                to[0] = sums[0], to[1] = sums[1];
        }
    }
}

DEVICE_FN void lowrank_tiles_run(u64 first, u64 last, GLOBAL ci8 *in, GLOBAL cu16 *pairs,
                                 GLOBAL i32 *out, u32 k, u32 rank)
{
    const u32 wide = (rank + TILE_LINES - 1) / TILE_LINES;
    const u64 tiles = (last - first + TILE_LINES - 1) / TILE_LINES * wide;

    if ((u64)in % 16 || k % TILE_DEPTH) {
        kernel_lowrank_x(first, last, in, pairs, out, k, rank);
        return;
    }
    for (u64 tile = block_index(); tile < tiles; tile += block_count()) {
        struct lowrank_block block;
        tile_sums acc;

        block.in = in;
        block.pairs = pairs;
        block.line = first + tile / wide * TILE_LINES;
        block.last = last;
        block.column = (u32)(tile % wide) * TILE_LINES;
        block.k = k;
        lowrank_multiply(&block, acc);
        lowrank_write(&block, acc, out, rank);
    }
}

/* Shared: LOWRANK_STAGES * TILE_STAGE. */
KERNEL(lowrank_tiles_x, TILE_THREADS, 2, u64 first, u64 last, GLOBAL ci8 *a,
       GLOBAL cu16 *pairs_b, GLOBAL i32 *x, u32 k, u32 rank)
{
    lowrank_tiles_run(first, last, a, pairs_b, x, k, rank);
}

KERNEL(lowrank_tiles_y, TILE_THREADS, 2, u64 first, u64 last, GLOBAL ci8 *bt,
       GLOBAL cu16 *pairs_a, GLOBAL i32 *y, u32 k, u32 rank)
{
    lowrank_tiles_run(first, last, bt, pairs_a, y, k, rank);
}
