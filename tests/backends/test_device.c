/*
 * test_device.c - claim: the checked face refuses what lies outside buffers or does not
 * fit together, before a backend sees it; makes the n-th call fail when asked; and every
 * backend of the table is either usable or says why not.
 *
 * labels: avx2
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "backends/matmul.h"

enum { M = 16, N = 32, K = 1024, RANK = 32 };

struct fixture {
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *clean, *noised;
    struct noise noise;
    struct pattern rows, columns;
};

static struct buffer *buffer_make(struct device *device, size_t size)
{
    struct buffer *buffer = NULL;

    assert_int_equal(device_buffer_new(device, size, &buffer), STATUS_OK);
    assert_int_equal(device_buffer_size(buffer), size);
    return buffer;
}

static int fixture_open(void **state)
{
    static struct fixture f;
    const struct device_options options = {.threads = 2, .variant = "portable"};
    struct error err;

    f = (struct fixture){
        .noise.rank = RANK, .rows = pattern_range(8), .columns = pattern_range(16)};
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &f.device, &err),
                     STATUS_OK);
    f.a = buffer_make(f.device, (size_t)M * K);
    f.b = buffer_make(f.device, (size_t)N * K);
    f.c = buffer_make(f.device, (size_t)M * N * 4);
    f.hits = buffer_make(f.device, sizeof(struct hits) + 4 * sizeof(struct hit));
    assert_int_equal(device_packed_new(f.device, N, K, &f.clean), STATUS_OK);
    assert_int_equal(device_packed_new(f.device, N, K, &f.noised), STATUS_OK);
    assert_int_equal(device_pack(f.device, f.clean, (struct view){f.b, 0}, NULL),
                     STATUS_OK);
    assert_int_equal(device_pack(f.device, f.noised, (struct view){f.b, 0}, &f.noise),
                     STATUS_OK);
    assert_int_equal(device_reserve(f.device, M, N, K, RANK), STATUS_OK);
    *state = &f;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *f = *state;

    device_packed_free(f->device, f->clean);
    device_packed_free(f->device, f->noised);
    device_buffer_free(f->device, f->a);
    device_buffer_free(f->device, f->b);
    device_buffer_free(f->device, f->c);
    device_buffer_free(f->device, f->hits);
    assert_int_equal(device_counters(f->device)->bytes_held, 0);
    device_close(f->device);
    return 0;
}

static void test_transfers(void **state)
{
    const struct fixture *f = *state;
    uint8_t bytes[64] = {1, 2, 3}, back[64];
    const size_t size = (size_t)M * K;

    assert_int_equal(device_write(f->device, f->a, size - 64, bytes, 64), STATUS_OK);
    assert_int_equal(device_read(f->device, f->a, size - 64, back, 64), STATUS_OK);
    assert_memory_equal(bytes, back, 64);
    assert_int_equal(device_write(f->device, f->a, size, bytes, 0), STATUS_OK);
    assert_int_equal(device_write(f->device, f->a, size - 63, bytes, 64),
                     STATUS_BAD_DATA);
    assert_int_equal(device_write(f->device, f->a, size + 1, bytes, 0), STATUS_BAD_DATA);
    assert_int_equal(device_write(f->device, f->a, SIZE_MAX, bytes, 2), STATUS_BAD_DATA);
    assert_int_equal(device_read(f->device, f->a, size - 63, back, 64), STATUS_BAD_DATA);
    assert_int_equal(device_read(f->device, f->a, SIZE_MAX - 1, back, 64),
                     STATUS_BAD_DATA);
}

static void test_foreign_buffers(void **state)
{
    const struct fixture *f = *state;
    struct device *other;
    struct error err;
    uint8_t byte = 0;

    assert_int_equal(device_open(backend_find("cpu"), 0, NULL, &other, &err), STATUS_OK);
    assert_int_equal(device_write(other, f->a, 0, &byte, 1), STATUS_BAD_DATA);
    assert_int_equal(device_read(other, f->a, 0, &byte, 1), STATUS_BAD_DATA);
    device_close(other);
}

static void test_launches(void **state)
{
    const struct fixture *f = *state;
    struct launch launch = {
        .kernel = KERNEL_test_matrix, .last = 100, .views = {{f->a, 0}}};
    const uint64_t before = device_counters(f->device)->launches;

    assert_int_equal(device_launch(f->device, &launch), STATUS_OK);
    launch.views[0].offset = (uint64_t)M * K + 1;
    assert_int_equal(device_launch(f->device, &launch), STATUS_BAD_DATA);
    launch.views[0].offset = 0;
    launch.first = launch.last;
    assert_int_equal(device_launch(f->device, &launch), STATUS_OK);
    assert_int_equal(device_counters(f->device)->launches, before + 1);
}

/* The second of two launches reads what the first one wrote; both are checked and
 * counted. */
