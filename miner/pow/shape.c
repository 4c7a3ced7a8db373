/*
 * shape.c - which products can carry a proof (pow.md section 1), and what one is worth.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/shape.h"

#include <inttypes.h>

#include "miner/pow/scheme.h"
#include "miner/work/proof.h"

enum {
    K_MIN = 1024,
    K_MAX = 65536,
    K_STEP = 64,
    ROWS_MAX = 1 << 24,
    OPENED_MAX = 1 << 22, /* opened values of both sides that enter a ticket */
    RANK_BASE = 128,      /* above it a larger rank earns nothing */
};

static enum status rank_check(uint64_t rank, uint32_t min_rank, struct error *err)
{
    if (rank < RANK_MIN || rank > RANK_MAX || (rank & (rank - 1)))
        return error_set(err, STATUS_BAD_PROOF,
                         "rank is %" PRIu64 ", expected a power of two from 32 to 1024",
                         rank);
    if (rank < min_rank)
        return error_set(err, STATUS_BAD_PROOF,
                         "rank is %" PRIu64 ", expected at least %u", rank, min_rank);
    return STATUS_OK;
}

static enum status k_check(uint64_t k, uint64_t rank, struct error *err)
{
    if (k % K_STEP || k < K_MIN || k > K_MAX)
        return error_set(err, STATUS_BAD_PROOF,
                         "k is %" PRIu64 ", expected a multiple of 64 from 1024 to 65536",
                         k);
    if (k < 16 * rank || k > 4 * rank * rank)
        return error_set(err, STATUS_BAD_PROOF,
                         "k is %" PRIu64 ", expected %" PRIu64 " to %" PRIu64
                         " for rank %" PRIu64,
                         k, 16 * rank, 4 * rank * rank, rank);
    return STATUS_OK;
}

static enum status tile_check(const struct pow_shape *shape, struct error *err)
{
    const uint64_t h = shape->h, w = shape->w;

    if (!h || !w || h % 2 || w % 2 || h > TILE_WORK_MAX || w > TILE_WORK_MAX)
        return error_set(err, STATUS_BAD_PROOF,
                         "the tile is %" PRIu64 " x %" PRIu64
                         ", expected even sides of 2 to 128",
                         h, w);
    if (h * w < TILE_WORK_MIN || h * w > TILE_WORK_MAX)
        return error_set(
            err, STATUS_BAD_PROOF,
            "the tile is %" PRIu64 " x %" PRIu64 ", expected 32 to 256 elements", h, w);
    if ((h + w) * (shape->k - shape->k % shape->rank) > OPENED_MAX)
        return error_set(err, STATUS_BAD_PROOF,
                         "the tile opens %" PRIu64 " rows of k %" PRIu64
                         ", expected at most 2^22 values",
                         h + w, shape->k);
    return STATUS_OK;
}

enum status pow_shape_check(const struct pow_shape *shape, uint32_t min_rank,
                            struct error *err)
{
    enum status status = rank_check(shape->rank, min_rank, err);

    if (!status)
        status = k_check(shape->k, shape->rank, err);
    if (!status && (!shape->m || shape->m > ROWS_MAX))
        status = error_set(err, STATUS_BAD_PROOF, "m is %" PRIu64 ", expected 1 to 2^24",
                           shape->m);
    if (!status && (!shape->n || shape->n > ROWS_MAX))
        status = error_set(err, STATUS_BAD_PROOF, "n is %" PRIu64 ", expected 1 to 2^24",
                           shape->n);
    return status ? status : tile_check(shape, err);
}

/* Of one side: lines of k bytes are opened out of `rows`. */
static uint64_t opening_size_max(uint64_t lines, uint64_t rows, uint64_t k)
{
    /* A line that begins inside a chunk ends inside another one. */
    const uint64_t chunks =
        lines * (k % CHUNK_SIZE ? k / CHUNK_SIZE + 2 : k / CHUNK_SIZE);
    uint64_t levels = 0;

    for (uint64_t width = (rows * k + CHUNK_SIZE - 1) / CHUNK_SIZE; width > 1;
         width = (width + 1) / 2)
        levels++;
    /* A chunk, its length and its index; a line's number; at most two siblings a line and
     * level, to its left and to its right; four counts, and the root. */
    return chunks * (CHUNK_SIZE + 16) + lines * 8 + 2 * lines * levels * DIGEST_SIZE +
           5 * 8 + DIGEST_SIZE;
}

uint64_t pow_proof_size_max(const struct pow_shape *shape)
{
    return 4 * 8 + opening_size_max(shape->h, shape->m, shape->k) +
           opening_size_max(shape->w, shape->n, shape->k) + 1;
}

uint32_t pow_rank(uint64_t k, uint32_t min_rank)
{
    if (k % K_STEP || k < K_MIN || k > K_MAX)
        return 0;
    for (uint32_t rank = RANK_MIN; rank <= RANK_MAX; rank *= 2) {
        if (rank >= min_rank && k >= 16 * (uint64_t)rank &&
            k <= 4 * (uint64_t)rank * rank)
            return rank;
    }
    return 0;
}

uint64_t pow_work_factor(uint64_t h, uint64_t w, uint64_t k, uint64_t rank)
{
    return h * w * (k / rank) * (rank < RANK_BASE ? rank : RANK_BASE);
}
