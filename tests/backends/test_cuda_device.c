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
#include "tests/product_case.h"
#include "tests/stand_in/stand_in_find.h"

static void *room(size_t count, size_t size)
{
    void *data = memory_array(count, size);

    assert_non_null(data);
    return data;
}

static struct device *device_of(const char *variant)
{
    const struct device_options options = {.variant = variant};
    struct error err = {0};
    struct device *device;

    if (device_open(backend_find("cuda"), 0, &options, &device, &err))
        fail_msg("%s", error_text(&err));
    return device;
}

static struct buffer *buffer_of(struct device *device, const void *data, size_t size)
{
    struct buffer *buffer;

    assert_int_equal(device_buffer_new(device, size, &buffer), STATUS_OK);
    if (data)
        assert_int_equal(device_write(device, buffer, 0, data, size), STATUS_OK);
    return buffer;
}

/* One product of a shape on a device. */
struct side {
    const struct product_case *shape;
    const struct product_plain *plain;
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    uint32_t hits_max;
    struct mining mining;
};

static void side_make(struct side *side, struct device *device,
                      const struct product_case *shape, const struct product_plain *plain)
{
    const size_t k = shape->k;

    *side = (struct side){.shape = shape, .plain = plain, .device = device};
    side->hits_max = (uint32_t)plain->wins + 3;
    side->a = buffer_of(device, plain->a, shape->m * k);
    side->b = buffer_of(device, plain->b, shape->n * k);
    side->c = buffer_of(device, NULL, (size_t)shape->m * shape->n * 4);
    side->hits = buffer_of(device, NULL, 8 + side->hits_max * sizeof(struct hit));
    side->mining = (struct mining){.a.rank = shape->rank,
                                   .b.rank = shape->rank,
                                   .rows = &shape->rows,
                                   .columns = &shape->columns,
                                   .hits = {side->hits, 0},
                                   .hits_max = side->hits_max};
    memset(side->mining.bound, 0xff, sizeof side->mining.bound);
    side->mining.bound[31] = shape->bound_top;
    product_seed(side->mining.a.seed, SEED_A);
    product_seed(side->mining.b.seed, SEED_B);
    assert_int_equal(device_packed_new(device, shape->n, shape->k, &side->packed),
                     STATUS_OK);
    assert_int_equal(device_pack(device, side->packed, (struct view){side->b, 0},
                                 shape->rank ? &side->mining.b : NULL),
                     STATUS_OK);
    assert_int_equal(device_reserve(device, shape->m, shape->n, shape->k, shape->rank),
                     STATUS_OK);
}

static enum status side_multiply(const struct side *side, bool is_useful)
{
    const struct multiply multiply = {
        .m = side->shape->m,
        .a = {side->a, 0},
        .b = side->packed,
        .c = {is_useful ? side->c : NULL, 0},
        .mining = side->shape->rank ? &side->mining : NULL,
    };

    return device_multiply(side->device, &multiply);
}

static void side_check(const struct side *side, bool is_useful)
{
    const struct product_case *shape = side->shape;
    const struct product_plain *p = side->plain;
    const size_t size = (size_t)shape->m * shape->n * 4;
    const size_t hits_size = 8 + side->hits_max * sizeof(struct hit);
    struct hits *hits = room(1, hits_size);
    int32_t *c = room(1, size);
    uint32_t at = 0;

    assert_int_equal(device_read(side->device, side->hits, 0, hits, hits_size),
                     STATUS_OK);
    assert_int_equal(device_read(side->device, side->c, 0, c, size), STATUS_OK);
    if (is_useful)
        assert_memory_equal(c, p->c, size);
    if (shape->rank)
        assert_int_equal(hits->count, p->wins);
    for (uint64_t t = 0; shape->rank && t < p->tile_rows * p->tile_columns; t++)
        if (p->tiles[t].ticket[31] <= shape->bound_top)
            assert_memory_equal(&hits->hit[at++], &p->tiles[t], sizeof(struct hit));
    memory_free(hits);
    memory_free(c);
}

static void side_free(struct side *side)
{
    device_packed_free(side->device, side->packed);
    device_buffer_free(side->device, side->a);
    device_buffer_free(side->device, side->b);
    device_buffer_free(side->device, side->c);
    device_buffer_free(side->device, side->hits);
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
            struct device *device = device_of(turn / 3 ? "plain" : NULL);
            struct side side;

            stand_in->lag = turn % 3;
            stand_in->mode = turn;
            side_make(&side, device, &shape, &plain);
            assert_int_equal(side_multiply(&side, true), STATUS_OK);
            side_check(&side, true);
            assert_int_equal(side_multiply(&side, false), STATUS_OK);
            assert_int_equal(device_finish(device), STATUS_OK);
            side_check(&side, !shape.rank);
            side_free(&side);
            device_close(device);
        }
        product_plain_free(&plain);
    }
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
    assert_int_equal(stand_in->pinned_held, 0);
}

