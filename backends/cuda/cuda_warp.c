/*
 * cuda_warp.c - how the kernels of cuda_warp_*.cu are launched in place of the
 * texts.
 *
 * Those in place of one text take any range with any number of blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_matmul.h"
#include "backends/device.h"

enum { BLOCKS_MAX = 1 << 20, LEAF = 1024, LEAVES_BLOCKS = 4 };

/* So many units a block. */
static bool blocks_grid(uint64_t units, uint32_t each, uint32_t threads,
                        struct cuda_grid *out)
{
    *out = (struct cuda_grid){
        .parts = (units + each - 1) / each, .blocks_max = BLOCKS_MAX, .threads = threads};
    return true;
}

static bool warps_grid(uint64_t units, uint32_t threads, struct cuda_grid *out)
{
    return blocks_grid(units, threads / 32, threads, out);
}

#define ROW_GRID(entry)                                                                  \
    bool entry##_grid(const struct cuda_traits *traits, const struct launch *launch,     \
                      struct cuda_grid *out)                                             \
    {                                                                                    \
        (void)traits;                                                                    \
        return warps_grid(launch->last - launch->first, ROW_THREADS, out);               \
    }
ROW_GRID(row_embed)
ROW_GRID(row_quantise7)
ROW_GRID(row_quantise14)
ROW_GRID(row_layer_norm)
ROW_GRID(row_rms_norm)
ROW_GRID(row_dequantise)
ROW_GRID(row_mean_pool)

/* A warp a head. */
bool row_bfp12_grid(const struct cuda_traits *traits, const struct launch *launch,
                    struct cuda_grid *out)
{
    (void)traits;
    return warps_grid((launch->last - launch->first) * launch->scalars[0].u32,
                      ROW_THREADS, out);
}

bool attention_warps_grid(const struct cuda_traits *traits, const struct launch *launch,
                          struct cuda_grid *out)
{
    (void)traits;
    warps_grid(launch->last - launch->first, ATTENTION_THREADS, out);
    out->shared = ATTENTION_SHARED;
    return true;
}

#define HASH_GRID(entry)                                                                 \
    bool entry##_grid(const struct cuda_traits *traits, const struct launch *launch,     \
                      struct cuda_grid *out)                                             \
    {                                                                                    \
        (void)traits;                                                                    \
        return blocks_grid(launch->last - launch->first, HASH_THREADS, HASH_THREADS,     \
                           out);                                                         \
    }
HASH_GRID(hash_chunks)
HASH_GRID(hash_parents)

/* Whether the chunks are all of what is quantised, and all of it lies on 16 bytes. */
static bool leaves_follow(const struct launch *first, const struct launch *second,
                          uint64_t size)
{
    const struct view from = first->views[1], to = second->views[0];

    return !first->first && !second->first && second->last == (size + LEAF - 1) / LEAF &&
           second->scalars[0].u64 == size && view_is_same(from, to) &&
           from.offset % 16 == 0 && first->views[0].offset % 16 == 0 &&
           second->views[2].offset % 16 == 0;
}

/* Chunks of several limbs may begin between rows: there is room for one more of each but
 * the first.  Few rows are spread over the card, many fill a block's hashing warp. `each`
 * times the fewest rows go to a block; the kernel finds that, or less, by the number of
 * blocks. */
static bool leaves_grid(const struct cuda_traits *traits, const struct launch *first,
                        const struct launch *second, uint32_t limbs,
                        struct cuda_grid *out)
{
    const uint32_t k_padded = first->scalars[1].u32, unit = LEAVES_ROWS(k_padded);
    const uint64_t units = (first->last + unit - 1) / unit;
    const uint64_t chunks = limbs * ((uint64_t)unit * k_padded / LEAF);
    uint64_t each = units / (LEAVES_BLOCKS * (uint64_t)traits->processors);

    if (first->scalars[0].u32 % 4 || k_padded % 16 || chunks > LEAVES_CHUNKS ||
        !leaves_follow(first, second, limbs * first->last * k_padded))
        return false;
    each = each < LEAVES_CHUNKS / chunks ? each : LEAVES_CHUNKS / chunks;
    each = each ? each : 1;
    *out = (struct cuda_grid){
        .parts = (units + each - 1) / each,
        .threads = LEAVES_THREADS,
        .shared = (uint32_t)((each * chunks + limbs - 1) * LEAVES_STRIDE)};
    return true;
}

bool leaves_quantise7_grid(const struct cuda_traits *traits, const struct launch *first,
                           const struct launch *second, struct cuda_grid *out)
{
    return leaves_grid(traits, first, second, 1, out);
}

bool leaves_quantise14_grid(const struct cuda_traits *traits, const struct launch *first,
                            const struct launch *second, struct cuda_grid *out)
{
    return first->last == first->scalars[2].u32 &&
           leaves_grid(traits, first, second, 2, out);
}

bool noise_rows_grid(const struct cuda_traits *traits, const struct launch *launch,
                     struct cuda_grid *out)
{
    (void)traits;
    blocks_grid(launch->last - launch->first, NOISE_ROWS, NOISE_THREADS, out);
    out->shared = NOISE_ROWS * launch->scalars[1].u32;
    return launch->scalars[1].u32 <= 1024;
}

static bool lowrank_grid(const struct launch *launch, struct cuda_grid *out)
{
    warps_grid(launch->last - launch->first, LOWRANK_THREADS, out);
    out->shared = LOWRANK_THREADS / 32 * 4 * launch->scalars[1].u32;
    return launch->scalars[1].u32 <= 1024;
}

bool lowrank_warps_x_grid(const struct cuda_traits *traits, const struct launch *launch,
                          struct cuda_grid *out)
{
    (void)traits;
    return lowrank_grid(launch, out);
}

bool lowrank_warps_y_grid(const struct cuda_traits *traits, const struct launch *launch,
                          struct cuda_grid *out)
{
    (void)traits;
    return lowrank_grid(launch, out);
}
