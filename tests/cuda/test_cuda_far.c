/*
 * test_cuda_far.c - claim: CUDA kernels reach what lies beyond the 2^31st element and the
 * 2^32nd byte of their views, and write nowhere else in their part.
 *
 * They run in the executor (tests/executor), whose memory takes only what is touched.
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

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_matmul.h"
#include "tests/executor/executor.h"
#include "tests/product_case.h"

enum { FAR_ROW = 1 << 20, FAR_COLUMN = 4096, ROWS = 128, COLUMNS = 64, K = 4096 };

static const struct cuda_traits traits = {90, 1, 227 << 10};

static void *room(size_t size)
{
    void *memory = executor_memory_new(size);

    assert_non_null(memory);
    return memory;
}

static void launch(const char *entry, const struct cuda_grid *grid, uint32_t blocks,
                   void *const *arguments)
{
    const struct executor_launch launch = {.kernel = entry,
                                           .grid = {blocks, 1, 1},
                                           .threads = grid->threads,
                                           .shared_bytes = grid->shared,
                                           .arguments = arguments};
    const char *fault = executor_run(&launch, executor_mode(3));

    if (fault)
        fail_msg("%s", fault);
}

struct map {
    _Alignas(64) uint64_t words[16];
};

/* The last part of a large product, whose operands are those of a small one there. */
static void part_run(const struct cuda_matmul *row, enum cuda_mode mode,
                     struct cuda_product *product)
{
    struct map maps[2];
    void *arguments[] = {product, &maps[0], &maps[1]};
    struct cuda_grid grid;

    row->grid(&traits, mode, product, &grid);
    product->part_first = grid.parts - 1;
    product->part_last = grid.parts;
    if (grid.map_bytes)
        for (uint32_t i = 0; i < 2; i++) {
            const uint64_t size[2] = {K, i ? FAR_COLUMN + 256 : product->m};
            const uint32_t box[2] = {grid.map_bytes,
                                     i ? grid.map_rows_b : grid.map_rows_a};

            executor_tensor_map(&maps[i], i ? product->b : product->a, size, K, box,
                                true);
        }
    launch(row->entries[mode], &grid, 1, arguments);
}

static void part_check(const struct product_plain *plain,
                       const struct cuda_product *product)
{
    const uint64_t n = product->n;

    for (uint64_t i = 0; product->c && i < ROWS; i++)
        assert_memory_equal(product->c + (FAR_ROW + i) * n + FAR_COLUMN,
                            plain->c + i * COLUMNS, COLUMNS * sizeof *plain->c);
    if (product->c) {
        assert_int_equal(product->c[(FAR_ROW - 1) * n + FAR_COLUMN], 0);
        assert_int_equal(product->c[FAR_ROW * n + FAR_COLUMN - 1], 0);
        return;
    }
    assert_int_equal(product->ring->count, plain->wins);
    for (uint32_t i = 0; i < plain->wins; i++) {
        const struct cuda_hit *hit = &product->ring->hit[i];
        uint64_t t = 0;

        while (t < plain->wins && (plain->tiles[t].row + FAR_ROW != hit->row ||
                                   plain->tiles[t].column + FAR_COLUMN != hit->column))
            t++;
        assert_true(t < plain->wins);
        assert_memory_equal(hit->ticket, plain->tiles[t].ticket, 32);
    }
}

