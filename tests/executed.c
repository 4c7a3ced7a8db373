/*
 * executed.c - a product's operands in the executor's memory, and kernels launched on
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/executor/executor.h"

/* The smallest of each family; with one processor a block takes several tiles. */
static const struct cuda_traits traits_mma = {86, 28, 99 << 10};
static const struct cuda_traits traits_turing = {75, 40, 64 << 10};
static const struct cuda_traits traits_wgmma = {90, 1, 227 << 10};

const struct cuda_traits *executed_traits(const struct cuda_matmul *row)
{
    if (row->capability_min == 90 || row->capability_max == 119)
        return &traits_wgmma;
    return row->capability_min == 75 ? &traits_turing : &traits_mma;
}

void *executed_memory(struct executed *run, size_t size)
{
    void *memory = executor_memory_new(size);

    assert_non_null(memory);
    assert_true(run->count < EXECUTED_MEMORIES_MAX);
    run->memories[run->count++] = memory;
    return memory;
}

size_t executed_arguments(struct launch *launch, void **views, void **out)
{
    const struct kernel_info *info = &kernel_table[launch->kernel];
    size_t count = 0;

    out[count++] = &launch->first;
    out[count++] = &launch->last;
    for (uint32_t i = 0; i < info->views; i++)
        out[count++] = &views[i];
    for (uint32_t i = 0; i < info->scalars; i++)
        out[count++] = &launch->scalars[i];
    return count;
}

static void *executed_copy(struct executed *run, const void *from, size_t size)
{
    void *memory = executed_memory(run, size);

    memcpy(memory, from, size);
    return memory;
}

/* Lines `stride` apart with zeros behind k; `all` of them, those behind `count` zero. */
static int8_t *executed_lines(struct executed *run, const int8_t *from, uint32_t count,
                              uint32_t all)
{
    const size_t stride = run->product.stride, k = run->product.k;
    int8_t *memory = executed_memory(run, all * stride);

    memset(memory, 0, all * stride);
    for (size_t i = 0; i < count; i++)
        memcpy(memory + i * stride, from + i * k, k);
    return memory;
}