enum { SMALL = 16, LARGE = 64 }; /* one range, several */

/* The shape, its composition and a device in the state `turn`. */
struct setting {
    struct product_case shape;
    struct product_plain plain;
    struct device *device;
    struct side side;
};

static void setting_make(struct setting *s, struct cuda_stand_in *stand_in, uint64_t turn,
                         uint32_t size)
{
    *s = (struct setting){
        .shape = {.m = size, .n = 2 * size, .k = 1024, .rank = 64, .bound_top = 255}};
    s->shape.rows = pattern_range(8);
    s->shape.columns = pattern_range(16);
    product_plain_make(&s->shape, &s->plain);
    stand_in->lag = turn;
    s->device = device_of("plain");
    side_make(&s->side, s->device, &s->shape, &s->plain);
}

static void setting_free(struct setting *s)
{
    side_free(&s->side);
    device_close(s->device);
    product_plain_free(&s->plain);
}

/* Three products on their way together; operands are overwritten and packed anew behind
 * them, results are read in another order. */
static void test_in_flight(void **state)
{
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct setting s;
        struct product_case shape;
        struct product_plain plain;
        struct side others[2];
        int8_t *junk;

        setting_make(&s, *state, lag, SMALL);
        shape = s.shape;
        shape.values = VALUES_EDGES;
        product_plain_make(&shape, &plain);
        for (size_t i = 0; i < 2; i++)
            side_make(&others[i], s.device, &shape, &plain);
        junk = room(s.shape.n, s.shape.k);
        assert_int_equal(side_multiply(&s.side, true), STATUS_OK);
        assert_int_equal(device_write(s.device, s.side.a, 0, junk, 1000), STATUS_OK);
        assert_int_equal(side_multiply(&others[0], false), STATUS_OK);
        assert_int_equal(side_multiply(&others[1], true), STATUS_OK);
        assert_int_equal(device_write(s.device, others[1].a, 0, junk, 1000), STATUS_OK);
        assert_int_equal(
            device_pack(s.device, others[0].packed, (struct view){others[1].b, 0}, NULL),
            STATUS_OK);
        side_check(&others[1], true);
        side_check(&s.side, true);
        side_check(&others[0], false);
        for (size_t i = 0; i < 2; i++)
            side_free(&others[i]);
        product_plain_free(&plain);
        memory_free(junk);
        setting_free(&s);
    }
}

/* The next operand is prepared, and whatever else is asked for is done, while a product
 * runs: nothing but its own buffers waits for it. */
static void test_overlap(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct setting s;
    struct side other;
    uint64_t before, queued, prepared;
    uint8_t byte;

    setting_make(&s, stand_in, LAG_LATE, SMALL);
    side_make(&other, s.device, &s.shape, &s.plain);
    assert_int_equal(device_finish(s.device), STATUS_OK);
    before = stand_in->launches_run;
    assert_int_equal(before, stand_in->launches);
    assert_int_equal(side_multiply(&s.side, true), STATUS_OK);
    queued = stand_in->launches - before;
    assert_int_equal(side_multiply(&other, true), STATUS_OK);
    assert_int_equal(device_read(s.device, s.side.a, 0, &byte, 1), STATUS_OK);
    /* noise of two operands and what takes it out again: five launches each */
    prepared = stand_in->launches_run - before;
    assert_int_equal(prepared, 2 * 5);
    assert_true(prepared < 2 * queued);
    side_check(&s.side, true);
    assert_true(stand_in->launches_run <
                stand_in->launches); /* the other's are not due */
    side_check(&other, true);
    assert_int_equal(stand_in->launches_run, stand_in->launches);
    side_free(&other);
    setting_free(&s);
}

