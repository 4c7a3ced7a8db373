/*
 * test_cuda_products.c - claim: the CUDA kernels that multiply by warps give the
 * products, tickets and clean results of the shared text, whatever the shape, the
 * pattern, the rank and the values, in whatever order threads run and copies land.
 * They run in the executor (tests/executor): no GPU was asked.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cuda/cuda_matmul.h"
#include "tests/executor/executor.h"
#include "tests/product_case.h"

enum { MEMORIES_MAX = 20 };

static const struct cuda_matmul *const rows[] = {
    &cuda_matmul_mma_lane,        &cuda_matmul_mma_quad,    &cuda_matmul_mma_any,
    &cuda_matmul_turing_lane,     &cuda_matmul_turing_quad, &cuda_matmul_turing_any,
    &cuda_matmul_wgmma_lane,      &cuda_matmul_wgmma_quad,  &cuda_matmul_wgmma_pair_lane,
    &cuda_matmul_wgmma_pair_quad, &cuda_matmul_wide_lane,   &cuda_matmul_wide_quad,
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* The smallest of each family; with one processor a block takes several tiles. */
static const struct cuda_traits traits_mma = {86, 28, 99 << 10};
static const struct cuda_traits traits_turing = {75, 40, 64 << 10};
static const struct cuda_traits traits_wgmma = {90, 1, 227 << 10};

static const struct cuda_traits *traits_of(const struct cuda_matmul *row)
{
    if (row->capability_min == 90 || row->capability_max == 119)
        return &traits_wgmma;
    return row->capability_min == 75 ? &traits_turing : &traits_mma;
}

/* One shape on the device. */
struct run {
    const struct product_case *shape;
    const struct product_plain *plain;
    struct cuda_product product;
    int32_t *c;
    uint32_t mode; /* of the executor */
    void *memories[MEMORIES_MAX];
    uint32_t count;
};

static void *run_memory(struct run *run, size_t size)
{
    void *memory = executor_memory_new(size);

    assert_non_null(memory);
    assert_true(run->count < MEMORIES_MAX);
    run->memories[run->count++] = memory;
    return memory;
}

static void *run_copy(struct run *run, const void *from, size_t size)
{
    void *memory = run_memory(run, size);

    memcpy(memory, from, size);
    return memory;
}

/* Lines `stride` apart with zeros behind k; `all` of them, those behind `count` zero. */
static int8_t *run_lines(struct run *run, const int8_t *from, uint32_t count,
                         uint32_t all)
{
    const size_t stride = run->product.stride, k = run->product.k;
    int8_t *memory = run_memory(run, all * stride);

    memset(memory, 0, all * stride);
    for (size_t i = 0; i < count; i++)
        memcpy(memory + i * stride, from + i * k, k);
    return memory;
}

