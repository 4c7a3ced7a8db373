/*
 * cuda_matmul_plain.c - the plain composition of the texts: slow, always there, and what
 * every other way must equal.
 *
 * Parts are tiles, then rows of c.  Words and tickets of so many tiles at a time pass
 * through scratch.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"
#include "backends/near_tile.h"

enum {
    TILES_AT_ONCE = 1 << 16,
    WORDS_SIZE = 64,
    TICKET_SIZE = 32,
    TILE_MIN = 32,
};

static bool plain_suits(const struct cuda_traits *traits, const struct cuda_ask *ask)
{
    (void)traits;
    (void)ask;
    return true;
}

static uint64_t tiles(const struct cuda_product *product)
{
    return (uint64_t)product->tile_rows * product->tile_columns;
}

static void plain_grid(const struct cuda_traits *traits, enum cuda_mode mode,
                       const struct cuda_product *product, struct cuda_grid *out)
{
    (void)traits;
    *out = (struct cuda_grid){.parts = (mode == CUDA_CLEAN ? 0 : tiles(product)) +
                                       (mode == CUDA_MINED ? 0 : product->m)};
}

/* Tiles have 32 places at least. */
static uint64_t plain_scratch(uint32_t m, uint32_t n, uint32_t k, uint32_t rank)
{
    const uint64_t most = (uint64_t)m * n / TILE_MIN + 1;

    (void)k;
    return rank ? (most < TILES_AT_ONCE ? most : TILES_AT_ONCE) *
                      (WORDS_SIZE + TICKET_SIZE)
                : 0;
}

/* Words first, tickets behind them. */
static uint64_t tickets_at(const struct cuda_product *product)
{
    const uint64_t all = tiles(product);

    return (all < TILES_AT_ONCE ? all : TILES_AT_ONCE) * WORDS_SIZE;
}

static uint64_t address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* Words, tickets and hits of the tiles [first, last), at most TILES_AT_ONCE. */
static enum status tiles_run(struct device *device, struct cuda_product *p,
                             uint64_t first, uint64_t last)
{
    enum { THREADS = 128 };
    const uint64_t words = address(p->scratch) - first * WORDS_SIZE;
    uint64_t tickets = address(p->scratch) + tickets_at(p);
    void *arguments[] = {&first, &last, p, &tickets};
    const struct cuda_grid grid = {.parts = (last - first + THREADS - 1) / THREADS,
                                   .threads = THREADS};
    enum status status =
        cuda_text(device, KERNEL_ticket_fold, (const uint64_t[]){first, last},
                  (const uint64_t[]){address(p->a), address(p->b), address(p->rows),
                                     address(p->columns), words},
                  (const union scalar[]){{.u32 = p->h},
                                         {.u32 = p->w},
                                         {.u32 = p->k},
                                         {.u32 = p->rank},
                                         {.u32 = p->tile_columns}},
                  device->work);

    if (!status)
        status = cuda_text(device, KERNEL_ticket_hash, (const uint64_t[]){first, last},
                           (const uint64_t[]){words, address(p->seed_bytes),
                                              tickets - first * TICKET_SIZE},
                           NULL, device->work);
    if (!status)
        status = cuda_launch(device, device->support[CUDA_HITS_TAKE], &grid, arguments,
                             device->work);
    return status;
}

/* The rows [first, last) of c. */
static enum status rows_run(struct device *device, enum cuda_mode mode,
                            const struct cuda_product *p, const uint64_t range[2])
{
    enum status status = cuda_text(
        device, KERNEL_matmul_i8, range,
        (const uint64_t[]){address(p->a), address(p->b), address(p->c)},
        (const union scalar[]){{.u32 = p->n}, {.u32 = p->stride}}, device->work);

    if (!status && mode == CUDA_USEFUL)
        status = cuda_text(
            device, KERNEL_denoise, range,
            (const uint64_t[]){address(p->dense_a), address(p->dense_b), address(p->x),
                               address(p->y), address(p->c)},
            (const union scalar[]){{.u32 = p->n}, {.u32 = p->rank}}, device->work);
    return status;
}

static enum status plain_run(struct device *device, const struct cuda_run *run)
{
    struct cuda_product product = run->product;
    const uint64_t all = run->mode == CUDA_CLEAN ? 0 : tiles(&product);
    const uint64_t tile_last = product.part_last < all ? product.part_last : all;
    enum status status = STATUS_OK;

    for (uint64_t at = product.part_first; !status && at < tile_last; at += TILES_AT_ONCE)
        status =
            tiles_run(device, &product, at,
                      tile_last - at < TILES_AT_ONCE ? tile_last : at + TILES_AT_ONCE);
    if (!status && product.part_last > all)
        status = rows_run(
            device, run->mode, &product,
            (const uint64_t[]){product.part_first > all ? product.part_first - all : 0,
                               product.part_last - all});
    return status;
}

static bool plain_plan(uint32_t m, uint32_t n, uint32_t k, uint32_t work_max,
                       struct matmul_plan *out)
{
    (void)k;
    return near_tile_plan(m, n, work_max, out) == STATUS_OK;
}

const struct cuda_matmul cuda_matmul_plain = {
    .name = "plain",
    .capability_min = 0,
    .capability_max = 0,
    .entries = {NULL},
    .is_trial = false,
    .suits = plain_suits,
    .grid = plain_grid,
    .prepare = NULL,
    .prepare_grid = NULL,
    .scratch = plain_scratch,
    .run = plain_run,
    .plan = plain_plan,
};
