/*
 * cuda_lowrank.c - how products with a sparse factor are launched: parts enough for two
 * blocks a processor, by cutting k where there are too few lines for that.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_matmul.h"
#include "backends/device.h"

enum { CLEAN, DENSE, PAIRS, OUT };      /* of noise_add */
enum { CLEAN_AGAIN, PAIRS_B, X };       /* of lowrank_x */
enum { K, RANK, BLOCKS_MAX = 1 << 20 }; /* of both */

/* Of the text that sums.  The kernel finds so many pieces of k by the number of blocks;
 * each adds its sums to what is there. */
static void pieces_grid(const struct cuda_traits *traits, const struct launch *sums,
                        struct cuda_grid *out)
{
    const uint32_t k = sums->scalars[K].u32, rank = sums->scalars[RANK].u32;
    const uint64_t lines = sums->last - sums->first;
    const uint64_t tiles =
        (lines + TILE_LINES - 1) / TILE_LINES * ((rank + TILE_LINES - 1) / TILE_LINES);
    const uint64_t wanted = tiles ? 2 * (uint64_t)traits->processors / tiles : 0;
    const uint64_t most = k / TILE_DEPTH / LOWRANK_PIECE;
    const uint64_t pieces = wanted < most ? wanted : most;

    *out = (struct cuda_grid){.parts = tiles * (pieces ? pieces : 1),
                              .blocks_max = BLOCKS_MAX,
                              .threads = TILE_THREADS,
                              .shared = LOWRANK_SHARED};
    if (pieces > 1) {
        out->cleared_at = sums->first * rank * sizeof(int32_t);
        out->cleared_bytes = lines * rank * sizeof(int32_t);
    }
}

/* Where there are too few parts for the card, warps are done sooner. */
static bool tiles_grid(const struct cuda_traits *traits, const struct launch *launch,
                       struct cuda_grid *out)
{
    pieces_grid(traits, launch, out);
    return out->shared <= traits->shared_max &&
           launch->scalars[K].u32 % TILE_DEPTH == 0 &&
           2 * out->parts >= traits->processors;
}

bool lowrank_tiles_x_grid(const struct cuda_traits *traits, const struct launch *launch,
                          struct cuda_grid *out)
{
    return tiles_grid(traits, launch, out);
}

bool lowrank_tiles_y_grid(const struct cuda_traits *traits, const struct launch *launch,
                          struct cuda_grid *out)
{
    return tiles_grid(traits, launch, out);
}

/* Whether both are of the same lines, and what they have lies where it can be read. */
static bool texts_follow(const struct launch *noise, const struct launch *sums)
{
    return noise->first == sums->first && noise->last == sums->last &&
           noise->scalars[K].u32 == sums->scalars[K].u32 &&
           noise->scalars[RANK].u32 == sums->scalars[RANK].u32 &&
           view_is_same(noise->views[CLEAN], sums->views[CLEAN_AGAIN]) &&
           !view_is_same(noise->views[CLEAN], noise->views[OUT]) &&
           (noise->views[CLEAN].offset | noise->views[PAIRS].offset |
            noise->views[OUT].offset) %
                   16 ==
               0 &&
           (noise->views[DENSE].offset | sums->views[PAIRS_B].offset |
            sums->views[X].offset) %
                   4 ==
               0;
}

bool noise_x_grid(const struct cuda_traits *traits, const struct launch *first,
                  const struct launch *second, struct cuda_grid *out)
{
    const uint32_t k = first->scalars[K].u32, rank = first->scalars[RANK].u32;
    const uint64_t shared = LOWRANK_SHARED + (uint64_t)rank * NOISE_X_PITCH;

    pieces_grid(traits, second, out);
    out->shared = (uint32_t)shared;
    return texts_follow(first, second) && out->parts && k && k % TILE_DEPTH == 0 &&
           rank % 32 == 0 && shared <= traits->shared_max;
}
