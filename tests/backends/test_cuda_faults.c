/*
 * test_cuda_faults.c - claim: whatever call to the driver fails, and however, the CUDA
 * backend says so by status, gives everything back, and works again afterwards; a wrong
 * bit is seen by the self-test.
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
#include "miner/base/log.h"
#include "miner/selftest.h"
#include "tests/stand_in/stand_in_find.h"

enum { M = 16, N = 32, K = 1024, RANK = 32, HITS = 8, CODE_LOST = 719 };

static struct cuda_stand_in *stand_in;

/* All that a task does with a device, as far as it gets. */
struct session {
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    struct mining mining;
    struct pattern rows, columns;
};

static enum status session_begin(struct session *s, struct error *err)
{
    const struct device_options options = {.variant = "plain"};
    enum status status = device_open(backend_find("cuda"), 0, &options, &s->device, err);

    if (!status)
        status = device_buffer_new(s->device, M * K, &s->a);
    if (!status)
        status = device_buffer_new(s->device, N * K, &s->b);
    if (!status)
        status = device_buffer_new(s->device, M * N * 4, &s->c);
    if (!status)
        status = device_buffer_new(
            s->device, sizeof(struct hits) + HITS * sizeof(struct hit), &s->hits);
    if (!status)
        status = device_packed_new(s->device, N, K, &s->packed);
    if (!status)
        status = device_reserve(s->device, M, N, K, RANK);
    return status;
}

static struct multiply session_ask(const struct session *s, bool is_useful)
{
    return (struct multiply){.m = M,
                             .a = {s->a, 0},
                             .b = s->packed,
                             .c = {is_useful ? s->c : NULL, 0},
                             .mining = &s->mining};
}

/* The second product is prepared while the first one runs, a third one never runs. */
static enum status session_multiply(const struct session *s)
{
    const struct multiply useful = session_ask(s, true), mined = session_ask(s, false);
    enum status status = device_multiply(s->device, &useful);

    if (!status)
        status = device_prepare(s->device, &mined);
    if (!status)
        status = device_multiply(s->device, &mined);
    return status ? status : device_prepare(s->device, &useful);
}

static enum status session_step(struct session *s)
{
    const struct launch draw = {.kernel = KERNEL_test_matrix,
                                .last = M * K,
                                .views = {{s->a, 0}},
                                .scalars = {{.u64 = 7}}};
    uint8_t data[64] = {1, 2, 3};
    enum status status = device_write(s->device, s->b, 0, data, sizeof data);

    s->rows = pattern_range(8);
    s->columns = pattern_range(16);
    s->mining = (struct mining){.a.rank = RANK,
                                .b.rank = RANK,
                                .rows = &s->rows,
                                .columns = &s->columns,
                                .hits = {s->hits, 0},
                                .hits_max = HITS};
    if (!status)
        status = device_launch(s->device, &draw);
    if (!status)
        status = device_pack(s->device, s->packed, (struct view){s->b, 0}, &s->mining.b);
    if (!status)
        status = session_multiply(s);
    if (!status)
        status = device_read(s->device, s->hits, 0, data, sizeof data);
    return status ? status : device_finish(s->device);
}

static void session_end(struct session *s)
{
    if (!s->device)
        return;
    device_packed_free(s->device, s->packed);
    device_buffer_free(s->device, s->a);
    device_buffer_free(s->device, s->b);
    device_buffer_free(s->device, s->c);
    device_buffer_free(s->device, s->hits);
    device_close(s->device);
}

static enum status session_run(struct error *err)
{
    struct session s = {.device = NULL};
    enum status status = session_begin(&s, err);

    if (!status)
        status = session_step(&s);
    session_end(&s);
    return status;
}

static void nothing_is_held(void)
{
    assert_int_equal(stand_in->memory_held, 0);
    assert_int_equal(stand_in->pinned_held, 0);
    assert_int_equal(stand_in->handles_held, 0);
}