static void test_launch_then(void **state)
{
    const struct fixture *f = *state;
    struct launch first = {
        .kernel = KERNEL_test_matrix, .last = 64, .views = {{f->a, 0}}};
    struct launch second = {.kernel = KERNEL_residual,
                            .last = 16,
                            .views = {{f->a, 0}, {f->b, 0}, {f->c, 0}}};
    const uint64_t before = device_counters(f->device)->launches;
    uint32_t before_it[16], after[16];

    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_OK);
    assert_int_equal(device_read(f->device, f->c, 0, before_it, sizeof before_it),
                     STATUS_OK);
    assert_int_equal(device_counters(f->device)->launches, before + 2);
    first.scalars[0].u64 = 9; /* another seed */
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_OK);
    assert_int_equal(device_read(f->device, f->c, 0, after, sizeof after), STATUS_OK);
    assert_memory_not_equal(before_it, after, sizeof after);
    first.views[0].offset = second.views[1].offset = (uint64_t)N * K + 1;
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_BAD_DATA);
    first.views[0].offset = 0;
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_BAD_DATA);
    second.views[1].offset = 0;
    assert_int_equal(device_counters(f->device)->launches, before + 4);
    device_fail_at(f->device, 1);
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_DEVICE_LOST);
    first.first = first.last;
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_OK);
    first.first = 0;
    second.first = second.last;
    assert_int_equal(device_launch_then(f->device, &first, &second), STATUS_OK);
    assert_int_equal(device_counters(f->device)->launches, before + 6);
}

static struct mining mining_of(const struct fixture *f)
{
    return (struct mining){.a = f->noise,
                           .b = f->noise,
                           .rows = &f->rows,
                           .columns = &f->columns,
                           .hits = {f->hits, 0},
                           .hits_max = 4};
}

static void test_products(void **state)
{
    const struct fixture *f = *state;
    const struct multiply good = {.m = M, .a = {f->a, 0}, .b = f->clean, .c = {f->c, 0}};
    const uint64_t macs = device_counters(f->device)->macs;
    struct multiply bad = good;

    assert_int_equal(device_prepare(f->device, &good), STATUS_OK);
    assert_int_equal(device_counters(f->device)->macs, macs);
    assert_int_equal(device_multiply(f->device, &good), STATUS_OK);
    assert_int_equal(device_counters(f->device)->macs, macs + (uint64_t)M * N * K);
    assert_int_equal(device_info(f->device)->products_ahead, 0);
    bad.m = M + 1;
    assert_int_equal(device_prepare(f->device, &bad), STATUS_BAD_DATA);
    assert_int_equal(device_multiply(f->device, &bad), STATUS_BAD_DATA);
    bad = good;
    bad.a.offset = 1;
    assert_int_equal(device_multiply(f->device, &bad), STATUS_BAD_DATA);
    bad = good;
    bad.c.offset = 4;
    assert_int_equal(device_multiply(f->device, &bad), STATUS_BAD_DATA);
    bad = good;
    bad.a.buffer = NULL;
    assert_int_equal(device_multiply(f->device, &bad), STATUS_BAD_DATA);
    bad = good;
    bad.b = f->noised; /* needs a lottery */
    assert_int_equal(device_multiply(f->device, &bad), STATUS_BAD_DATA);
}

