/*
 * cuda_lowrank_part.h - one part of a product with a sparse factor, and what may be done
 * beside it to the lines while they are in shared memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_LOWRANK_PART_H
#define MINERVA_BACKENDS_CUDA_LOWRANK_PART_H

#include "backends/cuda/cuda_lowrank.h"

/* What happens beside: nothing.  Others have these functions too; what `open` puts into
 * shared memory behind the stages may be read from `begin` on, and in `end` the stage at
 * `used` still holds the lines. */
struct lowrank_alone {
    DEVICE_FN void open(struct lowrank_alone *, const struct lowrank_block *)
    {
    }

    DEVICE_FN void begin(struct lowrank_alone *)
    {
    }

    DEVICE_FN void end(struct lowrank_alone *, u32)
    {
    }
};

/* From which line, sum and stage on the part is. */
DEVICE_FN void lowrank_aim(const struct lowrank_ask *ask, u64 part,
                           struct lowrank_block *block)
{
    const u64 deep = part / lowrank_wide(ask);
    const u32 begin = (u32)(deep % lowrank_deep(ask)) * ask->depth;

    block->line = ask->first + deep / lowrank_deep(ask) * TILE_LINES;
    block->lines = ask->last - block->line < TILE_LINES ? (u32)(ask->last - block->line)
                                                        : (u32)TILE_LINES;
    block->column = (u32)(part % lowrank_wide(ask)) * TILE_LINES;
    block->stage = begin / TILE_DEPTH;
    block->end = (ask->k - begin < ask->depth ? ask->k : begin + ask->depth) / TILE_DEPTH;
    block->in = ask->in + block->line * ask->k + begin + thread_index() % 4 * 16;
}

DEVICE_FN void lowrank_open(const struct lowrank_ask *ask, struct lowrank_block *block)
{
    const u32 zeros[4] = {0, 0, 0, 0};

    UNROLL
    for (u32 i = 0; i < LOWRANK_CHUNKS; i++) {
        const u32 line = thread_index() / 4 + i * LOWRANK_STEP;

        block->rows[i] = line < block->lines ? line : block->lines - 1;
    }
    block->fill = 0;
    block->next = thread_index() < TILE_DEPTH ? lowrank_pair(ask, block->stage) : 0;
    UNROLL
    for (u32 i = 0; i < LOWRANK_STAGES; i++)
        block->ones[i] = 0;
    for (u32 at = 16 * thread_index(); at < TILE_HALF; at += 16 * TILE_THREADS) {
        UNROLL
        for (u32 i = 0; i < LOWRANK_STAGES; i++)
            store_16(SHARED(u8, i * TILE_STAGE + TILE_HALF + at), zeros);
    }
}

template <typename BESIDE>
DEVICE_FN void lowrank_multiply(const struct lowrank_ask *ask,
                                struct lowrank_block *block, BESIDE *beside,
                                tile_sums acc)
{
    struct tile_reader reader;
    u32 used = 0;

    tile_reader_make(thread_index(), &reader);
    tile_clear(acc);
    block_sync();
    lowrank_bring(ask, block);
    lowrank_bring(ask, block);
    for (u32 stage = block->stage - 2; stage < block->end; stage++) {
        copy_async_wait<1>();
        block_sync();
        lowrank_bring(ask, block);
        BESIDE::begin(beside);
        UNROLL
        for (u32 step = 0; step < TILE_STEPS; step++)
            tile_step(&reader, used, step, acc);
        BESIDE::end(beside, used);
        used = lowrank_after(used);
    }
    copy_async_wait<0>();
    block_sync();
}

/* Parts add to what others did. */
DEVICE_FN void lowrank_leave(const struct lowrank_ask *ask, GLOBAL i32 *to,
                             const i32 sums[2])
{
    UNROLL
    for (u32 i = 0; i < 2; i++) {
        if (ask->depth < ask->k)
            (void)atomic_add((u32 *)to + i, (u32)sums[i]);
        else
            to[i] = sums[i];
    }
}

DEVICE_FN void lowrank_write(const struct lowrank_ask *ask,
                             const struct lowrank_block *block, const tile_sums acc)
{
    const u64 line = block->line + tile_thread_row(thread_index());
    const u32 column = block->column + tile_thread_column(thread_index());

    UNROLL
    for (u32 i = 0; i < 2 * TILE_FRAGMENTS_M; i++) {
        UNROLL
        for (u32 j = 0; j < TILE_FRAGMENTS_N; j++)
            if (line + 8 * i < ask->last && column + 8 * j < ask->rank)
                lowrank_leave(ask, ask->out + (line + 8 * i) * ask->rank + column + 8 * j,
                              acc[i / 2][j] + i % 2 * 2);
    }
}

/* The block's share of all parts. */
template <typename BESIDE>
DEVICE_FN void lowrank_run(const struct lowrank_ask *ask, BESIDE *beside)
{
    const u64 parts = lowrank_parts(ask);

    for (u64 part = block_index(); part < parts; part += block_count()) {
        struct lowrank_block block;
        tile_sums acc;

        lowrank_aim(ask, part, &block);
        lowrank_open(ask, &block);
        BESIDE::open(beside, &block);
        lowrank_multiply(ask, &block, beside, acc);
        lowrank_write(ask, &block, acc);
    }
}

#endif
