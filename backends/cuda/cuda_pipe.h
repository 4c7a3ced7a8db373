/*
 * cuda_pipe.h - how lines of both operands come into shared memory ahead of their use.
 *
 * A pipe has STAGES stages at shared offset 0.  Where the processor copies by itself
 * (sm_80 and later) they are filled while older ones are multiplied; before that the next
 * stage waits in registers (cuda_pipe_waiting.h).  Both are called alike: prime, then for
 * each stage settle, begin, multiply the stage `used`, end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PIPE_H
#define MINERVA_BACKENDS_CUDA_PIPE_H

#include "backends/cuda/cuda_tile.h"

/* What a thread brings, and how far it is; WARPS as in cuda_tile.h. */
template <u32 WARPS> struct pipe {
    enum {
        STEP = 16 * WARPS,           /* lines between a thread's chunks */
        ROWS = TILE_LINES / STEP,    /* of them in a stage */
        COLUMNS = 64 * WARPS / STEP, /* likewise */
        STAGE = TILE_HALF + 64 * WARPS * TILE_DEPTH,
    };
    GLOBAL ci8 *a, *b; /* the next stage's columns, at the thread's chunk */
    u32 stride;
    u32 left;       /* stages to come of these operands */
    u32 used, fill; /* offsets of stages */
    u32 at;         /* of the thread's first chunk in a stage */
    u32 rows[ROWS], columns[COLUMNS];
    u32 waiting[ROWS + COLUMNS][4]; /* sm_75: the stage in registers */

    DEVICE_FN u32 line(u32 thread, u32 number)
    {
        return thread / 4 + number * STEP;
    }

    DEVICE_FN u32 next(u32 stage, u32 stages)
    {
        return stage == (stages - 1) * STAGE ? 0 : stage + STAGE;
    }

    DEVICE_FN GLOBAL ci8 *row(const struct pipe *pipe, u32 i)
    {
        return pipe->a + (u64)pipe->rows[i] * pipe->stride;
    }

    DEVICE_FN GLOBAL ci8 *column(const struct pipe *pipe, u32 i)
    {
        return pipe->b + (u64)pipe->columns[i] * pipe->stride;
    }

    DEVICE_FN void move(struct pipe *pipe)
    {
        pipe->a += TILE_DEPTH, pipe->b += TILE_DEPTH;
        pipe->left--;
    }
};

/* From column 0 of these operands on, for so many stages. */
template <u32 WARPS>
DEVICE_FN void pipe_aim(struct pipe<WARPS> *pipe, GLOBAL ci8 *a, GLOBAL ci8 *b,
                        u32 stride, u32 stages)
{
    const u32 chunk = thread_index() % 4 * 16;

    pipe->a = a + chunk;
    pipe->b = b + chunk;
    pipe->stride = stride;
    pipe->left = stages;
}

template <u32 WARPS> DEVICE_FN void pipe_open(struct pipe<WARPS> *pipe)
{
    pipe->used = 0;
    pipe->fill = 0;
    pipe->at = tile_chunk(thread_index() / 4, thread_index() % 4);
}

/* COUNT stages, filled by copies that run beside the threads. */
template <u32 COUNT, u32 WIDE = 2> struct pipe_async {
    enum { STAGES = COUNT, WARPS = WIDE };
    typedef struct pipe<WARPS> state;

    DEVICE_FN void begin(state *pipe)
    {
        const u32 at = pipe->fill + pipe->at;

        if (pipe->left) {
            UNROLL
            for (u32 i = 0; i < state::ROWS; i++)
                copy_async<16>(at + i * state::STEP * TILE_DEPTH, state::row(pipe, i));
            UNROLL
            for (u32 i = 0; i < state::COLUMNS; i++)
                copy_async<16>(at + TILE_HALF + i * state::STEP * TILE_DEPTH,
                               state::column(pipe, i));
            state::move(pipe);
        }
        copy_async_commit();
        pipe->fill = state::next(pipe->fill, STAGES);
    }

    DEVICE_FN void prime(state *pipe)
    {
        begin(pipe);
    }

    DEVICE_FN void settle(void)
    {
        copy_async_wait<STAGES - 2>();
        block_sync();
    }

    DEVICE_FN void end(state *pipe)
    {
        pipe->used = state::next(pipe->used, STAGES);
    }
};

#endif