static enum status mine(const struct fixture *f, const struct mining *mining)
{
    const struct multiply multiply = {
        .m = M, .a = {f->a, 0}, .b = f->noised, .c = {f->c, 0}, .mining = mining};

    return device_multiply(f->device, &multiply);
}

static void test_mined_products(void **state)
{
    const struct fixture *f = *state;
    const struct pattern tall = pattern_range(128), odd = pattern_range(5);
    struct mining mining = mining_of(f);

    assert_int_equal(mine(f, &mining), STATUS_OK);
    mining.hits_max = 5;
    assert_int_equal(mine(f, &mining), STATUS_BAD_DATA);
    mining = mining_of(f);
    mining.b.seed[3] ^= 1;
    assert_int_equal(mine(f, &mining), STATUS_BAD_DATA);
    mining = mining_of(f);
    mining.a.rank = 64;
    assert_int_equal(mine(f, &mining), STATUS_BAD_DATA);
    mining = mining_of(f);
    mining.rows = &tall; /* 128 x 16 */
    assert_int_equal(mine(f, &mining), STATUS_NOT_SUPPORTED);
    mining.rows = &odd;
    assert_int_equal(mine(f, &mining), STATUS_NOT_SUPPORTED);
}

static void test_packing(void **state)
{
    const struct fixture *f = *state;
    struct noise noise = f->noise;
    struct packed *packed = NULL;

    assert_int_equal(device_pack(f->device, f->clean, (struct view){f->b, 1}, NULL),
                     STATUS_BAD_DATA);
    static const uint32_t ranks[] = {0, 16, 33, 128,
                                     2048}; /* 128: k is less than 16 of it */
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        noise.rank = ranks[i];
        assert_int_equal(
            device_pack(f->device, f->noised, (struct view){f->b, 0}, &noise),
            STATUS_NOT_SUPPORTED);
    }
    assert_int_equal(device_packed_new(f->device, 0, K, &packed), STATUS_NOT_SUPPORTED);
    assert_int_equal(device_packed_new(f->device, N, 0, &packed), STATUS_NOT_SUPPORTED);
    assert_int_equal(device_packed_new(f->device, N, 1 << 20, &packed),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(device_packed_new(f->device, UINT32_MAX, K, &packed),
                     STATUS_NOT_SUPPORTED);
    assert_null(packed);
}

/* A product larger than what was reserved is refused: multiply() allocates nothing. */
static void test_unreserved(void **state)
{
    const struct fixture *f = *state;
    struct buffer *a = buffer_make(f->device, (size_t)64 * K),
                  *c = buffer_make(f->device, 64 * N * 4);
    const struct multiply multiply = {.m = 64, .a = {a, 0}, .b = f->clean, .c = {c, 0}};

    assert_int_equal(device_multiply(f->device, &multiply), STATUS_NO_MEMORY);
    assert_int_equal(device_reserve(f->device, 64, N, K, 0), STATUS_OK);
    assert_int_equal(device_multiply(f->device, &multiply), STATUS_OK);
    device_buffer_free(f->device, a);
    device_buffer_free(f->device, c);
}

static void test_injected_fault(void **state)
{
    const struct fixture *f = *state;
    uint8_t byte = 0;

    for (uint64_t n = 1; n <= 4; n++) {
        device_fail_at(f->device, n);
        for (uint64_t call = 1; call <= 6; call++)
            assert_int_equal(device_write(f->device, f->a, 0, &byte, 1),
                             call == n ? STATUS_DEVICE_LOST : STATUS_OK);
    }
    device_fail_at(f->device, 1);
    const struct multiply good = {.m = M, .a = {f->a, 0}, .b = f->clean, .c = {f->c, 0}};
    assert_int_equal(device_multiply(f->device, &good), STATUS_DEVICE_LOST);
    assert_int_equal(device_multiply(f->device, &good), STATUS_OK);
    device_fail_at(f->device, 0);
}

