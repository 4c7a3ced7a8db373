/*
 * test_cuda_device.c - claim: the host half of the CUDA backend gives the products,
 * tickets and clean results of the shared text in whatever order its streams run, takes
 * no memory while a task steps, and leaves a replaced job's product off.
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

#include "backends/cuda/cuda_calls.h"
#include "miner/base/memory.h"
#include "tests/cuda_side.h"
#include "tests/stand_in/stand_in_find.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static const struct product_case shapes[] = {
    {.m = 33, .n = 17, .k = 100},
    {.m = 64, .n = 300, .k = 128, .values = VALUES_WIDE},
    {.m = 64, .n = 96, .k = 1024, .rank = 64, .bound_top = 255},
    {.m = 50, .n = 77, .k = 1088, .rank = 64, .bound_top = 31, .values = VALUES_EDGES},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Every shape by every way, useful and not, in every order of the streams. */
static void test_products(void **state)
{
    struct cuda_stand_in *stand_in = *state;

    for (size_t i = 0; i < SHAPES; i++) {
        struct product_case shape = shapes[i];
        struct product_plain plain;

        shape.rows = pattern_range(8);
        shape.columns = pattern_range(16);
        product_plain_make(&shape, &plain);
        for (uint64_t turn = 0; turn < 6; turn++) {
            struct device *device = made_device("cuda", turn / 3 ? "plain" : NULL);
            struct cuda_side side;

            stand_in->lag = turn % 3;
            stand_in->mode = turn;
            cuda_side_make(&side, device, &shape, &plain);
            assert_int_equal(cuda_side_multiply(&side, true), STATUS_OK);
            cuda_side_check(&side, true);
            assert_int_equal(cuda_side_multiply(&side, false), STATUS_OK);
            assert_int_equal(device_finish(device), STATUS_OK);
            cuda_side_check(&side, !shape.rank);
            cuda_side_free(&side);
            device_close(device);
        }
        product_plain_free(&plain);
    }
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
    assert_int_equal(stand_in->pinned_held, 0);
}

/* Three products on their way together; operands are overwritten and packed anew behind
 * them, results are read in another order. */
static void test_in_flight(void **state)
{
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct cuda_setting s;
        struct product_case shape;
        struct product_plain plain;
        struct cuda_side others[2];
        int8_t *junk;

        cuda_setting_make(&s, *state, lag, CUDA_SMALL);
        shape = s.shape;
        shape.values = VALUES_EDGES;
        product_plain_make(&shape, &plain);
        for (size_t i = 0; i < 2; i++)
            cuda_side_make(&others[i], s.device, &shape, &plain);
        junk = room(s.shape.n, s.shape.k);
        assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
        assert_int_equal(device_write(s.device, s.side.a, 0, junk, 1000), STATUS_OK);
        assert_int_equal(cuda_side_multiply(&others[0], false), STATUS_OK);
        assert_int_equal(cuda_side_multiply(&others[1], true), STATUS_OK);
        assert_int_equal(device_write(s.device, others[1].a, 0, junk, 1000), STATUS_OK);
        assert_int_equal(
            device_pack(s.device, others[0].packed, (struct view){others[1].b, 0}, NULL),
            STATUS_OK);
        cuda_side_check(&others[1], true);
        cuda_side_check(&s.side, true);
        cuda_side_check(&others[0], false);
        for (size_t i = 0; i < 2; i++)
            cuda_side_free(&others[i]);
        product_plain_free(&plain);
        memory_free(junk);
        cuda_setting_free(&s);
    }
}

/* The next operand is prepared, and whatever else is asked for is done, while a product
 * runs: nothing but its own buffers waits for it. */
