/*
 * cuda_pipe_waiting.h - a pipe for cards without asynchronous copies.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PIPE_WAITING_H
#define MINERVA_BACKENDS_CUDA_PIPE_WAITING_H

#include "backends/cuda/cuda_pipe.h"

/* Two stages; the next one waits in registers. */
struct pipe_waiting {
    enum { STAGES = TILE_STAGES_WAITING, WARPS = 2 };
    typedef struct pipe<WARPS> state;

    DEVICE_FN void begin(state *pipe)
    {
        if (!pipe->left)
            return;
        UNROLL
        for (u32 i = 0; i < state::ROWS; i++)
            load_16(pipe->waiting[i], state::row(pipe, i));
        UNROLL
        for (u32 i = 0; i < state::COLUMNS; i++)
            load_16(pipe->waiting[state::ROWS + i], state::column(pipe, i));
        state::move(pipe);
    }

    DEVICE_FN void put(state *pipe)
    {
        const u32 at = pipe->fill + pipe->at;

        UNROLL
        for (u32 i = 0; i < state::ROWS; i++)
            store_16(SHARED(u32, at + i * state::STEP * TILE_DEPTH), pipe->waiting[i]);
        UNROLL
        for (u32 i = 0; i < state::COLUMNS; i++)
            store_16(SHARED(u32, at + TILE_HALF + i * state::STEP * TILE_DEPTH),
                     pipe->waiting[state::ROWS + i]);
        pipe->fill = state::next(pipe->fill, STAGES);
    }

    DEVICE_FN void prime(state *pipe)
    {
        begin(pipe);
        put(pipe);
    }

    DEVICE_FN void settle(void)
    {
        block_sync();
    }

    DEVICE_FN void end(state *pipe)
    {
        put(pipe);
        pipe->used = state::next(pipe->used, STAGES);
    }
};

#endif