/* A kernel of the caller's own between products reads and writes what they do. */
static void test_launch_behind(void **state)
{
    for (uint64_t lag = LAG_NONE; lag <= LAG_OTHER; lag++) {
        struct setting s;
        struct buffer *copy;
        uint32_t got[16], want[16];

        setting_make(&s, *state, lag, LARGE);
        copy = buffer_of(s.device, NULL, sizeof got);
        const struct launch core = {.kernel = KERNEL_scalar_core,
                                    .last = 16,
                                    .views = {{s.side.c, 0}, {copy, 0}},
                                    .scalars = {{.u32 = 4}}};
        void *const views[] = {s.plain.c, want};

        kernel_table[KERNEL_scalar_core].run(0, 16, views, core.scalars);
        assert_int_equal(side_multiply(&s.side, true), STATUS_OK);
        assert_int_equal(device_launch(s.device, &core), STATUS_OK);
        assert_int_equal(device_read(s.device, copy, 0, got, sizeof got), STATUS_OK);
        assert_memory_equal(got, want, sizeof got);
        device_buffer_free(s.device, copy);
        setting_free(&s);
    }
}

/* Once a job is replaced, a product that nobody waits for ends: before it begins, or
 * after the ranges that were on their way. */
static void test_stale(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct setting s;
    struct hits hits;
    uint64_t count = 7, launches;

    setting_make(&s, stand_in, LAG_NONE, LARGE);
    s.side.mining.count = &count;
    s.side.mining.seen = 6;
    launches = stand_in->launches;
    assert_int_equal(side_multiply(&s.side, false), STATUS_STALE);
    assert_int_equal(device_read(s.device, s.side.hits, 0, &hits, sizeof hits),
                     STATUS_OK);
    assert_int_equal(hits.count, 0);
    /* One that is wanted is made. */
    assert_int_equal(side_multiply(&s.side, true), STATUS_OK);
    side_check(&s.side, true);
    s.side.mining.seen = 7;
    assert_int_equal(side_multiply(&s.side, false), STATUS_OK);
    side_check(&s.side, false);
    /* Replaced by the first launch of a range: some tiles are made, not all. */
    s.side.mining.count = &stand_in->launches;
    s.side.mining.seen = stand_in->launches;
    assert_true(stand_in->launches > launches);
    assert_int_equal(side_multiply(&s.side, false), STATUS_STALE);
    assert_int_equal(device_read(s.device, s.side.hits, 0, &hits, sizeof hits),
                     STATUS_OK);
    assert_true(hits.count < s.plain.wins);
    setting_free(&s);
}

/* Everything was taken in reserve() and before. */
static void test_no_memory_taken(void **state)
{
    struct cuda_stand_in *stand_in = *state;
    struct setting s;
    uint64_t news;

    setting_make(&s, stand_in, LAG_LATE, LARGE);
    news = stand_in->memory_news;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(device_pack(s.device, s.side.packed, (struct view){s.side.b, 0},
                                     &s.side.mining.b),
                         STATUS_OK);
        assert_int_equal(side_multiply(&s.side, i % 2), STATUS_OK);
        side_check(&s.side, i % 2);
    }
    assert_int_equal(stand_in->memory_news, news);
    /* What reserve() was not asked for is refused, not taken. */
    struct multiply larger = {.m = s.shape.m + 1,
                              .a = {s.side.b, 0},
                              .b = s.side.packed,
                              .mining = &s.side.mining};
    assert_int_equal(device_multiply(s.device, &larger), STATUS_NO_MEMORY);
    assert_int_equal(stand_in->memory_news, news);
    setting_free(&s);
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
        device = device_of(NULL);
        buffer = buffer_of(device, NULL, SIZE + AT);
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
    struct device *device = device_of("plain");
    size_t first = 0;

    (void)state;
    while (cuda_rows[first]->is_trial || !cuda_row_runs(cuda_rows[first], 90))
        first++;
    assert_string_equal(device_info(device)->variant, "plain");
    device_close(device);
    assert_int_equal(setenv("MINERVA_CUDA", "wgmma_lane", 1), 0); /* one on trial */
    device = device_of(NULL);
    assert_string_equal(device_info(device)->variant, "wgmma_lane");
    device_close(device);
    assert_int_equal(unsetenv("MINERVA_CUDA"), 0);
    device = device_of(NULL);
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

#define TEST(name)                                                                       \
    {                                                                                    \
#name, name, NULL, NULL, stand_in                                                \
    }

int main(void)
{
    struct cuda_stand_in *stand_in = stand_in_find();
    const struct CMUnitTest tests[] = {
        TEST(test_products),      TEST(test_in_flight), TEST(test_overlap),
        TEST(test_launch_behind), TEST(test_stale),     TEST(test_no_memory_taken),
        TEST(test_transfers),     TEST(test_variants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