static void test_overlap(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct cuda_setting s;
    struct cuda_side other;
    uint64_t before, queued, prepared;
    uint8_t byte;

    cuda_setting_make(&s, stand_in, LAG_LATE, CUDA_SMALL);
    cuda_side_make(&other, s.device, &s.shape, &s.plain);
    assert_int_equal(device_finish(s.device), STATUS_OK);
    before = stand_in->launches_run;
    assert_int_equal(before, stand_in->launches);
    assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
    queued = stand_in->launches - before;
    assert_int_equal(cuda_side_multiply(&other, true), STATUS_OK);
    assert_int_equal(device_read(s.device, s.side.a, 0, &byte, 1), STATUS_OK);
    /* noise of two operands and what takes it out again: five launches each */
    prepared = stand_in->launches_run - before;
    assert_int_equal(prepared, 2 * 5);
    assert_true(prepared < 2 * queued);
    cuda_side_check(&s.side, true);
    assert_true(stand_in->launches_run <
                stand_in->launches); /* the other's are not due */
    cuda_side_check(&other, true);
    assert_int_equal(stand_in->launches_run, stand_in->launches);
    cuda_side_free(&other);
    cuda_setting_free(&s);
}

/* a is noised by the launch that sums x, or by one of its own where that is missing. */
static void test_joint(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct cuda_setting s;
    uint64_t launches[2];

    cuda_setting_make(&s, stand_in, LAG_NONE, CUDA_LARGE);
    for (uint32_t apart = 0; apart < 2; apart++) {
        struct device *device = made_device("cuda", NULL);
        struct cuda_side side;

        cuda_side_make(&side, device, &s.shape, &s.plain);
        if (apart)
            memset(device->joint, 0, sizeof device->joint);
        launches[apart] = stand_in->launches;
        assert_int_equal(cuda_side_multiply(&side, true), STATUS_OK);
        launches[apart] = stand_in->launches - launches[apart];
        cuda_side_check(&side, true);
        cuda_side_free(&side);
        device_close(device);
    }
    assert_int_equal(launches[0] + 1, launches[1]);
    cuda_setting_free(&s);
}

/* A kernel of the caller's own between products reads and writes what they do. */
static void test_launch_behind(void **state)
{
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct cuda_setting s;
        struct buffer *copy;
        uint32_t got[16], want[16];

        cuda_setting_make(&s, *state, lag, CUDA_LARGE);
        copy = made_buffer(s.device, NULL, sizeof got);
        const struct launch core = {.kernel = KERNEL_scalar_core,
                                    .last = 16,
                                    .views = {{s.side.c, 0}, {copy, 0}},
                                    .scalars = {{.u32 = 4}}};
        void *const views[] = {s.plain.c, want};

        kernel_table[KERNEL_scalar_core].run(0, 16, views, core.scalars);
        assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
        assert_int_equal(device_launch(s.device, &core), STATUS_OK);
        assert_int_equal(device_read(s.device, copy, 0, got, sizeof got), STATUS_OK);
        assert_memory_equal(got, want, sizeof got);
        device_buffer_free(s.device, copy);
        cuda_setting_free(&s);
    }
}

/* Once a job is replaced, a product that nobody waits for ends: before it begins, or
 * after the ranges that were on their way. */
static void test_stale(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct cuda_setting s;
    struct hits hits;
    uint64_t count = 7, launches;

    cuda_setting_make(&s, stand_in, LAG_NONE, CUDA_LARGE);
    s.side.mining.count = &count;
    s.side.mining.seen = 6;
    launches = stand_in->launches;
    assert_int_equal(cuda_side_multiply(&s.side, false), STATUS_STALE);
    assert_int_equal(device_read(s.device, s.side.hits, 0, &hits, sizeof hits),
                     STATUS_OK);
    assert_int_equal(hits.count, 0);
    /* One that is wanted is made. */
    assert_int_equal(cuda_side_multiply(&s.side, true), STATUS_OK);
    cuda_side_check(&s.side, true);
    s.side.mining.seen = 7;
    assert_int_equal(cuda_side_multiply(&s.side, false), STATUS_OK);
    cuda_side_check(&s.side, false);
    /* Replaced by the first launch of a range: some tiles are made, not all. */
    s.side.mining.count = &stand_in->launches;
    s.side.mining.seen = stand_in->launches;
    assert_true(stand_in->launches > launches);
    assert_int_equal(cuda_side_multiply(&s.side, false), STATUS_STALE);
    assert_int_equal(device_read(s.device, s.side.hits, 0, &hits, sizeof hits),
                     STATUS_OK);
    assert_true(hits.count < s.plain.wins);
    cuda_setting_free(&s);
}