static uint32_t up(uint32_t x, uint32_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static uint32_t *run_indices(struct run *run, const struct pattern *pattern,
                             uint32_t tiles)
{
    uint32_t *indices = run_memory(run, ((size_t)tiles + 1) * pattern->count * 4);

    for (uint32_t t = 0; t < tiles; t++)
        for (uint32_t i = 0; i < pattern->count; i++)
            indices[(size_t)t * pattern->count + i] =
                (uint32_t)pattern_start(pattern, t) + pattern->offsets[i];
    return indices;
}

static void run_load_mined(struct run *run)
{
    const struct product_case *shape = run->shape;
    const struct product_plain *plain = run->plain;
    struct cuda_product *product = &run->product;
    const uint32_t m = shape->m, n = shape->n, rank = shape->rank;
    int32_t *x = run_memory(run, (size_t)m * rank * 4);
    int32_t *y = run_memory(run, (size_t)n * rank * 4);

    product->rank = rank;
    product->slices = shape->k / rank;
    product->h = shape->rows.count;
    product->w = shape->columns.count;
    product->tile_rows = (uint32_t)plain->tile_rows;
    product->tile_columns = (uint32_t)plain->tile_columns;
    product->rows = run_indices(run, &shape->rows, product->tile_rows);
    product->columns = run_indices(run, &shape->columns, product->tile_columns);
    product_seed((uint8_t *)product->seed, SEED_A);
    memset(product->bound, 0xff, sizeof product->bound);
    product->bound[7] = (uint32_t)shape->bound_top << 24 | 0xffffff;
    product->dense_a = run_copy(run, plain->dense_a, (size_t)m * rank);
    product->dense_b = run_copy(run, plain->dense_b, (size_t)n * rank);
    kernel_table[KERNEL_lowrank_x].run(
        0, m, (void *const[]){plain->a, plain->pairs_b, x},
        (const union scalar[]){{.u32 = shape->k}, {.u32 = rank}});
    kernel_table[KERNEL_lowrank_y].run(
        0, n, (void *const[]){plain->b_noised, plain->pairs_a, y},
        (const union scalar[]){{.u32 = shape->k}, {.u32 = rank}});
    product->x = x;
    product->y = y;
    product->hits_max = (uint32_t)plain->wins + 3;
    product->ring = run_memory(run, 8 + product->hits_max * sizeof(struct cuda_hit));
}

static void run_open(struct run *run, const struct product_case *shape,
                     const struct product_plain *plain)
{
    const uint32_t lines_b = up(shape->n, CUDA_LINES_UNIT);
    const bool is_mined = shape->rank != 0;

    *run = (struct run){.shape = shape, .plain = plain};
    run->product.m = shape->m;
    run->product.n = shape->n;
    run->product.k = shape->k;
    run->product.stride = up(shape->k, CUDA_K_UNIT);
    run->product.a =
        run_lines(run, is_mined ? plain->a_noised : plain->a, shape->m, shape->m);
    run->product.b =
        run_lines(run, is_mined ? plain->b_noised : plain->b, shape->n, lines_b);
    run->c = run_memory(run, (size_t)shape->m * shape->n * 4);
    if (is_mined)
        run_load_mined(run);
}

static void run_close(struct run *run)
{
    while (run->count)
        executor_memory_free(run->memories[--run->count]);
}

/* 128 bytes, as the driver makes them. */
struct map {
    _Alignas(64) uint64_t words[16];
};

/* Of a, b, and the correction's columns. */
static void run_maps(const struct run *run, const struct cuda_grid *grid,
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

static void run_launch(struct run *run, const char *entry, const struct cuda_grid *grid,
                       uint32_t blocks)
{
    struct map maps[4];
    void *arguments[] = {&run->product, &maps[0], &maps[1], &maps[2], &maps[3]};
    const struct executor_launch launch = {
        entry,         {blocks * (grid->cluster ? 2 : 1), 1, 1},
        grid->threads, grid->shared,
        arguments,     grid->cluster};

    if (grid->map_bytes)
        run_maps(run, grid, maps);
    const char *fault = executor_run(&launch, executor_mode(run->mode % EXECUTOR_MODES));

    if (fault)
        fail_msg("%s of %u x %u x %u, rank %u, mode %u: %s", entry, run->shape->m,
                 run->shape->n, run->shape->k, run->shape->rank,
                 run->mode % EXECUTOR_MODES, fault);
}

static void run_prepare(struct run *run, const struct cuda_matmul *row)
{
    struct cuda_grid grid;

    row->prepare_grid(traits_of(row), &run->product, &grid);
    run_launch(run, row->prepare, &grid,
               grid.parts < grid.blocks_max ? (uint32_t)grid.parts : grid.blocks_max);
}

/* In two ranges, where there are two parts. */
static void run_multiply(struct run *run, const struct cuda_matmul *row,
                         enum cuda_mode mode)
{
    struct cuda_grid grid;

    row->grid(traits_of(row), mode, &run->product, &grid);
    assert_true(grid.shared <= traits_of(row)->shared_max);
    for (uint32_t first = 0, last = (uint32_t)grid.parts / 2; first < grid.parts;
         first = last, last = (uint32_t)grid.parts) {
        run->product.part_first = first;
        run->product.part_last = last;
        if (last > first)
            run_launch(run, row->entries[mode], &grid,
                       grid.blocks_max && last - first > grid.blocks_max ? grid.blocks_max
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

static void run_check_hits(const struct run *run)
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

static void run_check_c(const struct run *run, const char *name)
{
    const uint32_t n = run->shape->n;

    for (size_t i = 0; i < (size_t)run->shape->m * n; i++)
        if (run->c[i] != run->plain->c[i])
            fail_msg("%s of %u x %u x %u: c[%zu][%zu] is %d, expected %d", name,
                     run->shape->m, n, run->shape->k, i / n, i % n, run->c[i],
                     run->plain->c[i]);
}

static void run_row(struct run *run, const struct cuda_matmul *row, enum cuda_mode mode)
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
            run_memory(run, row->scratch(shape->m, shape->n, shape->k, shape->rank));
        run_prepare(run, row);
    }
    run_multiply(run, row, mode);
    if (mode != CUDA_MINED)
        run_check_c(run, row->entries[mode]);
    if (mode != CUDA_CLEAN)
        run_check_hits(run);
    if (mode == CUDA_USEFUL)
        executor_memory_free(run->memories[--run->count]);
}

/* clean is one kernel of a family; families take turns; long products take few rows. */
static bool is_worth_it(const struct product_case *shape, uint32_t row,
                        enum cuda_mode mode, uint32_t turn)
{
    const bool is_turing = rows[row]->capability_min == 75;

    if (mode == CUDA_CLEAN && row &&
        !strcmp(rows[row - 1]->entries[mode], rows[row]->entries[mode]))
        return false;
    if (shape->k > 8192)
        return row < 8 && !is_turing && mode == (row == 2 ? CUDA_MINED : CUDA_USEFUL);
    return is_turing || row > 9 ? turn % 2 == 0 : row < 3 || mode || turn % 2;
}

/* The rows that suit, each in another order than the one before. */
static uint32_t shape_check(const struct product_case *shape, uint32_t turn)
{
    struct product_plain plain;
    struct run run;
    uint32_t suited = 0;

    product_plain_make(shape, &plain);
    run_open(&run, shape, &plain);
    run.mode = turn;
    for (uint32_t i = 0; i < ROWS; i++)
        for (enum cuda_mode mode = CUDA_CLEAN; mode < CUDA_MODES; mode++) {
            const struct cuda_ask ask = {mode,           shape->m,    shape->n,
                                         shape->k,       shape->rank, &shape->rows,
                                         &shape->columns};

            if ((mode == CUDA_CLEAN) != (shape->rank == 0) ||
                !rows[i]->suits(traits_of(rows[i]), &ask))
                continue;
            suited |= 1u << i;
            if (is_worth_it(shape, i, mode, turn)) {
                run_row(&run, rows[i], mode);
                run.mode++;
            }
        }
    run_close(&run);
    product_plain_free(&plain);
    return suited;
}

static void test_clean(void **state)
{
    static const uint32_t shapes[][3] = {
        {1, 1, 1},       {128, 128, 64}, {129, 257, 65}, {3, 100, 384},
        {200, 70, 1000}, {1, 384, 1536}, {127, 5, 129},  {260, 300, 384},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (enum product_values values = i % 2; values <= VALUES_WIDE; values += 2) {
            const struct product_case shape = {.m = shapes[i][0],
                                               .n = shapes[i][1],
                                               .k = shapes[i][2],
                                               .values = values};

            assert_int_equal(shape_check(&shape, i / 2 + values / 2), (1u << ROWS) - 1);
        }
}

enum {
    LANE = 1 | 1 << 3 | 1 << 10,
    QUAD = 2 | 2 << 3 | 2 << 10,
    ANY = 4 | 4 << 3,
    GROUP_LANE = 1 << 6 | 1 << 8, /* ranks of 128 and more */
    GROUP_QUAD = 2 << 6 | 2 << 8,
};

static void test_mined(void **state)
{
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct pattern rows_quad = product_pattern(2, 32, 1, 1, 1, 1);
    const struct pattern range16 = pattern_range(16), range64 = pattern_range(64);
    const struct {
        struct product_case shape;
        uint32_t suited;
    } cases[] = {
        {{128, 128, 2048, 128, rows_lane, columns_lane, VALUES_ANY, 1, 255},
         LANE | ANY | GROUP_LANE},
        {{150, 200, 1088, 64, rows_lane, columns_lane, VALUES_EDGES, 1, 99}, LANE | ANY},
        {{64, 64, 1024, 256, rows_lane, columns_lane, VALUES_HIGHEST, 1, 255},
         LANE | ANY | GROUP_LANE},
        {{57, 58, 1024, 32, rows_lane, columns_lane, VALUES_ANY, 1, 255}, ANY},
        {{130, 129, 1024, 64, rows_quad, range64, VALUES_ANY, 1, 200}, QUAD | ANY},
        {{64, 128, 2112, 128, rows_quad, range64, VALUES_HIGHEST, 1, 255},
         QUAD | ANY | GROUP_QUAD},
        {{200, 390, 1088, 128, rows_lane, columns_lane, VALUES_EDGES, 1, 128},
         LANE | ANY | GROUP_LANE},
        {{33, 64, 1024, 32, rows_quad, range64, VALUES_EDGES, 1, 255}, ANY},
        {{100, 90, 1024, 64, range16, range16, VALUES_ANY, 1, 255}, ANY},
        {{130, 20, 1024, 64, pattern_range(128), pattern_range(2), VALUES_ANY, 1, 255},
         ANY},
        {{20, 140, 1024, 64, pattern_range(2), pattern_range(128), VALUES_ANY, 1, 255},
         ANY},
        {{100, 90, 1024, 32, pattern_range(10), pattern_range(6), VALUES_EDGES, 1, 255},
         ANY},
        {{90, 100, 1024, 32, pattern_range(6), product_pattern(3, 5, 2, 15, 1, 1),
          VALUES_ANY, 1, 255},
         ANY},
        {{96, 96, 1024, 64, product_pattern(2, 1, 2, 8, 2, 16),
          product_pattern(4, 2, 2, 8, 2, 16), VALUES_ANY, 1, 255},
         ANY},
        {{16, 48, 1024, 32, pattern_range(4), pattern_range(8), VALUES_ANY, 1, 255}, ANY},
        {{64, 64, 16384, 1024, rows_lane, columns_lane, VALUES_EDGES, 1, 255},
         LANE | ANY | GROUP_LANE},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(shape_check(&cases[i].shape, i), cases[i].suited);
}

/* x and y as large as three digits of base 255 reach: larger than noise makes them. */
static void test_third_limb(void **state)
{
    const int32_t most = 127 + 127 * 255 + 127 * 255 * 255;
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case shape = {70,           65,         2048, 128, rows_lane,
                                       columns_lane, VALUES_ANY, 1,    255};
    struct product_plain plain;
    struct run run;
    uint64_t random = 1;

    (void)state;
    product_plain_make(&shape, &plain);
    run_open(&run, &shape, &plain);
    int32_t *sides[] = {(int32_t *)run.product.x, (int32_t *)run.product.y};
    const uint32_t counts[] = {shape.m * shape.rank, shape.n * shape.rank};
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < counts[side]; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            sides[side][i] = (int32_t)((random >> 33) % (2 * (uint32_t)most + 1)) - most;
        }
    sides[0][1] = most;
    sides[1][2] = -most;
    kernel_table[KERNEL_matmul_i8].run(
        0, shape.m, (void *const[]){plain.a_noised, plain.b_noised, plain.c},
        (const union scalar[]){{.u32 = shape.n}, {.u32 = shape.k}});
    kernel_table[KERNEL_denoise].run(
        0, shape.m,
        (void *const[]){plain.dense_a, plain.dense_b, sides[0], sides[1], plain.c},
        (const union scalar[]){{.u32 = shape.n}, {.u32 = shape.rank}});
    run_row(&run, &cuda_matmul_mma_lane, CUDA_USEFUL);
    run_row(&run, &cuda_matmul_turing_any, CUDA_USEFUL);
    run_row(&run, &cuda_matmul_wgmma_lane, CUDA_USEFUL);
    run_close(&run);
    product_plain_free(&plain);
}

/* More hits than there is room for are counted, and nothing is written past the end. */
static void test_hits_overflow(void **state)
{
    const struct pattern rows_lane = product_pattern(8, 8, 1, 1, 1, 1);
    const struct pattern columns_lane = product_pattern(2, 1, 8, 8, 1, 1);
    const struct product_case shape = {128,          128,        1024, 64, rows_lane,
                                       columns_lane, VALUES_ANY, 1,    255};
    struct product_plain plain;
    struct run run;

    (void)state;
    product_plain_make(&shape, &plain);
    run_open(&run, &shape, &plain);
    struct cuda_ring *ring = run.product.ring;
    memset(ring, 0, 8 + run.product.hits_max * sizeof *ring->hit);
    run.product.hits_max = 5;
    run_multiply(&run, &cuda_matmul_mma_lane, CUDA_MINED);
    assert_int_equal(ring->count, plain.wins);
    assert_int_equal(ring->hit[5].row | ring->hit[5].column | ring->hit[5].ticket[31], 0);
    run_close(&run);
    product_plain_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_mined),
        cmocka_unit_test(test_third_limb),
        cmocka_unit_test(test_hits_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
