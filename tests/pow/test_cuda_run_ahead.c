/*
 * test_cuda_run_ahead.c - claims: all that a product without a result needs beforehand,
 * its root included, is made while the product before it has not run yet; of left
 * operands that take turns only what changed is hashed, and no tree is taken for another;
 * and they take no more memory than is asked of a card beforehand.
 *
 * labels: plain
 * Against the stand-in for the driver (tests/stand_in); no card is asked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "miner/tasks/generated.h"
#include "miner/tasks/idle.h"
#include "tests/stand_in/stand_in_find.h"
#include "tests/two_lefts.h"

enum { CHANGED = 64 };

/* Product after product without a result: what each one asks for, but itself, happens
 * before the one in front of it. */
static void test_prepares_beside_the_product_before(void **state)
{
    enum { PRODUCTS = 6 };
    struct cuda_stand_in *stand_in = *state;
    uint64_t product = 0;
    struct two_lefts bench;

    stand_in->lag = LAG_LATE;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    for (uint32_t i = 0; i < PRODUCTS; i++) {
        const struct matmul_change change = {0, i < 2 ? 0 : CHANGED};
        const int8_t fresh[CHANGED] = {(int8_t)i};
        const uint64_t asked = stand_in->launches, before = stand_in->launches_before;
        const uint64_t hashing = device_counters(bench.device)->launches;

        assert_int_equal(
            device_write(bench.device, bench.left[i % 2], 0, fresh, sizeof fresh),
            STATUS_OK);
        assert_int_equal(two_lefts_mine(&bench, i % 2, change), STATUS_OK);
        const uint64_t left = stand_in->launches - stand_in->launches_run;
        const uint64_t wanted = stand_in->launches - asked;
        assert_true(left > 0 && left < wanted);
        if (i < 2) { /* their trees are made whole, the first one's of both operands */
            product = left;
            continue;
        }
        assert_int_equal(left, product);
        assert_int_equal(stand_in->launches_before - before, wanted - product);
        /* The tree's launches are the run's own, those of noise the device's. */
        assert_true(device_counters(bench.device)->launches > hashing);
        assert_true(wanted - product > device_counters(bench.device)->launches - hashing);
    }
    assert_int_equal(matmul_drain(bench.mine.port), STATUS_OK);
    assert_int_equal(stand_in->launches_run, stand_in->launches);
    two_lefts_close(&bench);
}

/* One operand's products with nothing between them: a tree that is older than the last
 * one is not taken for it. */
static void test_one_operand_on_both_sides(void **state)
{
    const struct matmul_change none = {0, 0}, first = {0, CHANGED},
                               other = {4 * CHUNK_SIZE, CHANGED};
    const int8_t fresh[CHANGED] = {1, 2, 3};
    struct cuda_stand_in *stand_in = *state;
    struct two_lefts_found *found = memory_new(struct two_lefts_found);
    struct two_lefts bench;

    assert_non_null(found);
    stand_in->lag = LAG_LATE;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    assert_int_equal(two_lefts_mine(&bench, 0, none), STATUS_OK);
    assert_int_equal(two_lefts_mine(&bench, 0, none), STATUS_OK);
    assert_int_equal(matmul_drain(bench.mine.port), STATUS_OK);
    assert_int_equal(device_write(bench.device, bench.left[0], 0, fresh, sizeof fresh),
                     STATUS_OK);
    two_lefts_take(&bench, found);
    const uint32_t before = found->count;
    assert_int_equal(two_lefts_mine(&bench, 0, first), STATUS_OK);
    assert_int_equal(two_lefts_mine(&bench, 0, other), STATUS_OK); /* nothing is new */
    assert_int_equal(matmul_drain(bench.mine.port), STATUS_OK);
    two_lefts_take(&bench, found);
    const uint32_t after = found->count - before;
    assert_true(before > 1 && before % 2 == 0);
    assert_true(after > 1 && after % 2 == 0);
    assert_memory_equal(found->digests[0], found->digests[before / 2], BLAKE3_SIZE);
    assert_memory_equal(found->digests[before], found->digests[before + after / 2],
                        BLAKE3_SIZE);
    two_lefts_close(&bench);
    memory_free(found);
}

/* The root that the last product's findings are under. */
static void last_root(struct two_lefts *bench, uint8_t root[DIGEST_SIZE])
{
    bool is_found = false;
    void *thing;

    assert_int_equal(matmul_drain(bench->mine.port), STATUS_OK);
    while (!queue_take(bench->mine.found, 0, &thing)) {
        const struct outgoing *out = thing;
        memcpy(root, out->as.finding->proof.a.root, DIGEST_SIZE);
        is_found = true;
        outgoing_free(thing);
    }
    assert_true(is_found);
}

/* What a caller says to be as it was is not hashed again, on either side: it could be
 * anything. */
