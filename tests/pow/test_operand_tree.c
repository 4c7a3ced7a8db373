/*
 * test_operand_tree.c - claims: a tree renewed after some bytes changed is, value for
 * value, the tree of the whole operand, for every place and size of the change, on every
 * row of the cpu.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/device.h"
#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/pow/operand_tree.h"

enum { K = 1088, ROWS_MAX = 65, SIZE_MAX_ = K * ROWS_MAX }; /* chunks begin inside rows */

struct bench {
    struct device *device;
    struct buffer *operand, *key, *trees[2];
    uint8_t *bytes;
    uint64_t state;
};

static uint64_t next(struct bench *bench)
{
    bench->state = bench->state * 6364136223846793005u + 1442695040888963407u;
    return bench->state >> 33;
}

static void check(struct bench *bench, uint64_t rows, uint64_t first, uint64_t size)
{
    static uint8_t layers[2][1 << 16];
    const uint8_t key[32] = {7, 1, 2};
    const size_t tree_size = operand_tree_size(rows, K);
    struct operand_tree tree = {.device = bench->device,
                                .operand = {bench->operand, 0},
                                .size = rows * K,
                                .key = bench->key,
                                .tree = bench->trees[0]};
    uint8_t root[2][32], expected[32];

    assert_int_equal(operand_tree_make(&tree, NULL, root[0]), STATUS_OK);
    for (uint64_t i = first; i < first + size; i++)
        bench->bytes[i] ^= (uint8_t)(1 + next(bench) % 255);
    assert_int_equal(device_write(bench->device, bench->operand, (size_t)first,
                                  bench->bytes + first, (size_t)size),
                     STATUS_OK);
    assert_int_equal(operand_tree_renew(&tree, first, size, root[0]), STATUS_OK);
    tree.tree = bench->trees[1];
    assert_int_equal(operand_tree_make(&tree, NULL, root[1]), STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            device_read(bench->device, bench->trees[i], 0, layers[i], tree_size),
            STATUS_OK);
    assert_memory_equal(layers[0], layers[1], tree_size);
    assert_memory_equal(root[0], root[1], 32);
    /* Zeros up to a whole chunk count as data. */
    struct blake3 hasher;
    static const uint8_t zeros[BLAKE3_CHUNK];
    blake3_begin_keyed(&hasher, key);
    blake3_add(&hasher, bench->bytes, (size_t)(rows * K));
    if (rows * K % BLAKE3_CHUNK)
        blake3_add(&hasher, zeros, (size_t)(BLAKE3_CHUNK - rows * K % BLAKE3_CHUNK));
    blake3_end(&hasher, expected);
    assert_memory_equal(root[0], expected, 32);
}

static void bench_open(struct bench *bench, const char *variant)
{
    const struct device_options options = {.threads = 2, .variant = variant};
    const uint8_t key[32] = {7, 1, 2};

    *bench = (struct bench){.state = 5};
    if (device_open(&backend_cpu, 0, &options, &bench->device, NULL)) {
        print_message("%s is not on this processor\n", variant);
        return;
    }
    assert_int_equal(device_buffer_new(bench->device, SIZE_MAX_, &bench->operand), 0);
    assert_int_equal(device_buffer_new(bench->device, 32, &bench->key), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(device_buffer_new(bench->device, operand_tree_size(ROWS_MAX, K),
                                           &bench->trees[i]),
                         0);
    assert_int_equal(device_write(bench->device, bench->key, 0, key, 32), 0);
    bench->bytes = memory_array(SIZE_MAX_, 1);
    assert_non_null(bench->bytes);
    for (size_t i = 0; i < SIZE_MAX_; i++)
        bench->bytes[i] = (uint8_t)next(bench);
    assert_int_equal(
        device_write(bench->device, bench->operand, 0, bench->bytes, SIZE_MAX_), 0);
}

static void bench_close(struct bench *bench)
{
    device_buffer_free(bench->device, bench->operand);
    device_buffer_free(bench->device, bench->key);
    device_buffer_free(bench->device, bench->trees[0]);
    device_buffer_free(bench->device, bench->trees[1]);
    memory_free(bench->bytes);
    device_close(bench->device);
}

static void renewed_trees_are_the_whole_ones(void **state)
{
    static const char *const variants[] = {
#define CPU_MATMUL(row) #row,
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
    };

    (void)state;
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        struct bench bench;
        bench_open(&bench, variants[v]);
        if (!bench.device)
            continue;
        for (uint64_t rows = 1; rows <= ROWS_MAX; rows++) {
            const uint64_t size = rows * K;
            check(&bench, rows, 0, 1);
            check(&bench, rows, 0, size < 1024 ? size : 1024);
            check(&bench, rows, size - 1, 1);
            const uint64_t first = next(&bench) % size;
            check(&bench, rows, first, 1 + next(&bench) % (size - first));
        }
        check(&bench, ROWS_MAX, 0, SIZE_MAX_);
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renewed_trees_are_the_whole_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