/* The plain port packs weights on first need and counts what went through. */
static void test_port(void **state)
{
    const struct fixture *f = *state;
    struct matmul_port port;
    struct weights *weights;

    matmul_port_plain(&port, f->device);
    assert_int_equal(weights_new(f->device, (struct view){f->b, 0}, N, K, &weights),
                     STATUS_OK);
    assert_null(weights->packed);
    const struct matmul product = {.m = M, .a = {f->a, 0}, .b = weights, .c = {f->c, 0}};
    device_fail_at(f->device, 1);
    assert_int_equal(matmul_run(&port, &product), STATUS_DEVICE_LOST);
    assert_int_equal(port.macs, 0);
    assert_int_equal(matmul_run(&port, &product), STATUS_OK);
    assert_non_null(weights->packed);
    assert_int_equal(port.macs, M * N * K);
    assert_int_equal(matmul_drain(&port), STATUS_OK);
    assert_int_equal(weights_reserve_noised(weights, 1000), STATUS_OK);
    assert_int_equal(device_buffer_size(weights->commitment.tree), 1000);
    weights_free(weights);
    weights_free(NULL);
}

static void test_backends(void **state)
{
    struct error err;
    struct device *device = NULL;

    (void)state;
    assert_true(backend_count >= 3);
    assert_null(backend_find("abacus"));
    for (size_t i = 0; i < backend_count; i++) {
        const struct backend *backend = backend_table[i];

        assert_ptr_equal(backend_find(backend->name), backend);
        assert_int_equal(backend->abi, BACKEND_ABI);
        if (!backend->absent)
            continue;
        assert_int_equal(device_open(backend, 0, NULL, &device, &err), STATUS_ABSENT);
        assert_non_null(strstr(err.text, backend->absent));
    }
    const struct device_options wrong = {.variant = "mmx"};
    assert_int_equal(device_open(backend_find("cpu"), 0, &wrong, &device, &err),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "mmx"));
    assert_int_equal(device_open(backend_find("cpu"), 1, NULL, &device, &err),
                     STATUS_NO_DEVICE);
    assert_null(device);
}

static void test_plan(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        uint32_t m, n, work_max, h, w;
    } cases[] = {
        {2048, 2048, 256, 8, 16}, {8, 16, 128, 8, 16}, {7, 64, 256, 4, 16},
        {2, 64, 256, 2, 16},      {64, 8, 256, 8, 8},  {64, 64, 64, 4, 16},
        {64, 64, 32, 2, 16},      {16, 2, 256, 16, 2},
    };
    struct matmul_plan plan;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            device_plan(f->device, cases[i].m, cases[i].n, K, cases[i].work_max, &plan),
            STATUS_OK);
        assert_int_equal(plan.rows.count, cases[i].h);
        assert_int_equal(plan.columns.count, cases[i].w);
        assert_true(plan.rows.count * plan.columns.count >= 32);
    }
    assert_int_equal(device_plan(f->device, 1, 4096, K, 256, &plan),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(device_plan(f->device, 64, 64, K, 31, &plan), STATUS_NOT_SUPPORTED);
}

#define DEVICE_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(test_transfers),      DEVICE_TEST(test_foreign_buffers),
        DEVICE_TEST(test_launches),       DEVICE_TEST(test_launch_then),
        DEVICE_TEST(test_products),       DEVICE_TEST(test_mined_products),
        DEVICE_TEST(test_packing),        DEVICE_TEST(test_unreserved),
        DEVICE_TEST(test_injected_fault), DEVICE_TEST(test_port),
        DEVICE_TEST(test_plan),           cmocka_unit_test(test_backends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
