/*
 * test_cuda_ahead.c - claim: on CUDA what a product needs of its left operand is made
 * while the product before it has not run yet, and what was made ahead is used for the
 * product it was made for and for no other, whatever comes between.
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

#include "miner/base/memory.h"
#include "tests/cuda_side.h"
#include "tests/stand_in/stand_in_find.h"

static enum status prepare(const struct cuda_side *side, bool is_useful)
{
    const struct multiply ask = cuda_side_ask(side, is_useful);

    return device_prepare(side->device, &ask);
}

/* What a stand-in that runs nothing before it must was asked for and has run. */
struct ledger {
    const struct cuda_stand_in *stand_in;
    uint64_t asked, run;
};

static struct ledger ledger_begin(struct cuda_stand_in *stand_in, struct device *device)
{
    assert_int_equal(device_finish(device), STATUS_OK);
    assert_int_equal(stand_in->launches, stand_in->launches_run);
    return (struct ledger){stand_in, stand_in->launches, stand_in->launches_run};
}

static uint64_t asked(struct ledger *ledger)
{
    const uint64_t before = ledger->asked;

    ledger->asked = ledger->stand_in->launches;
    return ledger->asked - before;
}

static uint64_t run(struct ledger *ledger)
{
    const uint64_t before = ledger->run;

    ledger->run = ledger->stand_in->launches_run;
    return ledger->run - before;
}

static void wait_for_preparations(const struct cuda_side *of)
{
    uint8_t byte;

    /* Of a buffer that no product writes: nothing but preparations has to happen. */
    assert_int_equal(device_read(of->device, of->b, 0, &byte, 1), STATUS_OK);
}

/* All of the preparation happens, nothing of the product before it does, and then the
 * product alone is left to do. */
static void test_before_the_product_before_it(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (int is_useful = 0; is_useful < 2; is_useful++) {
        struct cuda_setting s;
        struct cuda_side other;

        cuda_setting_make(&s, stand_in, LAG_LATE, CUDA_SMALL);
        cuda_side_make(&other, s.device, &s.shape, &s.plain);
        assert_int_equal(device_info(s.device)->products_ahead, 1);
        struct ledger ledger = ledger_begin(stand_in, s.device);
        assert_int_equal(cuda_side_multiply(&s.side, is_useful), STATUS_OK);
        const uint64_t whole = asked(&ledger);
        wait_for_preparations(&s.side);
        const uint64_t preparation = run(&ledger);
        assert_true(preparation > 0 && preparation < whole);
        assert_int_equal(prepare(&other, is_useful), STATUS_OK);
        assert_int_equal(asked(&ledger), preparation);
        wait_for_preparations(&s.side);
        assert_int_equal(run(&ledger), preparation);
        cuda_side_check(&s.side, is_useful);
        assert_int_equal(run(&ledger), whole - preparation);
        assert_int_equal(cuda_side_multiply(&other, is_useful), STATUS_OK);
        assert_int_equal(asked(&ledger), whole - preparation);
        cuda_side_check(&other, is_useful);
        assert_int_equal(run(&ledger), whole - preparation);
        cuda_side_free(&other);
        cuda_setting_free(&s);
    }
}

/* Two products in turns, each prepared while the other one runs, in every order. */
static void test_in_turns(void **state)
{
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct cuda_setting s;
        struct product_case shape;
        struct product_plain plain;
        struct cuda_side other;

        cuda_setting_make(&s, *state, lag, CUDA_LARGE);
        shape = s.shape;
        shape.values = VALUES_EDGES;
        product_plain_make(&shape, &plain);
        cuda_side_make(&other, s.device, &shape, &plain);
        assert_int_equal(cuda_side_multiply(&s.side, false), STATUS_OK);
        for (int i = 0; i < 4; i++) {
            const struct cuda_side *const next = i % 2 ? &s.side : &other;
            const struct cuda_side *const last = i % 2 ? &other : &s.side;

            assert_int_equal(prepare(next, false), STATUS_OK);
            cuda_side_check(last, false);
            assert_int_equal(cuda_side_multiply(next, false), STATUS_OK);
        }
        cuda_side_check(&s.side, false);
        cuda_side_free(&other);
        product_plain_free(&plain);
        cuda_setting_free(&s);
    }
}

/* What may come between a preparation and its product. */
enum between {
    BETWEEN_NOTHING,
    BETWEEN_OTHER_PRODUCT,
    BETWEEN_OTHER_PREPARATION,
    BETWEEN_PACK,
    BETWEEN_RESERVE,
    BETWEEN_WRITE,
    BETWEEN_FREE,
    BETWEENS
};

static void change_left(struct cuda_side *side, const int8_t *a, size_t size)
{
    assert_int_equal(device_write(side->device, side->a, 0, a, size), STATUS_OK);
}

static void do_between(enum between between, struct cuda_side *side,
                       struct cuda_side *other)
{
    const struct product_case *shape = side->shape;

    switch (between) {
    case BETWEEN_OTHER_PRODUCT:
        assert_int_equal(cuda_side_multiply(other, true), STATUS_OK);
        break;
    case BETWEEN_OTHER_PREPARATION:
        assert_int_equal(prepare(other, true), STATUS_OK);
        break;
    case BETWEEN_PACK:
        assert_int_equal(device_pack(side->device, side->packed,
                                     (struct view){side->b, 0}, &side->mining.b),
                         STATUS_OK);
        break;
    case BETWEEN_RESERVE: /* its scratch is another one now */
        assert_int_equal(device_reserve(side->device, 2 * shape->m, 2 * shape->n,
                                        shape->k, shape->rank),
                         STATUS_OK);
        break;
    case BETWEEN_WRITE: /* it was prepared from zeros */
        change_left(side, side->plain->a, (size_t)shape->m * shape->k);
        break;
    case BETWEEN_FREE:
        cuda_side_free(side);
        cuda_side_make(side, other->device, other->shape, other->plain);
        break;
    default:
        break;
    }
}

