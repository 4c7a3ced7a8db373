/*
 * test_cuda_joint.c - claim: two launches, the second of which reads what the first
 * writes, leave the texts' bytes on CUDA in whatever order its streams run; they are one
 * launch of the driver where a joint kernel suits and two where none does; and a tree, or
 * a mined product, whose operand is made on the way is that of an operand that was there.
 *
 * Against the stand-in for the driver (tests/stand_in); no card is asked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/device.h"
#include "miner/base/memory.h"
#include "miner/pow/operand_tree.h"
#include "tests/leaves_case.h"
#include "tests/made_device.h"
#include "tests/pow_bench.h"
#include "tests/stand_in/stand_in_find.h"

static const struct {
    struct leaves_shape shape;
    uint32_t launches; /* of the driver */
} cases[] = {
    {{1, 64, 64, 1}, 1},    {{21, 380, 384, 1}, 1},    {{30, 832, 832, 1}, 1},
    {{16, 384, 384, 2}, 1}, {{3, 4096, 4096, 2}, 1},   {{9, 384, 384, 2}, 1},
    {{10, 30, 64, 1}, 2},   {{1, 11008, 11008, 1}, 2}, {{1, 64, 64, 2}, 1},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void launches_are_one_where_they_can(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (size_t i = 0; i < 2 * CASES; i++) {
        const bool is_plain = i >= CASES;
        struct device *device;
        struct leaves_case c;

        stand_in->lag = i % 3;
        stand_in->mode = i;
        device = made_device("cuda", is_plain ? "plain" : NULL);
        leaves_case_make(&cases[i % CASES].shape, &c);
        leaves_case_load(&c, device);
        const uint64_t before = stand_in->launches;
        assert_int_equal(device_launch_then(device, &c.first, &c.second), STATUS_OK);
        assert_int_equal(stand_in->launches - before,
                         is_plain ? 2 : cases[i % CASES].launches);
        assert_int_equal(device_counters(device)->launches, 2);
        leaves_case_expect(&c, device);
        leaves_case_free(&c);
        device_close(device);
    }
    assert_int_equal(stand_in->memory_held, 0);
}

/* Not where it is the wrong bit of one that is asked for. */
static void a_wrong_bit_is_seen(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct device *device = made_device("cuda", NULL);
    struct leaves_case c;
    uint8_t values[64];

    leaves_case_make(&(struct leaves_shape){2, 1024, 1024, 1}, &c);
    leaves_case_load(&c, device);
    stand_in->wrong_at = 1;
    assert_int_equal(device_launch_then(device, &c.first, &c.second), STATUS_OK);
    assert_int_equal(stand_in->wrong_at, 0);
    assert_int_equal(
        device_read(device, c.buffers[LEAVES_VALUES], 0, values, sizeof values),
        STATUS_OK);
    assert_memory_not_equal(values, c.after[LEAVES_VALUES], sizeof values);
    assert_int_equal(device_launch_then(device, &c.first, &c.second), STATUS_OK);
    leaves_case_expect(&c, device);
    leaves_case_free(&c);
    device_close(device);
}

static void trees_of_made_operands(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (size_t i = 0; i < CASES; i++) {
        const struct leaves_shape *shape = &cases[i].shape;
        const uint64_t rows = shape->limbs * shape->rows;
        struct device *device;
        struct leaves_case c;
        uint8_t roots[2][DIGEST_SIZE];
        uint64_t launches[3];

        stand_in->lag = LAG_LATE;
        device = made_device("cuda", NULL);
        leaves_case_make(shape, &c);
        c.sizes[LEAVES_VALUES] = 32; /* the tree has a buffer of its own */
        leaves_case_load(&c, device);
        struct operand_tree tree = {.device = device,
                                    .operand = {c.buffers[LEAVES_Q], 0},
                                    .size = rows * shape->k_padded,
                                    .key = c.buffers[LEAVES_KEY]};
        assert_int_equal(device_buffer_new(device,
                                           operand_tree_size(rows, shape->k_padded),
                                           &tree.tree),
                         STATUS_OK);
        launches[0] = stand_in->launches;
        assert_int_equal(operand_tree_make(&tree, &c.first, roots[0]), STATUS_OK);
        launches[1] = stand_in->launches;
        assert_int_equal(operand_tree_make(&tree, NULL, roots[1]), STATUS_OK);
        launches[2] = stand_in->launches;
        assert_memory_equal(roots[0], roots[1], DIGEST_SIZE);
        assert_int_equal(launches[1] - launches[0],
                         launches[2] - launches[1] + cases[i].launches - 1);
        memcpy(c.after[LEAVES_VALUES], c.before[LEAVES_VALUES], 32);
        leaves_case_expect(&c, device);
        device_buffer_free(device, tree.tree);
        leaves_case_free(&c);
        device_close(device);
    }
}

/* Through the port that commits to it: found is the same, and quantising costs the driver
 * no launch. */
static void products_of_made_operands(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct pow_case c;
    struct pow_bench bench;
    uint64_t launches[3];

    stand_in->lag = LAG_LATE;
    pow_case_open(6, &c); /* 64 x 64 x 2048 */
    pow_bench_open_on(&bench, &c, POW_BENCH_QUEUE, made_device("cuda", NULL));
    pow_bench_make(&bench, &c);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 1);
    (void)pow_bench_round(&bench); /* commits the weights */
    launches[0] = stand_in->launches;
    const struct pow_bench_round there = pow_bench_round(&bench);
    assert_int_equal(device_write(bench.device, bench.a, 0, c.b, 4096), STATUS_OK);
    bench.made_by = &bench.maker;
    launches[1] = stand_in->launches;
    const struct pow_bench_round made = pow_bench_round(&bench);
    launches[2] = stand_in->launches;
    assert_int_equal(launches[2] - launches[1], launches[1] - launches[0]);
    assert_int_equal(made.launches, there.launches + 1);
    assert_true(made.count > 1);
    assert_int_equal(made.count, there.count);
    assert_memory_equal(made.tickets, there.tickets, sizeof made.tickets);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

/* What is still on its way has its operand until its findings are read, even where the
 * next product's is made in the same place. */
static void an_operand_is_not_made_over_one_in_use(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct pow_case c;
    struct pow_bench bench;

    stand_in->lag = LAG_LATE;
    pow_case_open(6, &c);
    pow_bench_open_on(&bench, &c, POW_BENCH_QUEUE, made_device("cuda", NULL));
    pow_bench_make(&bench, &c);
    pow_bench_job(&bench, &c, pow_bench_one_in(4, c.k), 1);
    (void)pow_bench_round(&bench); /* commits the weights */
    const struct matmul unwanted = {
        .m = bench.m, .a = {bench.a, 0}, .b = bench.weights, .site.product = 1};
    assert_int_equal(device_write(bench.device, bench.a, 0, c.b, (size_t)c.m * c.k),
                     STATUS_OK);
    assert_int_equal(matmul_run(bench.port, &unwanted), STATUS_OK);
    bench.made_by = &bench.maker;
    pow_bench_expect_product(&bench, (struct matmul_site){.product = 2});
    assert_true(pow_bench_prove_all(&bench, "job 1") > 2);
    pow_bench_close(&bench);
    pow_case_close(&c);
}

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        STAND_IN_TEST(launches_are_one_where_they_can),
        STAND_IN_TEST(a_wrong_bit_is_seen),
        STAND_IN_TEST(trees_of_made_operands),
        STAND_IN_TEST(products_of_made_operands),
        STAND_IN_TEST(an_operand_is_not_made_over_one_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