static void test_products(void **state)
{
    const struct product_case shapes[] = {
        {.m = ROWS, .n = COLUMNS, .k = K},
        {ROWS, COLUMNS, K, 128, product_pattern(8, 8, 1, 1, 1, 1),
         product_pattern(2, 1, 8, 8, 1, 1), VALUES_ANY, 1, 255}};
    const size_t far = (size_t)FAR_ROW * K;
    struct cuda_product product = {
        .m = FAR_ROW + ROWS, .n = FAR_COLUMN + COLUMNS, .k = K, .stride = K};
    int8_t *a = room(far + (size_t)ROWS * K), *b = room((FAR_COLUMN + 256) * (size_t)K);
    int32_t *c = room((size_t)product.m * product.n * sizeof *c);

    (void)state;
    memset(b, 0, (FAR_COLUMN + 256) * (size_t)K);
    product.a = a;
    product.b = b;
    product.rank = 128;
    product.slices = K / 128;
    product.h = 8;
    product.w = 16;
    product.hits_max = 1024;
    product.ring = room(8 + 1024 * sizeof(struct cuda_hit));
    memset(product.bound, 0xff, sizeof product.bound);
    product_seed((uint8_t *)product.seed, SEED_A);
    for (uint32_t i = 0; i < 4; i++) {
        const bool is_mined = i / 2;
        struct product_plain plain;

        product_plain_make(&shapes[is_mined], &plain);
        memcpy(a + far, is_mined ? plain.a_noised : plain.a, (size_t)ROWS * K);
        memcpy(b + (size_t)FAR_COLUMN * K, is_mined ? plain.b_noised : plain.b,
               (size_t)COLUMNS * K);
        memset(product.ring, 0, 8);
        memset(c + FAR_ROW * (size_t)product.n, 0, ROWS * (size_t)product.n * sizeof *c);
        product.c = is_mined ? NULL : c;
        part_run(i % 2 ? &cuda_matmul_wgmma_lane : &cuda_matmul_mma_lane,
                 is_mined ? CUDA_MINED : CUDA_CLEAN, &product);
        part_check(&plain, &product);
        product_plain_free(&plain);
    }
    executor_memory_free(a);
    executor_memory_free(b);
    executor_memory_free(c);
    executor_memory_free(product.ring);
}

/* A text's last rows: bytes a row of each view (0: one for all rows), the output last. */
struct far_case {
    enum kernel kernel;
    uint32_t rows; /* before the ones that are computed */
    uint32_t sizes[KERNEL_VIEWS_MAX];
    union scalar scalars[KERNEL_SCALARS_MAX];
};

enum { DONE = 3, SHARED_SIZE = 1 << 16 };

static const struct far_case cases[] = {
    {KERNEL_noise_add, 1 << 20, {4096, 64, 0, 4096}, {{.u32 = 4096}, {.u32 = 64}}},
    {KERNEL_lowrank_x, 1 << 20, {4096, 0, 256}, {{.u32 = 4096}, {.u32 = 64}}},
    {KERNEL_dequantise,
     1 << 20,
     {16384, 4, 0, 0, 16384},
     {{.u32 = (1 << 20) + DONE}, {.u32 = 4096}, {.u32 = 1}, {.u32 = 1}, {.u32 = 1}}},
    {KERNEL_blake3_chunks, 1 << 22, {1024, 0, 32}, {{.u64 = UINT64_C(1) << 40}, {0}}},
    {KERNEL_blake3_parents, 1 << 26, {64, 0, 32}, {{.u64 = UINT64_C(1) << 40}, {0}}},
};

/* Small values in every four bytes: numbers that no kernel refuses, and pairs in range.
 */
static void *far_view(const struct far_case *c, uint32_t view)
{
    const size_t size = c->sizes[view];
    const size_t all = size ? (c->rows + (size_t)DONE) * size : SHARED_SIZE;
    uint8_t *data = room(all);
    const size_t first = size ? c->rows * size : 0;

    for (size_t i = first; i < all; i++)
        data[i] = (uint8_t)(i % 4 % 2 ? 0 : (i * 2654435761u >> 13) % 15 * 2 + i % 4 / 2);
    return data;
}

