/*
 * test_far_indexes.c - claim: rows whose elements lie beyond the 2^31st are computed as
 * those at the beginning, by the text and by every row of the processor's table, and
 * products read and write far behind the begin of their buffers.
 *
 * labels: plain
 * Buffers are sparse maps: only what is touched takes memory.  Passed over where the
 * system does not lend such sizes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "backends/cpu/cpu_device.h"
#include "miner/base/memory.h"
#include "tests/product_run.h"
#include "tests/subjects.h"

enum { ROWS = 3, WIDE = 4096, SMALL = 1 << 20 };

struct far_case {
    enum kernel kernel;
    uint32_t widest; /* elements a row of the view that has the most */
    /* Bytes a row of each view, the last one being the output; 0: all rows share it. */
    uint32_t sizes[KERNEL_VIEWS_MAX];
    union scalar scalars[KERNEL_SCALARS_MAX];
};

static const struct far_case cases[] = {
    {KERNEL_silu, 1, {4, 4}, {{0}}},
    {KERNEL_gelu, 1, {4, 4}, {{0}}},
    {KERNEL_residual, 1, {4, 4, 4}, {{0}}},
    {KERNEL_dequantise,
     WIDE,
     {4 * WIDE, 4, 0, 0, 4 * WIDE},
     {{.u32 = 0}, {.u32 = WIDE}, {.u32 = 1}, {.u32 = 1}, {.u32 = 1}}},
    {KERNEL_matmul_i8, WIDE, {64, 0, 4 * WIDE}, {{.u32 = WIDE}, {.u32 = 64}}},
    {KERNEL_matmul_i8, WIDE, {WIDE, 0, 4 * 8}, {{.u32 = 8}, {.u32 = WIDE}}},
    {KERNEL_noise_add, WIDE, {WIDE, 128, 0, WIDE}, {{.u32 = WIDE}, {.u32 = 128}}},
    {KERNEL_lowrank_x, WIDE, {WIDE, 0, 4 * 128}, {{.u32 = WIDE}, {.u32 = 128}}},
    {KERNEL_ticket_hash, 16, {64, 0, 32}, {{0}}},
};

/* A buffer of the processor's that takes no memory until it is touched; false: the system
 * does not lend it. */
static bool buffer_map(struct device *device, size_t size, struct buffer *out)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *out = (struct buffer){.head = {.device = device, .size = size}};
    if (data == MAP_FAILED)
        return false;
    madvise(data, size, MADV_NOHUGEPAGE);
    out->data = data;
    return true;
}

static void buffer_unmap(struct buffer *buffer)
{
    if (buffer->data)
        munmap(buffer->data, buffer->head.size);
}

/* Bytes that suit any view: small enough for positions below 128, and finite floats. */
static void fill(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = i % 2 ? 0 : (uint8_t)(i * 37 >> 3) & 63;
}

/* Whether the system lends the buffers; then the launch far behind gave the text's rows
 * and left what lies beside them. */
static bool check_case(struct device *device, const struct far_case *c)
{
    const uint32_t views = kernel_table[c->kernel].views, out = views - 1;
    const uint64_t far = ((uint64_t)1 << 31) / c->widest + 5;
    const size_t size = (size_t)c->sizes[out] * ROWS;
    struct launch launch = {.kernel = c->kernel, .first = far, .last = far + ROWS};
    struct buffer buffers[KERNEL_VIEWS_MAX] = {{.data = NULL}};
    static uint8_t near[SMALL], want[SMALL], got[SMALL];
    void *host[KERNEL_VIEWS_MAX];
    bool is_lent = true;

    fill(near, SMALL);
    memset(want, 0, SMALL);
    memcpy(launch.scalars, c->scalars, sizeof launch.scalars);
    for (uint32_t i = 0; is_lent && i < views; i++) {
        const size_t at = (size_t)far * c->sizes[i];
        const size_t room = c->sizes[i] ? (size_t)c->sizes[i] * ROWS : SMALL;
        assert_true(room <= SMALL);
        host[i] = i == out ? want : near;
        is_lent = buffer_map(device, at + room + 64, &buffers[i]);
        if (is_lent && i != out)
            assert_int_equal(device_write(device, &buffers[i], at, near, room),
                             STATUS_OK);
        launch.views[i] = (struct view){&buffers[i], 0};
    }
    if (is_lent) {
        kernel_table[c->kernel].run(0, ROWS, host, c->scalars);
        assert_int_equal(device_launch(device, &launch), STATUS_OK);
        assert_int_equal(device_read(device, &buffers[out],
                                     (size_t)far * c->sizes[out] - 64, got, size + 128),
                         STATUS_OK);
        if (memcmp(got + 64, want, size))
            fail_msg("%s differs behind row %llu", kernel_table[c->kernel].name,
                     (unsigned long long)far);
        for (size_t i = 0; i < 64; i++)
            assert_true(!got[i] && !got[64 + size + i]);
    }
    for (uint32_t i = 0; i < views; i++)
        buffer_unmap(&buffers[i]);
    return is_lent;
}

static struct device *cpu_of(void **state)
{
    struct device *device = subject_device(*state, 2);

    if (!device)
        skip();
    return device;
}

static void test_far_rows(void **state)
{
    struct device *device = cpu_of(state);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!check_case(device, &cases[i]))
            skip();
}

/* Operands and product behind 2^32 bytes of one buffer. */
static void test_far_product(void **state)
{
    const struct product_case shape = {.m = 5, .n = 33, .k = 100, .values = VALUES_WIDE};
    const uint64_t far = ((uint64_t)1 << 32) + 64, c_at = far + 1024;
    struct device *device = cpu_of(state);
    const size_t size = (size_t)shape.m * shape.n * 4;
    struct product_plain p;
    struct product_run run;
    struct buffer all;
    uint8_t got[5 * 33 * 4];

    if (!buffer_map(device, c_at + size, &all))
        skip();
    product_plain_make(&shape, &p);
    product_run_load(&run, device, &shape, &p, 0);
    assert_int_equal(device_write(device, &all, far, p.a, (size_t)shape.m * shape.k),
                     STATUS_OK);
    const struct multiply multiply = {
        .m = shape.m, .a = {&all, far}, .b = run.packed, .c = {&all, c_at}};
    assert_int_equal(device_multiply(device, &multiply), STATUS_OK);
    assert_int_equal(device_read(device, &all, c_at, got, size), STATUS_OK);
    assert_memory_equal(got, p.c, size);
    product_run_free(&run);
    product_plain_free(&p);
    buffer_unmap(&all);
    subject_close(*state);
}

int main(void)
{
    static struct subject subjects[SUBJECTS_MAX];
    static struct CMUnitTest tests[2 * SUBJECTS_MAX];
    const size_t count = subjects_find(subjects);
    size_t last = 0;

    for (size_t s = 0; s < count; s++) {
        if (strcmp(subjects[s].backend->name, "cpu"))
            continue;
        tests[last++] = (struct CMUnitTest){.name = subjects[s].name,
                                            .test_func = test_far_rows,
                                            .initial_state = &subjects[s]};
        tests[last++] = (struct CMUnitTest){.name = subjects[s].name,
                                            .test_func = test_far_product,
                                            .initial_state = &subjects[s]};
    }
    return _cmocka_run_group_tests("far indexes", tests, last, NULL, NULL);
}