static uint32_t up(uint32_t x, uint32_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static uint32_t *executed_indices(struct executed *run, const struct pattern *pattern,
                                  uint32_t tiles)
{
    uint32_t *indices = executed_memory(run, ((size_t)tiles + 1) * pattern->count * 4);

    for (uint32_t t = 0; t < tiles; t++)
        for (uint32_t i = 0; i < pattern->count; i++)
            indices[(size_t)t * pattern->count + i] =
                (uint32_t)pattern_start(pattern, t) + pattern->offsets[i];
    return indices;
}

static void executed_load_mined(struct executed *run)
{
    const struct product_case *shape = run->shape;
    const struct product_plain *plain = run->plain;
    struct cuda_product *product = &run->product;
    const uint32_t m = shape->m, n = shape->n, rank = shape->rank;
    int32_t *x = executed_memory(run, (size_t)m * rank * 4);
    int32_t *y = executed_memory(run, (size_t)n * rank * 4);

    product->rank = rank;
    product->slices = shape->k / rank;
    product->h = shape->rows.count;
    product->w = shape->columns.count;
    product->tile_rows = (uint32_t)plain->tile_rows;
    product->tile_columns = (uint32_t)plain->tile_columns;
    product->rows = executed_indices(run, &shape->rows, product->tile_rows);
    product->columns = executed_indices(run, &shape->columns, product->tile_columns);
    product_seed((uint8_t *)product->seed, SEED_A);
    memset(product->bound, 0xff, sizeof product->bound);
    product->bound[7] = (uint32_t)shape->bound_top << 24 | 0xffffff;
    product->dense_a = executed_copy(run, plain->dense_a, (size_t)m * rank);
    product->dense_b = executed_copy(run, plain->dense_b, (size_t)n * rank);
    kernel_table[KERNEL_lowrank_x].run(
        0, m, (void *const[]){plain->a, plain->pairs_b, x},
        (const union scalar[]){{.u32 = shape->k}, {.u32 = rank}});
    kernel_table[KERNEL_lowrank_y].run(
        0, n, (void *const[]){plain->b_noised, plain->pairs_a, y},
        (const union scalar[]){{.u32 = shape->k}, {.u32 = rank}});
    product->x = x;
    product->y = y;
    product->hits_max = (uint32_t)plain->wins + 3;
    product->ring = executed_memory(run, 8 + product->hits_max * sizeof(struct cuda_hit));
}

void executed_open(struct executed *run, const struct product_case *shape,
                   const struct product_plain *plain)
{
    const uint32_t lines_b = up(shape->n, CUDA_LINES_UNIT);
    const bool is_mined = shape->rank != 0;

    *run = (struct executed){.shape = shape, .plain = plain};
    run->product.m = shape->m;
    run->product.n = shape->n;
    run->product.k = shape->k;
    run->product.stride = up(shape->k, CUDA_K_UNIT);
    run->product.a =
        executed_lines(run, is_mined ? plain->a_noised : plain->a, shape->m, shape->m);
    run->product.b =
        executed_lines(run, is_mined ? plain->b_noised : plain->b, shape->n, lines_b);
    run->c = executed_memory(run, (size_t)shape->m * shape->n * 4);
    if (is_mined)
        executed_load_mined(run);
}

void executed_close(struct executed *run)
{
    while (run->count)
        executor_memory_free(run->memories[--run->count]);
}

/* 128 bytes, as the driver makes them. */
struct map {
    _Alignas(64) uint64_t words[16];
};

/* Of a, b, and the correction's columns. */
static void executed_maps(const struct executed *run, const struct cuda_grid *grid,
                          struct map maps[4])
{
    const struct cuda_product *p = &run->product;
    const uint64_t lines_b = up(p->n, CUDA_LINES_UNIT), extra = grid->extra_bytes;
    const uint8_t *left = extra ? (const uint8_t *)p->scratch + grid->extra_at : NULL;
    const uint8_t *bases[] = {(const uint8_t *)p->a, (const uint8_t *)p->b, left,
                              extra ? left + p->m * extra : NULL};

    for (uint32_t i = 0; i < (extra ? 4 : 2); i++) {
        const uint64_t bytes = i < 2 ? p->stride : extra;
        const uint64_t size[2] = {bytes, i % 2 ? lines_b : p->m};
        const uint32_t box[2] = {grid->map_bytes,
                                 i % 2 ? grid->map_rows_b : grid->map_rows_a};

        executor_tensor_map(&maps[i], bases[i], size, bytes, box, true);
    }
}

static void executed_launch(struct executed *run, const char *entry,
                            const struct cuda_grid *grid, uint32_t blocks)
{
    struct map maps[4];
    void *arguments[] = {&run->product, &maps[0], &maps[1], &maps[2], &maps[3]};
    const struct executor_launch launch = {
        entry,         {blocks * (grid->cluster ? 2 : 1), 1, 1},
        grid->threads, grid->shared,
        arguments,     grid->cluster};

    if (grid->map_bytes)
        executed_maps(run, grid, maps);
    const char *fault = executor_run(&launch, executor_mode(run->mode % EXECUTOR_MODES));

    if (fault)
        fail_msg("%s of %u x %u x %u, rank %u, mode %u: %s", entry, run->shape->m,
                 run->shape->n, run->shape->k, run->shape->rank,
                 run->mode % EXECUTOR_MODES, fault);
}

void executed_prepare(struct executed *run, const struct cuda_matmul *row)
{
    struct cuda_grid grid;

    row->prepare_grid(executed_traits(row), &run->product, &grid);
    executed_launch(run, row->prepare, &grid,
                    grid.parts < grid.blocks_max ? (uint32_t)grid.parts
                                                 : grid.blocks_max);
}

void executed_multiply(struct executed *run, const struct cuda_matmul *row,
                       enum cuda_mode mode, const char *entry)
{
    struct cuda_grid grid;

    row->grid(executed_traits(row), mode, &run->product, &grid);
    assert_true(grid.shared <= executed_traits(row)->shared_max);
    for (uint32_t first = 0, last = (uint32_t)grid.parts / 2; first < grid.parts;
         first = last, last = (uint32_t)grid.parts) {
        run->product.part_first = first;
        run->product.part_last = last;
        if (last > first)
            executed_launch(run, entry, &grid,
                            grid.blocks_max && last - first > grid.blocks_max
                                ? grid.blocks_max
                                : last - first);
    }
}

static int hit_order(const void *a, const void *b)
{
    const struct cuda_hit *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

void executed_check_hits(const struct executed *run)
{
    const struct product_plain *plain = run->plain;
    struct cuda_ring *ring = run->product.ring;
    uint32_t at = 0;

    assert_int_equal(ring->count, plain->wins);
    qsort(ring->hit, ring->count, sizeof *ring->hit, hit_order);
    for (uint64_t t = 0; t < plain->tile_rows * plain->tile_columns; t++) {
        if (plain->tiles[t].ticket[31] > run->shape->bound_top)
            continue;
        assert_int_equal(ring->hit[at].row, plain->tiles[t].row);
        assert_int_equal(ring->hit[at].column, plain->tiles[t].column);
        assert_memory_equal(ring->hit[at].ticket, plain->tiles[t].ticket, 32);
        at++;
    }
}

static void executed_check_c(const struct executed *run, const char *name)
{
    const uint32_t n = run->shape->n;

    for (size_t i = 0; i < (size_t)run->shape->m * n; i++)
        if (run->c[i] != run->plain->c[i])
            fail_msg("%s of %u x %u x %u: c[%zu][%zu] is %d, expected %d", name,
                     run->shape->m, n, run->shape->k, i / n, i % n, run->c[i],
                     run->plain->c[i]);
}

void executed_row(struct executed *run, const struct cuda_matmul *row,
                  enum cuda_mode mode)
{
    const struct product_case *shape = run->shape;
    struct cuda_product *product = &run->product;

    memset(run->c, 0x5a, (size_t)shape->m * shape->n * 4);
    product->c = mode == CUDA_MINED ? NULL : run->c;
    product->scratch = NULL;
    if (mode != CUDA_CLEAN)
        memset(product->ring, 0, 8 + product->hits_max * sizeof(struct cuda_hit));
    if (mode == CUDA_USEFUL) {
        product->scratch =
            executed_memory(run, row->scratch(shape->m, shape->n, shape->k, shape->rank));
        executed_prepare(run, row);
    }
    executed_multiply(run, row, mode, row->entries[mode]);
    if (mode != CUDA_MINED)
        executed_check_c(run, row->entries[mode]);
    if (mode != CUDA_CLEAN)
        executed_check_hits(run);
    if (mode == CUDA_USEFUL)
        executor_memory_free(run->memories[--run->count]);
}