static void far_check(const struct far_case *c, const struct cuda_tuned *tuned)
{
    const struct kernel_info *info = &kernel_table[c->kernel];
    const uint32_t out = info->views - 1;
    struct launch ask = {
        .kernel = c->kernel, .first = c->rows, .last = (uint64_t)c->rows + DONE};
    void *arguments[2 + KERNEL_VIEWS_MAX + KERNEL_SCALARS_MAX] = {&ask.first, &ask.last};
    void *views[KERNEL_VIEWS_MAX];
    struct cuda_grid grid;

    for (uint32_t i = 0; i < info->views; i++) {
        views[i] = far_view(c, i);
        arguments[2 + i] = &views[i];
    }
    for (uint32_t i = 0; i < info->scalars; i++) {
        ask.scalars[i] = c->scalars[i];
        arguments[2 + info->views + i] = &ask.scalars[i];
    }
    assert_true(tuned->grid(&traits, &ask, &grid));
    memset((uint8_t *)views[out] + grid.cleared_at, 0, grid.cleared_bytes);
    launch(tuned->entry, &grid, (uint32_t)grid.parts, arguments);
    uint8_t *found = (uint8_t *)views[out];
    views[out] = far_view(c, out);
    info->run(ask.first, ask.last, views, ask.scalars);
    if (memcmp(found + (size_t)c->rows * c->sizes[out],
               (uint8_t *)views[out] + (size_t)c->rows * c->sizes[out],
               (size_t)DONE * c->sizes[out]) != 0)
        fail_msg("%s differs from %s", tuned->entry, info->name);
    executor_memory_free(found);
    for (uint32_t i = 0; i < info->views; i++)
        executor_memory_free(views[i]);
}

static void test_texts(void **state)
{
    static const struct cuda_tuned tuned[] = {
#define CUDA_TUNED(text, entry, capability)                                              \
    {KERNEL_##text, #entry, capability, entry##_grid},
#include "backends/cuda/cuda_tuned.def"
#undef CUDA_TUNED
    };
    uint32_t checked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t j = 0; j < sizeof tuned / sizeof tuned[0]; j++)
            if (tuned[j].kernel == cases[i].kernel) {
                far_check(&cases[i], &tuned[j]);
                checked++;
            }
    assert_true(checked >= sizeof cases / sizeof cases[0]);
}

/* A row's noise and sums in one pass, beside those of the texts over the same rows alone.
 */
static void test_noise_x(void **state)
{
    enum { CLEAN, DENSE, PAIRS, OUT, PAIRS_B, X, VIEWS, FAR_K = 4096, RANK = 64 };
    static const struct far_case c = {
        .rows = 1 << 20, .sizes = {FAR_K, RANK, 0, FAR_K, 0, RANK * sizeof(int32_t)}};
    uint64_t range[2] = {c.rows, (uint64_t)c.rows + DONE};
    uint32_t scalars[2] = {FAR_K, RANK};
    const struct cuda_grid grid = {.threads = TILE_THREADS,
                                   .shared = LOWRANK_SHARED + RANK * NOISE_X_PITCH};
    uint8_t *views[VIEWS], *plain[VIEWS];

    (void)state;
    for (uint32_t i = 0; i < VIEWS; i++)
        plain[i] = (views[i] = far_view(&c, i)) + (size_t)c.rows * c.sizes[i];
    plain[OUT] = room(DONE * FAR_K);
    plain[X] = room(DONE * c.sizes[X]);
    launch("noise_x", &grid, 1,
           (void *[]){&range[0], &range[1], &views[CLEAN], &views[DENSE], &views[PAIRS],
                      &views[OUT], &scalars[0], &scalars[1], &range[0], &range[1],
                      &views[CLEAN], &views[PAIRS_B], &views[X], &scalars[0],
                      &scalars[1]});
    const union scalar both[] = {{.u32 = FAR_K}, {.u32 = RANK}};
    kernel_table[KERNEL_noise_add].run(
        0, DONE, (void *[]){plain[CLEAN], plain[DENSE], plain[PAIRS], plain[OUT]}, both);
    kernel_table[KERNEL_lowrank_x].run(
        0, DONE, (void *[]){plain[CLEAN], plain[PAIRS_B], plain[X]}, both);
    for (uint32_t i = OUT; i <= X; i += X - OUT) {
        assert_memory_equal(views[i] + (size_t)c.rows * c.sizes[i], plain[i],
                            DONE * c.sizes[i]);
        executor_memory_free(plain[i]);
    }
    for (uint32_t i = 0; i < VIEWS; i++)
        executor_memory_free(views[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_noise_x),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
