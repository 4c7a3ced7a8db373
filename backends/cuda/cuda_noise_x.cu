/*
 * cuda_noise_x.cu - noise_add.cl and lowrank_x.cl in one pass over a: while a stage of
 * its lines is in shared memory, it is multiplied, and leaves with the noise on top.
 *
 * The dense noise of a block's lines lies in shared memory too, a column of it after the
 * other: a word is four lines' values, which a thread needs for the same column.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_lowrank_part.h"

enum { LINES = LOWRANK_CHUNKS, TOP = 0x80808080, REST = 0x7f7f7f7f };

/* Four sums, and differences, of bytes. */
DEVICE_FN u32 bytes_add(u32 a, u32 b)
{
    return ((a & REST) + (b & REST)) ^ ((a ^ b) & TOP);
}

DEVICE_FN u32 bytes_subtract(u32 a, u32 b)
{
    return ((a | TOP) - (b & REST)) ^ (~(a ^ b) & TOP);
}

/* Byte i of word j becomes byte j of word i. */
DEVICE_FN void bytes_turn(u32 words[4])
{
    const u32 low[2] = {prmt(words[0], words[1], 0x5140),
                        prmt(words[2], words[3], 0x5140)};
    const u32 high[2] = {prmt(words[0], words[1], 0x7362),
                         prmt(words[2], words[3], 0x7362)};

    words[0] = prmt(low[0], low[1], 0x5410);
    words[1] = prmt(low[0], low[1], 0x7632);
    words[2] = prmt(high[0], high[1], 0x5410);
    words[3] = prmt(high[0], high[1], 0x7632);
}

/* What is done beside: a thread's chunks of a stage are those it brought. */
struct noise_beside {
    GLOBAL ci8 *dense;
    GLOBAL cu16 *pairs;
    GLOBAL i8 *out;
    u32 k, rank;
    u32 lines;         /* to write: of all blocks that read a line one does */
    GLOBAL cu16 *next; /* pairs of the thread's columns in the stage to come */
    GLOBAL i8 *to;     /* where its first chunk goes */
    u32 waiting[4][4]; /* those pairs */

    /* Where the noise of the thread's lines lies. */
    DEVICE_FN u32 *table(u32 column, u32 line)
    {
        return SHARED(u32, LOWRANK_SHARED + column * NOISE_X_PITCH + 4 * line);
    }

    /* Four columns of four lines; neighbours' stores meet in no bank. */
    DEVICE_FN void load(const struct noise_beside *noise, GLOBAL ci8 *dense, u32 column,
                        u32 line)
    {
        u32 words[LINES];

        UNROLL
        for (u32 i = 0; i < LINES; i++) {
            const u32 from = line + i * LOWRANK_STEP < noise->lines
                                 ? line + i * LOWRANK_STEP
                                 : noise->lines - 1;

            words[i] = *(const u32 *)(dense + (u64)from * noise->rank + column);
        }
        bytes_turn(words);
        UNROLL
        for (u32 i = 0; i < LINES; i++)
            *table(column + i, line) = words[i];
    }

    DEVICE_FN void open(struct noise_beside *noise, const struct lowrank_block *block)
    {
        const u32 column = block->stage * TILE_DEPTH + thread_index() % 4 * 16;
        const u64 line = block->line + thread_index() / 4;

        noise->lines = block->column ? 0 : block->lines;
        noise->next = noise->pairs + 2 * column;
        noise->to = noise->out + line * noise->k + column;
        if (!noise->lines)
            return;
        for (u32 i = thread_index(); i < noise->rank / 4 * LOWRANK_STEP;
             i += TILE_THREADS)
            load(noise, noise->dense + block->line * noise->rank,
                 (i / 256 * 8 + i % 8) * 4, i / 8 % LOWRANK_STEP);
    }

    DEVICE_FN void begin(struct noise_beside *noise)
    {
        if (!noise->lines)
            return;
        UNROLL
        for (u32 i = 0; i < 4; i++)
            load_16(noise->waiting[i], noise->next + 8 * i);
        noise->next += 2 * TILE_DEPTH;
    }

    /* Of four columns, to word `at` of each line. */
    DEVICE_FN void add(const u32 pairs[4], u32 words[LINES][4], u32 at)
    {
        u32 sums[4];

        UNROLL
        for (u32 i = 0; i < 4; i++)
            sums[i] = bytes_subtract(*table(pairs[i] & 0xffff, thread_index() / 4),
                                     *table(pairs[i] >> 16, thread_index() / 4));
        bytes_turn(sums);
        UNROLL
        for (u32 i = 0; i < LINES; i++)
            words[i][at] = bytes_add(words[i][at], sums[i]);
    }

    DEVICE_FN void end(struct noise_beside *noise, u32 used)
    {
        const u32 line = thread_index() / 4;
        const u32 at = used + tile_chunk(line, thread_index() % 4);
        u32 words[LINES][4];

        if (!noise->lines)
            return;
        UNROLL
        for (u32 i = 0; i < LINES; i++)
            load_16(words[i], SHARED(u8, at + i * LOWRANK_STEP * TILE_DEPTH));
        UNROLL
        for (u32 i = 0; i < 4; i++)
            add(noise->waiting[i], words, i);
        UNROLL
        for (u32 i = 0; i < LINES; i++)
            if (line + i * LOWRANK_STEP < noise->lines)
                store_16(noise->to + (u64)(i * LOWRANK_STEP) * noise->k, words[i]);
        noise->to += TILE_DEPTH;
    }
};

/* The first one's scalars are the second one's.  Rank is a multiple of 32, k of
 * TILE_DEPTH; clean, pairs and out begin on 16 bytes, dense on 4, and out is not clean.
 * More blocks than tiles cut k into pieces.  Shared: LOWRANK_SHARED + rank *
 * NOISE_X_PITCH. */
KERNEL(noise_x, TILE_THREADS, 2, u64, u64, GLOBAL ci8 *, GLOBAL ci8 *dense,
       GLOBAL cu16 *pairs, GLOBAL i8 *out, u32, u32, u64 first, u64 last, GLOBAL ci8 *a,
       GLOBAL cu16 *pairs_b, GLOBAL i32 *x, u32 k, u32 rank)
{
    struct lowrank_ask ask = {a, pairs_b, x, first, last, k, rank, k};
    struct noise_beside noise;

    ask.depth = lowrank_depth(&ask, block_count());
    noise.dense = dense;
    noise.pairs = pairs;
    noise.out = out;
    noise.k = k;
    noise.rank = rank;
    lowrank_run(&ask, &noise);
}
