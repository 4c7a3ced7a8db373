/*
 * kernel_ranges.c - hashes, tickets and noise launched on ranges of any length and place,
 * for kernels that a device has its own form of.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/kernel_ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

enum { INPUTS = 3, SIZE = 1 << 18 };

/* Inputs are the first views, the output is the last one. */
struct kernel_case {
    enum kernel kernel;
    uint64_t first, last;
    union scalar scalars[KERNEL_SCALARS_MAX];
};

struct fixture {
    struct device *device;
    struct buffer *inputs[INPUTS], *output;
    uint8_t *host[INPUTS], *expected, *found;
};

static void *room(size_t size)
{
    void *data = memory_array(size, 1);

    assert_non_null(data);
    return data;
}

static void fill(uint8_t *data, size_t size, uint64_t seed)
{
    void *const views[] = {data};
    const union scalar scalars[] = {{.u64 = seed}};

    kernel_table[KERNEL_test_matrix].run(0, size, views, scalars);
}

static void fixture_open(struct fixture *b, struct device *device)
{
    b->device = device;
    for (uint64_t i = 0; i < INPUTS; i++) {
        b->host[i] = room(SIZE);
        fill(b->host[i], SIZE, 100 + i);
        assert_int_equal(device_buffer_new(b->device, SIZE, &b->inputs[i]), STATUS_OK);
    }
    b->expected = room(SIZE);
    b->found = room(SIZE);
    assert_int_equal(device_buffer_new(b->device, SIZE, &b->output), STATUS_OK);
}

static void fixture_close(struct fixture *b)
{
    for (int i = 0; i < INPUTS; i++) {
        memory_free(b->host[i]);
        device_buffer_free(b->device, b->inputs[i]);
    }
    memory_free(b->expected);
    memory_free(b->found);
    device_buffer_free(b->device, b->output);
}

static void check(struct fixture *b, const struct kernel_case *c)
{
    const uint32_t views = kernel_table[c->kernel].views;
    struct launch launch = {.kernel = c->kernel, .first = c->first, .last = c->last};
    void *host[KERNEL_VIEWS_MAX] = {NULL};

    memset(b->expected, 0xa5, SIZE);
    memcpy(launch.scalars, c->scalars, sizeof launch.scalars);
    for (uint32_t i = 0; i + 1 < views; i++) {
        launch.views[i].buffer = b->inputs[i];
        host[i] = b->host[i];
        assert_int_equal(device_write(b->device, b->inputs[i], 0, b->host[i], SIZE),
                         STATUS_OK);
    }
    launch.views[views - 1].buffer = b->output;
    host[views - 1] = b->expected;
    assert_int_equal(device_write(b->device, b->output, 0, b->expected, SIZE), STATUS_OK);
    kernel_table[c->kernel].run(c->first, c->last, host, c->scalars);
    assert_int_equal(device_launch(b->device, &launch), STATUS_OK);
    assert_int_equal(device_finish(b->device), STATUS_OK);
    assert_int_equal(device_read(b->device, b->output, 0, b->found, SIZE), STATUS_OK);
    if (memcmp(b->found, b->expected, SIZE) != 0)
        fail_msg("%s over [%u, %u) differs from the text", kernel_table[c->kernel].name,
                 (unsigned)c->first, (unsigned)c->last);
}

static void check_hashes(struct fixture *b)
{
    for (uint64_t count = 1; count <= 50; count += count < 18 ? 1 : 8) {
        const struct kernel_case cases[] = {
            {KERNEL_blake3_chunks,
             0,
             count,
             {{.u64 = 1024 * count}, {.u32 = count == 1}}},
            {KERNEL_blake3_chunks,
             count / 2,
             count,
             {{.u64 = 1024 * count - 200}, {.u32 = 0}}},
            {KERNEL_blake3_chunks,
             0,
             count,
             {{.u64 = 1024 * (count / 2) + 5}, {.u32 = 0}}},
            {KERNEL_blake3_parents,
             0,
             (count + 1) / 2,
             {{.u64 = count}, {.u32 = count == 2}}},
            {KERNEL_blake3_parents, count / 3, count, {{.u64 = 2 * count}, {.u32 = 0}}},
            {KERNEL_ticket_hash, 0, count, {{.u32 = 0}}},
            {KERNEL_ticket_hash, count / 2, count, {{.u32 = 0}}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            check(b, &cases[i]);
    }
}

static void check_noise(struct fixture *b)
{
    for (uint32_t side = 0; side < 2; side++)
        for (uint64_t count = 1; count <= 70; count += 23) {
            const struct kernel_case cases[] = {
                {KERNEL_noise_dense, 0, count, {{.u32 = side}, {.u64 = 0}}},
                {KERNEL_noise_dense, 1000, 1000 + count, {{.u32 = side}, {.u64 = 999}}},
                {KERNEL_noise_pairs,
                 0,
                 count,
                 {{.u32 = side}, {.u32 = 64}, {.u32 = 8 * (uint32_t)count}}},
                {KERNEL_noise_pairs,
                 count / 2,
                 count,
                 {{.u32 = side}, {.u32 = 1024}, {.u32 = 8 * (uint32_t)count}}},
                {KERNEL_noise_pairs,
                 0,
                 count,
                 {{.u32 = side}, {.u32 = 32}, {.u32 = 8 * (uint32_t)count - 3}}},
            };
            for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                check(b, &cases[i]);
        }
}

/* Positions come from the text's own pairs, so that they are below the rank. */
static void check_noise_add(struct fixture *b)
{
    static const uint32_t ks[] = {64, 1024, 2112, 100};

    for (uint32_t rank = 32; rank <= 1024; rank *= 2)
        for (size_t i = 0; i < sizeof ks / sizeof ks[0]; i++) {
            const struct kernel_case all = {
                KERNEL_noise_add, 0, 20, {{.u32 = ks[i]}, {.u32 = rank}}};
            const struct kernel_case some = {
                KERNEL_noise_add, 3, 11, {{.u32 = ks[i]}, {.u32 = rank}}};
            void *const views[] = {b->host[0], b->host[2]};
            const union scalar scalars[] = {{.u32 = 0}, {.u32 = rank}, {.u32 = ks[i]}};

            kernel_table[KERNEL_noise_pairs].run(0, (ks[i] + 7) / 8, views, scalars);
            check(b, &all);
            check(b, &some);
        }
}

void kernel_ranges_check(struct device *device)
{
    struct fixture b;

    fixture_open(&b, device);
    check_hashes(&b);
    check_noise(&b);
    check_noise_add(&b);
    fixture_close(&b);
}
