/*
 * cuda_pipe.h - how lines of both operands come into shared memory ahead of their use.
 *
 * A pipe has STAGES stages of TILE_STAGE bytes at shared offset 0.  Where the processor
 * copies by itself (sm_80 and later) they are filled while older ones are multiplied;
 * before that the next stage waits in registers.  Both are called alike: prime, then for
 * each stage settle, begin, multiply the stage `used`, end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PIPE_H
#define MINERVA_BACKENDS_CUDA_PIPE_H

#include "backends/cuda/cuda_tile.h"

enum {
    PIPE_LINES = TILE_LINES * TILE_DEPTH / 16 / TILE_THREADS, /* a thread's, of each */
    PIPE_STEP = TILE_LINES / PIPE_LINES,                      /* lines between them */
};

/* What a thread brings, and how far it is. */
struct pipe {
    GLOBAL ci8 *a, *b; /* the next stage's columns, at the thread's chunk */
    u32 stride;
    u32 left;       /* stages to come of these operands */
    u32 used, fill; /* offsets of stages */
    u32 at;         /* of the thread's first chunk in a stage */
    u32 rows[PIPE_LINES], columns[PIPE_LINES];
    u32 waiting[2 * PIPE_LINES][4]; /* sm_75: the stage in registers */
};

DEVICE_FN u32 pipe_line(u32 thread, u32 number)
{
    return thread / 4 + number * PIPE_STEP;
}

/* From column 0 of these operands on, for so many stages. */
DEVICE_FN void pipe_aim(struct pipe *pipe, GLOBAL ci8 *a, GLOBAL ci8 *b, u32 stride,
                        u32 stages)
{
    const u32 chunk = thread_index() % 4 * 16;

    pipe->a = a + chunk;
    pipe->b = b + chunk;
    pipe->stride = stride;
    pipe->left = stages;
}

DEVICE_FN void pipe_open(struct pipe *pipe)
{
    pipe->used = 0;
    pipe->fill = 0;
    pipe->at = tile_chunk(thread_index() / 4, thread_index() % 4);
}

DEVICE_FN void pipe_move(struct pipe *pipe)
{
    pipe->a += TILE_DEPTH, pipe->b += TILE_DEPTH;
    pipe->left--;
}

template <u32 STAGES> DEVICE_FN u32 pipe_next(u32 stage)
{
    return stage == (STAGES - 1) * TILE_STAGE ? 0 : stage + TILE_STAGE;
}

template <u32 COUNT> struct pipe_async {
    enum { STAGES = COUNT };

    DEVICE_FN void begin(struct pipe *pipe)
    {
        if (pipe->left) {
            UNROLL
            for (u32 i = 0; i < PIPE_LINES; i++) {
                const u32 at = pipe->fill + pipe->at + i * PIPE_STEP * TILE_DEPTH;

                copy_async<16>(at, pipe->a + (u64)pipe->rows[i] * pipe->stride);
                copy_async<16>(at + TILE_HALF,
                               pipe->b + (u64)pipe->columns[i] * pipe->stride);
            }
            pipe_move(pipe);
        }
        copy_async_commit();
        pipe->fill = pipe_next<STAGES>(pipe->fill);
    }

    DEVICE_FN void prime(struct pipe *pipe)
    {
        begin(pipe);
    }

    DEVICE_FN void settle(void)
    {
        copy_async_wait<STAGES - 2>();
        block_sync();
    }

    DEVICE_FN void end(struct pipe *pipe)
    {
        pipe->used = pipe_next<STAGES>(pipe->used);
    }
};

struct pipe_waiting {
    enum { STAGES = TILE_STAGES_WAITING };

    DEVICE_FN void begin(struct pipe *pipe)
    {
        if (!pipe->left)
            return;
        UNROLL
        for (u32 i = 0; i < PIPE_LINES; i++) {
            load_16(pipe->waiting[2 * i], pipe->a + (u64)pipe->rows[i] * pipe->stride);
            load_16(pipe->waiting[2 * i + 1],
                    pipe->b + (u64)pipe->columns[i] * pipe->stride);
        }
        pipe_move(pipe);
    }

    DEVICE_FN void put(struct pipe *pipe)
    {
        UNROLL
        for (u32 i = 0; i < PIPE_LINES; i++) {
            const u32 at = pipe->fill + pipe->at + i * PIPE_STEP * TILE_DEPTH;

            store_16(SHARED(u32, at), pipe->waiting[2 * i]);
            store_16(SHARED(u32, at + TILE_HALF), pipe->waiting[2 * i + 1]);
        }
        pipe->fill = pipe_next<STAGES>(pipe->fill);
    }

    DEVICE_FN void prime(struct pipe *pipe)
    {
        begin(pipe);
        put(pipe);
    }

    DEVICE_FN void settle(void)
    {
        block_sync();
    }

    DEVICE_FN void end(struct pipe *pipe)
    {
        put(pipe);
        pipe->used = pipe_next<STAGES>(pipe->used);
    }
};

#endif