static void test_whatever_comes_between(void **state)
{
    for (uint32_t i = 0; i < BETWEENS * 3; i++) {
        const enum between between = i / 3;
        struct cuda_setting s;
        struct cuda_side other;

        cuda_setting_make(&s, *state, i % 3, CUDA_SMALL);
        cuda_side_make(&other, s.device, &s.shape, &s.plain);
        if (between == BETWEEN_WRITE) {
            const size_t size = (size_t)s.shape.m * s.shape.k;
            int8_t *zeros = memory_array(size, 1);
            assert_non_null(zeros);
            change_left(&s.side, zeros, size);
            memory_free(zeros);
        }
        assert_int_equal(cuda_side_multiply(&other, true), STATUS_OK);
        assert_int_equal(prepare(&s.side, true), STATUS_OK);
        do_between(between, &s.side, &other);
        assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
        cuda_side_check(&s.side, true);
        if (between == BETWEEN_OTHER_PREPARATION) /* cleared its hits */
            assert_int_equal(cuda_side_multiply(&other, true), STATUS_OK);
        cuda_side_check(&other, true);
        cuda_side_free(&other);
        cuda_setting_free(&s);
    }
}

/* One word of the ask is another one: what was prepared is not used for it. */
static void test_another_ask(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct cuda_setting s;
    uint64_t preparation;

    cuda_setting_make(&s, stand_in, LAG_LATE, CUDA_SMALL);
    const struct mining mining = s.side.mining;
    const struct pattern rows = pattern_range(16);
    struct ledger ledger = ledger_begin(stand_in, s.device);
    assert_int_equal(prepare(&s.side, false), STATUS_OK);
    preparation = asked(&ledger);
    for (int i = 0; i < 6; i++) {
        s.side.mining = mining;
        assert_int_equal(prepare(&s.side, false), STATUS_OK);
        assert_int_equal(asked(&ledger), preparation);
        assert_int_equal(device_finish(s.device), STATUS_OK);
        const uint64_t run_before = stand_in->launches_run;
        if (i == 1)
            s.side.mining.a.seed[31] ^= 1;
        else if (i == 2)
            s.side.mining.bound[0] ^= 1;
        else if (i == 3)
            s.side.mining.rows = &rows;
        else if (i == 4)
            s.side.mining.hits_max--;
        else if (i == 5)
            s.side.mining.seen++; /* when to leave off: the same product */
        assert_int_equal(cuda_side_multiply(&s.side, false), STATUS_OK);
        const uint64_t rest = asked(&ledger);
        if (i == 0 || i == 5)
            assert_true(rest < 2 * preparation);
        else
            assert_true(rest >= preparation);
        assert_int_equal(device_finish(s.device), STATUS_OK);
        assert_int_equal(stand_in->launches_run - run_before, rest);
    }
    cuda_setting_free(&s);
}

/* A card with room for one set only: nothing is made ahead, and nothing waits for the
 * product that works in it. */
static void test_one_set(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    const uint64_t memory = stand_in->memory;
    struct cuda_setting s;
    struct cuda_side other;

    stand_in->memory = 2 << 20;
    cuda_setting_make(&s, stand_in, LAG_LATE, CUDA_LARGE);
    cuda_side_make(&other, s.device, &s.shape, &s.plain);
    struct ledger ledger = ledger_begin(stand_in, s.device);
    assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
    wait_for_preparations(&s.side);
    (void)asked(&ledger);
    (void)run(&ledger);
    assert_int_equal(prepare(&other, true), STATUS_OK);
    wait_for_preparations(&s.side);
    assert_int_equal(asked(&ledger), 0);
    assert_int_equal(run(&ledger), 0);
    cuda_side_check(&s.side, true);
    assert_int_equal(cuda_side_multiply(&other, true), STATUS_OK);
    cuda_side_check(&other, true);
    cuda_side_free(&other);
    cuda_setting_free(&s);
    stand_in->memory = memory;
}

/* What multiply() would refuse. */
static void test_refusals(void **state)
{
    struct cuda_setting s;

    cuda_setting_make(&s, *state, LAG_NONE, CUDA_SMALL);
    struct multiply ask = {.m = s.shape.m + 1,
                           .a = {s.side.b, 0},
                           .b = s.side.packed,
                           .mining = &s.side.mining};
    assert_int_equal(device_prepare(s.device, &ask), STATUS_NO_MEMORY);
    ask.a.buffer = s.side.a;
    assert_int_equal(device_prepare(s.device, &ask), STATUS_BAD_DATA);
    ask.m = s.shape.m;
    s.side.mining.hits.offset = 2;
    assert_int_equal(device_prepare(s.device, &ask), STATUS_BAD_DATA);
    s.side.mining.hits.offset = 0;
    device_fail_at(s.device, 1);
    assert_int_equal(prepare(&s.side, true), STATUS_DEVICE_LOST);
    assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
    cuda_side_check(&s.side, true);
    cuda_setting_free(&s);
}

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        STAND_IN_TEST(test_before_the_product_before_it),
        STAND_IN_TEST(test_in_turns),
        STAND_IN_TEST(test_whatever_comes_between),
        STAND_IN_TEST(test_another_ask),
        STAND_IN_TEST(test_one_set),
        STAND_IN_TEST(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
