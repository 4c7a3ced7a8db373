/*
 * cuda_lowrank.h - lowrank.cl as a product of tiles: the sparse factor is laid out stage
 * by stage in shared memory, a column a position, and multiplied like any operand.
 *
 * A position's bytes are one thread's: it takes away the ones that it put there three
 * stages before, and puts the new ones a turn before they are multiplied, so that one
 * barrier a turn orders all of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_LOWRANK_H
#define MINERVA_BACKENDS_CUDA_LOWRANK_H

#include "backends/cuda/cuda_tile.h"

/* Sums of [first, last) lines of k bytes, a multiple of TILE_DEPTH; `in` begins on 16
 * bytes, pairs on 4.  A part is `depth` columns of k of 128 lines by 128 sums. */
struct lowrank_ask {
    GLOBAL ci8 *in;
    GLOBAL cu16 *pairs;
    GLOBAL i32 *out; /* where depth < k, zeros that parts add to */
    u64 first, last;
    u32 k, rank, depth;
};

/* One block's part, and how far it is. */
struct lowrank_block {
    u64 line;
    u32 lines; /* that there are */
    u32 column;
    u32 stage, end;           /* whose columns come next, and behind the last one */
    GLOBAL ci8 *in;           /* the thread's chunk of them in the first line */
    u32 rows[LOWRANK_CHUNKS]; /* the lines the thread brings */
    u32 fill;                 /* where they go */
    u32 next;                 /* the pair of the thread's position among them */
    u32 ones[LOWRANK_STAGES]; /* pairs that are laid out, the oldest first */
};

DEVICE_FN u32 lowrank_wide(const struct lowrank_ask *ask)
{
    return (ask->rank + TILE_LINES - 1) / TILE_LINES;
}

DEVICE_FN u32 lowrank_deep(const struct lowrank_ask *ask)
{
    return (ask->k + ask->depth - 1) / ask->depth;
}

DEVICE_FN u64 lowrank_parts(const struct lowrank_ask *ask)
{
    return (ask->last - ask->first + TILE_LINES - 1) / TILE_LINES * lowrank_wide(ask) *
           lowrank_deep(ask);
}

/* The least depth with which so many blocks have a part each. */
DEVICE_FN u32 lowrank_depth(const struct lowrank_ask *ask, u32 blocks)
{
    const u64 tiles =
        (ask->last - ask->first + TILE_LINES - 1) / TILE_LINES * lowrank_wide(ask);
    const u32 pieces = blocks < tiles ? 1 : (u32)(blocks / tiles);

    return (ask->k / TILE_DEPTH + pieces - 1) / pieces * TILE_DEPTH;
}

DEVICE_FN u32 lowrank_after(u32 stage)
{
    return stage == (LOWRANK_STAGES - 1) * TILE_STAGE ? 0 : stage + TILE_STAGE;
}

DEVICE_FN u32 lowrank_pair(const struct lowrank_ask *ask, u32 stage)
{
    return *(const u32 *)(ask->pairs + 2 * (stage * TILE_DEPTH + thread_index()));
}

DEVICE_FN void lowrank_put_one(const struct lowrank_block *block, u32 factor, i8 value)
{
    const u32 line = factor - block->column, at = thread_index();

    if (line < TILE_LINES)
        *SHARED(i8, block->fill + TILE_HALF + tile_chunk(line, at / 16) + at % 16) =
            value;
}

/* A position that adds what it takes away does nothing. */
DEVICE_FN void lowrank_put(const struct lowrank_block *block, u32 pair, i8 value)
{
    if ((pair & 0xffff) == pair >> 16)
        return;
    lowrank_put_one(block, pair & 0xffff, value);
    lowrank_put_one(block, pair >> 16, (i8)-value);
}

DEVICE_FN void lowrank_turn(const struct lowrank_ask *ask, struct lowrank_block *block)
{
    lowrank_put(block, block->ones[0], 0);
    lowrank_put(block, block->next, 1);
    UNROLL
    for (u32 i = 1; i < LOWRANK_STAGES; i++)
        block->ones[i - 1] = block->ones[i];
    block->ones[LOWRANK_STAGES - 1] = block->next;
    if (block->stage + 1 < block->end)
        block->next = lowrank_pair(ask, block->stage + 1);
}

/* The next stage's lines and ones, behind which a group of copies ends; nothing where k
 * is over. */
DEVICE_FN void lowrank_bring(const struct lowrank_ask *ask, struct lowrank_block *block)
{
    const u32 at = block->fill + tile_chunk(thread_index() / 4, thread_index() % 4);

    if (block->stage < block->end) {
        UNROLL
        for (u32 i = 0; i < LOWRANK_CHUNKS; i++)
            copy_async<16>(at + i * LOWRANK_STEP * TILE_DEPTH,
                           block->in + (u64)block->rows[i] * ask->k);
        if (thread_index() < TILE_DEPTH)
            lowrank_turn(ask, block);
    }
    copy_async_commit();
    block->in += TILE_DEPTH;
    block->fill = lowrank_after(block->fill);
    block->stage++;
}

#endif