static void test_hashes_what_changed(void **state)
{
    const struct matmul_change none = {0, 0}, first = {0, CHANGED};
    const int8_t junk[CHANGED] = {1, 2, 3};
    struct cuda_stand_in *stand_in = *state;
    uint8_t roots[2][DIGEST_SIZE], root[DIGEST_SIZE];
    struct two_lefts bench;

    stand_in->lag = LAG_LATE;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(two_lefts_mine(&bench, i, none), STATUS_OK);
        if (i)
            last_root(&bench, roots[1]);
    }
    assert_int_equal(two_lefts_mine(&bench, 0, first), STATUS_OK);
    last_root(&bench, roots[0]);
    assert_memory_not_equal(roots[0], roots[1], DIGEST_SIZE);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(device_write(bench.device, bench.left[i % 2], 5 * CHUNK_SIZE,
                                      junk, sizeof junk),
                         STATUS_OK);
        assert_int_equal(two_lefts_mine(&bench, i % 2, i < 4 ? first : none), STATUS_OK);
        last_root(&bench, root);
        if (i < 4)
            assert_memory_equal(root, roots[i % 2], DIGEST_SIZE);
        else
            assert_memory_not_equal(root, roots[i % 2], DIGEST_SIZE);
    }
    two_lefts_close(&bench);
}

struct watching { /* a port that remembers */
    struct matmul_port port;
    struct matmul product;
};

static enum status watch(struct matmul_port *port, const struct matmul *product)
{
    ((struct watching *)port)->product = *product;
    return matmul_run(port->below, product);
}

/* Generated products: two left matrices in turns, of which all but a chunk stays, and no
 * root comes twice. */
static void test_generated_products_take_turns(void **state)
{
    enum { ATTEMPTS = 8 };
    struct cuda_stand_in *stand_in = *state;
    uint8_t roots[TWO_LEFTS_FOUND_MAX][DIGEST_SIZE];
    uint32_t count = 0, changes = 0;
    struct watching watching = {.port.run = watch};
    const struct buffer *last = NULL;
    struct share *share;
    struct proof proof;
    struct idle *idle;
    struct two_lefts bench;

    stand_in->lag = LAG_OTHER;
    two_lefts_open(&bench, "cuda", "plain");
    two_lefts_rank(&bench, 32);
    watching.port.below = bench.mine.port;
    watching.port.device = bench.device;
    assert_int_equal(idle_new(bench.device, (struct model_shape){LEFT_M, LEFT_N, LEFT_K},
                              true, &idle, NULL),
                     STATUS_OK);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        assert_int_equal(idle_run(idle, &watching.port), STATUS_OK);
        assert_true(watching.product.a.buffer != last);
        assert_int_equal(watching.product.change.size, i < 2 ? 0 : CHUNK_SIZE);
        last = watching.product.a.buffer;
    }
    assert_int_equal(matmul_drain(bench.mine.port), STATUS_OK);
    while (easy_mine_take(&bench.mine, &share, &proof)) {
        memcpy(roots[count++], proof.a.root, DIGEST_SIZE);
        share_free(share);
        proof_free(&proof);
    }
    for (uint32_t i = 1; i < count; i++) {
        const bool is_new = memcmp(roots[i], roots[i - 1], DIGEST_SIZE) != 0;
        changes += is_new;
        for (uint32_t j = 0; is_new && j < i; j++)
            assert_memory_not_equal(roots[i], roots[j], DIGEST_SIZE);
    }
    assert_int_equal(changes, ATTEMPTS - 1);
    idle_free(idle);
    two_lefts_close(&bench);
}

/* What generated products take of the card is no more than is asked of it beforehand. */
static void test_memory_is_what_is_said(void **state)
{
    const struct model_shape shapes[] = {{256, 256, 2048}, {1024, 512, 4096}};
    struct cuda_stand_in *stand_in = *state;
    const uint64_t memory = stand_in->memory;

    stand_in->memory = (uint64_t)4 << 30;
    for (int i = 0; i < 2; i++) {
        const struct model_shape shape = shapes[i];
        const struct pow_limits limits = {(uint32_t)shape.m, (uint32_t)shape.n,
                                          (uint32_t)shape.k, .hits = 64};
        struct device *device;
        struct easy_mine mine;
        struct idle *idle;

        assert_int_equal(device_open(backend_find("cuda"), 0, NULL, &device, NULL),
                         STATUS_OK);
        const uint64_t before = stand_in->memory_held;
        easy_mine_open(&mine, device, &limits, 32, "1");
        assert_int_equal(idle_new(device, shape, true, &idle, NULL), STATUS_OK);
        assert_int_equal(scheme_noisy_gemm.prepare(mine.run, idle_operand(idle), NULL),
                         STATUS_OK);
        assert_true(stand_in->memory_held - before <= generated_size(shape, 2));
        idle_free(idle);
        easy_mine_close(&mine);
        device_close(device);
    }
    stand_in->memory = memory;
}

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        STAND_IN_TEST(test_prepares_beside_the_product_before),
        STAND_IN_TEST(test_one_operand_on_both_sides),
        STAND_IN_TEST(test_hashes_what_changed),
        STAND_IN_TEST(test_memory_is_what_is_said),
        STAND_IN_TEST(test_generated_products_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