/* Every call of a session fails once: out of memory, then for good. */
static void test_each_call(void **state)
{
    uint64_t calls = stand_in->calls;

    (void)state;
    assert_int_equal(session_run(NULL), STATUS_OK);
    calls = stand_in->calls - calls;
    assert_true(calls > 150);
    for (uint64_t n = 1; n <= 2 * calls; n++) {
        const bool stays = n > calls;
        struct error err = {0};
        enum status status;

        stand_in->fail_code = stays ? CODE_LOST : CUDA_NO_MEMORY;
        stand_in->fail_stays = stays;
        stand_in->fail_at = stays ? n - calls : n;
        status = session_run(&err);
        if (!stays && stand_in->fail_at == 0 && status == STATUS_OK)
            continue; /* what gives back or only asks may fail without harm */
        assert_true(status == STATUS_NO_MEMORY || status == STATUS_DEVICE_LOST ||
                    status == STATUS_NO_DEVICE || (stays && status == STATUS_OK));
        stand_in->fail_at = stand_in->failed = 0;
        nothing_is_held();
    }
    assert_int_equal(session_run(NULL), STATUS_OK);
}

/* The case on a device whose n-th launch leaves a wrong bit; false: it has fewer.  By
 * turns its products are its own, and composed of texts. */
static bool wrong_bit_is_seen(size_t index, uint64_t n)
{
    const struct device_options options = {.variant = index % 2 ? "plain" : NULL};
    struct error err = {0};
    struct device *device;
    enum status status;

    assert_int_equal(device_open(backend_find("cuda"), 0, &options, &device, NULL),
                     STATUS_OK);
    stand_in->wrong_at = n;
    status = selftest_builtin(device, index, &err);
    device_close(device);
    const bool was_there = !stand_in->wrong_at;
    stand_in->wrong_at = 0;
    if (status != (was_there ? STATUS_MISMATCH : STATUS_OK))
        fail_msg("case %zu, launch %u of %s: %s", index, (unsigned)n,
                 was_there ? stand_in->wrong_kernel : "none", error_text(&err));
    return was_there;
}

/* The first bit of what a launch writes is wrong: each of them, in each known answer. */
static void test_wrong_bit(void **state)
{
    uint64_t seen = 0;

    (void)state;
    for (size_t i = 0; i < selftest_builtin_count(); i++) {
        uint64_t n = 1;

        while (wrong_bit_is_seen(i, n))
            n++;
        assert_true(n > 1);
        seen += n - 1;
    }
    assert_true(seen > 150);
}

/* A machine without the library, with and without the kernel module. */
static void test_no_library(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(cuda_driver_missing(TEST_DATA, &err), STATUS_NO_DEVICE);
    assert_string_equal(err.text, "the NVIDIA driver is loaded, but libcuda.so.1 is "
                                  "missing: install the CUDA part of the same driver");
    assert_int_equal(cuda_driver_missing(TEST_DATA "/nothing", &err), STATUS_NO_DEVICE);
    assert_string_equal(err.text, "no NVIDIA driver here: libcuda.so.1 is not found; "
                                  "install one, or use another device");
}

/* More than the card has: refused, and what was there stays. */
static void test_memory_used_up(void **state)
{
    struct session s = {.device = NULL};
    struct buffer *buffer;

    (void)state;
    assert_int_equal(session_begin(&s, NULL), STATUS_OK);
    stand_in->memory = stand_in->memory_held + (1 << 20);
    assert_int_equal(device_buffer_new(s.device, 2 << 20, &buffer), STATUS_NO_MEMORY);
    assert_int_equal(device_reserve(s.device, 1 << 15, N, K, RANK), STATUS_NO_MEMORY);
    assert_int_equal(session_step(&s), STATUS_OK); /* what was reserved is there */
    stand_in->memory = 1 << 30;
    assert_int_equal(device_reserve(s.device, 1 << 15, N, K, RANK), STATUS_OK);
    assert_int_equal(session_step(&s), STATUS_OK);
    session_end(&s);
    nothing_is_held();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call),
        cmocka_unit_test(test_wrong_bit),
        cmocka_unit_test(test_no_library),
        cmocka_unit_test(test_memory_used_up),
    };

    stand_in = stand_in_find();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