/* Everything was taken in reserve() and before. */
static void test_no_memory_taken(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct cuda_setting s;
    uint64_t news;

    cuda_setting_make(&s, stand_in, LAG_LATE, CUDA_LARGE);
    news = stand_in->memory_news;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(device_pack(s.device, s.side.packed, (struct view){s.side.b, 0},
                                     &s.side.mining.b),
                         STATUS_OK);
        assert_int_equal(cuda_side_multiply(&s.side, i % 2), STATUS_OK);
        cuda_side_check(&s.side, i % 2);
    }
    assert_int_equal(stand_in->memory_news, news);
    /* What reserve() was not asked for is refused, not taken. */
    struct multiply larger = {.m = s.shape.m + 1,
                              .a = {s.side.b, 0},
                              .b = s.side.packed,
                              .mining = &s.side.mining};
    assert_int_equal(device_multiply(s.device, &larger), STATUS_NO_MEMORY);
    assert_int_equal(stand_in->memory_news, news);
    cuda_setting_free(&s);
}

/* Data larger than what it passes through, at odd places. */
static void test_transfers(void **state)
{
    enum { SIZE = (9 << 20) + 77, AT = 13 };
    struct cuda_stand_in *stand_in = *state;
    uint8_t *data = room(SIZE, 1), *back = room(SIZE, 1);

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 24);
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct device *device;
        struct buffer *buffer;

        stand_in->lag = lag;
        device = made_device("cuda", NULL);
        buffer = made_buffer(device, NULL, SIZE + AT);
        assert_int_equal(device_read(device, buffer, 0, back, SIZE), STATUS_OK);
        assert_int_equal(back[0] | back[SIZE - 1], 0); /* new memory is clear */
        assert_int_equal(device_write(device, buffer, AT, data, SIZE), STATUS_OK);
        assert_int_equal(device_write(device, buffer, AT + 5, data + 5, 9), STATUS_OK);
        assert_int_equal(device_read(device, buffer, AT, back, SIZE), STATUS_OK);
        assert_memory_equal(back, data, SIZE);
        assert_int_equal(device_read(device, buffer, AT + SIZE - 3, back, 3), STATUS_OK);
        assert_memory_equal(back, data + SIZE - 3, 3);
        device_buffer_free(device, buffer);
        device_close(device);
    }
    memory_free(data);
    memory_free(back);
}

/* A row by name, or a sentence with the names there are. */
static void test_variants(void **state)
{
    const struct device_options unknown = {.variant = "abacus"},
                                other = {.variant = "turing_lane"};
    struct error err = {0};
    struct device *device = made_device("cuda", "plain");
    size_t first = 0;

    (void)state;
    while (cuda_rows[first]->is_trial || !cuda_row_runs(cuda_rows[first], 90))
        first++;
    assert_string_equal(device_info(device)->variant, "plain");
    device_close(device);
    assert_int_equal(setenv("MINERVA_CUDA", "wgmma_lane", 1), 0); /* one on trial */
    device = made_device("cuda", NULL);
    assert_string_equal(device_info(device)->variant, "wgmma_lane");
    device_close(device);
    assert_int_equal(unsetenv("MINERVA_CUDA"), 0);
    device = made_device("cuda", NULL);
    assert_string_equal(device_info(device)->variant, cuda_rows[first]->name);
    device_close(device);
    assert_int_equal(device_open(backend_find("cuda"), 0, &unknown, &device, &err),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "\"abacus\""));
    assert_int_equal(device_open(backend_find("cuda"), 0, &other, &device, &err),
                     STATUS_ABSENT);
    assert_non_null(strstr(err.text, "compute capability 9.0"));
    assert_int_equal(device_open(backend_find("cuda"), 1, NULL, &device, &err),
                     STATUS_NO_DEVICE);
    assert_string_equal(err.text, "cuda: no device 1, the driver knows 1");
}

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        STAND_IN_TEST(test_products), STAND_IN_TEST(test_in_flight),
        STAND_IN_TEST(test_overlap),  STAND_IN_TEST(test_launch_behind),
        STAND_IN_TEST(test_stale),    STAND_IN_TEST(test_no_memory_taken),
        STAND_IN_TEST(test_joint),    STAND_IN_TEST(test_transfers),
        STAND_IN_TEST(test_variants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
