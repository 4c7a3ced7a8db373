/*
 * test_cuda_texts.c - claim: each CUDA kernel that takes a text's place leaves the text's
 * bytes in every view, in all orders of the executor: on faults, zeros, extremes, ragged
 * rows, addresses that no vector load could use, and in place.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/cuda/cuda_matmul.h"
#include "miner/base/memory.h"
#include "tests/executor/executor.h"

static const struct cuda_tuned tuned[] = {
#define CUDA_TUNED(text, entry, capability)                                              \
    {KERNEL_##text, #entry, capability, entry##_grid},
#include "backends/cuda/cuda_tuned.def"
#undef CUDA_TUNED
};
enum { TUNED = sizeof tuned / sizeof tuned[0], VIEW_NONE = 99 };

/* One processor: nothing is too small for it. */
static const struct cuda_traits traits = {75, 1, 64 << 10};

/* What a kernel is run on: filled in by view_*, given up by check(). */
struct text_case {
    struct launch launch;
    void *views[KERNEL_VIEWS_MAX];
    size_t sizes[KERNEL_VIEWS_MAX];
    uint32_t same[KERNEL_VIEWS_MAX]; /* as that view, which is before it; else itself */
    uint32_t count;
    uint32_t offset; /* of the views on the device, from a multiple of 4096 */
    uint32_t blocks; /* 0: as the grid says */
};

static struct text_case case_of(enum kernel kernel, uint64_t first, uint64_t last)
{
    return (struct text_case){.launch = {.kernel = kernel, .first = first, .last = last}};
}

static void *view_add(struct text_case *c, size_t size)
{
    void *data = memory_array(size ? size : 1, 1);

    assert_non_null(data);
    assert_true(c->count < KERNEL_VIEWS_MAX);
    memset(data, 0x5a, size);
    c->same[c->count] = c->count;
    c->sizes[c->count] = size;
    c->views[c->count++] = data;
    return data;
}

/* The next view is that one again. */
static void view_again(struct text_case *c, uint32_t of)
{
    c->same[c->count] = of;
    c->sizes[c->count] = c->sizes[of];
    c->views[c->count++] = c->views[of];
}

static uint64_t random_state = 1;

static uint32_t drawn(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(random_state >> 32);
}

static void *view_random(struct text_case *c, size_t size)
{
    uint8_t *data = view_add(c, size);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)drawn();
    return data;
}

static uint32_t *view_bits(struct text_case *c, size_t count, uint32_t bits)
{
    uint32_t *data = view_add(c, count * sizeof *data);

    for (size_t i = 0; i < count; i++)
        data[i] = bits;
    return data;
}

/* Floats with exponents of a range around 1. */
static float *view_floats(struct text_case *c, size_t count, uint32_t range)
{
    uint32_t *data = view_add(c, count * sizeof *data);

    for (size_t i = 0; i < count; i++) {
        const uint32_t x = drawn();

        data[i] = (x & 0x807fffff) | (127 - range + drawn() % (2 * range + 1)) << 23;
    }
    return (float *)(void *)data;
}

/* Rows of plain values, but for rows of zeros, of hardly anything, of the largest value
 * that is none yet, of one that is a fault, of infinities and of no numbers. */
static void view_rows(struct text_case *c, uint32_t rows, uint32_t n)
{
    static const uint32_t odd[] = {0,          0x21000000, 0x537fffff, 0x53800000,
                                   0x7f800000, 0x7fc00001, 0xd37fffff};
    uint32_t *data = (uint32_t *)(void *)view_floats(c, (size_t)rows * n, 6);

    for (uint32_t row = 1; row < rows && row <= 7; row++) {
        if (row < 3)
            memset(data + (size_t)row * n, 0, (size_t)n * 4);
        data[(size_t)row * n + drawn() % n] = odd[row - 1];
    }
}

static void case_launch(struct text_case *c, const struct cuda_tuned *row, void **device)
{
    const struct kernel_info *info = &kernel_table[c->launch.kernel];
    void *arguments[2 + KERNEL_VIEWS_MAX + KERNEL_SCALARS_MAX];
    struct cuda_grid grid;
    size_t count = 0;

    assert_true(row->grid(&traits, &c->launch, &grid));
    assert_true(grid.shared <= traits.shared_max);
    memset((uint8_t *)device[info->views - 1] + grid.cleared_at, 0, grid.cleared_bytes);
    arguments[count++] = &c->launch.first;
    arguments[count++] = &c->launch.last;
    for (uint32_t i = 0; i < info->views; i++)
        arguments[count++] = &device[i];
    for (uint32_t i = 0; i < info->scalars; i++)
        arguments[count++] = &c->launch.scalars[i];
    const struct executor_launch launch = {
        .kernel = row->entry,
        .grid = {c->blocks ? c->blocks : (uint32_t)grid.parts, 1, 1},
        .threads = grid.threads,
        .shared_bytes = grid.shared,
        .arguments = arguments};
    const char *fault = executor_run_all(&launch);
    if (fault)
        fail_msg("%s", fault);
}

/* Runs one kernel on views as they are now; `plain` is what the text left of them. */
static void case_run(struct text_case *c, const struct cuda_tuned *row, void **plain)
{
    void *memories[KERNEL_VIEWS_MAX], *device[KERNEL_VIEWS_MAX];

    for (uint32_t i = 0; i < c->count; i++) {
        memories[i] =
            c->same[i] == i ? executor_memory_new(c->sizes[i] + c->offset) : NULL;
        device[i] =
            c->same[i] == i ? (uint8_t *)memories[i] + c->offset : device[c->same[i]];
        memcpy(device[i], c->views[i], c->sizes[i]);
    }
    case_launch(c, row, device);
    for (uint32_t i = 0; i < c->count; i++)
        if (memcmp(device[i], plain[i], c->sizes[i]) != 0)
            fail_msg("%s over [%u, %u): view %u differs", row->entry,
                     (unsigned)c->launch.first, (unsigned)c->launch.last, i);
    for (uint32_t i = 0; i < c->count; i++)
        executor_memory_free(memories[i]);
}

/* Runs the text and every kernel that takes its place, and gives the case's views up. */
static void check(struct text_case *c)
{
    void *plain[KERNEL_VIEWS_MAX];
    uint32_t rows = 0;

    assert_int_equal(c->count, kernel_table[c->launch.kernel].views);
    for (uint32_t i = 0; i < c->count; i++) {
        plain[i] = c->same[i] == i ? memory_array(c->sizes[i] + 1, 1) : plain[c->same[i]];
        assert_non_null(plain[i]);
        memcpy(plain[i], c->views[i], c->sizes[i]);
    }
    kernel_table[c->launch.kernel].run(c->launch.first, c->launch.last, plain,
                                       c->launch.scalars);
    for (size_t i = 0; i < TUNED; i++)
        if (tuned[i].kernel == c->launch.kernel) {
            case_run(c, &tuned[i], plain);
            rows++;
        }
    assert_true(rows > 0);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->same[i] != i)
            continue;
        memory_free(plain[i]);
        memory_free(c->views[i]);
    }
}

static void test_embed(void **state)
{
    const uint32_t hidden = 70, rows = 19;
    struct text_case c = case_of(KERNEL_embed, 2, rows);
    int32_t *ids = view_add(&c, rows * 4), *positions = view_add(&c, rows * 4);

    (void)state;
    for (uint32_t i = 0; i < rows; i++) {
        ids[i] = (int32_t)(drawn() % 5);
        positions[i] = (int32_t)(drawn() % 7);
    }
    view_floats(&c, 5 * (size_t)hidden, 70);
    view_floats(&c, 7 * (size_t)hidden, 70);
    view_floats(&c, hidden, 70);
    view_add(&c, (size_t)rows * hidden * 4);
    c.launch.scalars[0].u32 = hidden;
    check(&c);
}

static void test_quantise(void **state)
{
    static const uint32_t shapes[][3] = {{11, 70, 128}, {9, 64, 64}, {8, 1, 3}};

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        const uint32_t rows = shapes[i / 2][0], k = shapes[i / 2][1];
        const uint32_t padded = shapes[i / 2][2], limbs = 1 + i % 2;
        struct text_case c =
            case_of(limbs == 1 ? KERNEL_quantise7 : KERNEL_quantise14, i % 2, rows);

        view_rows(&c, rows, k);
        view_add(&c, (size_t)limbs * rows * padded);
        view_add(&c, rows * 4);
        view_bits(&c, 3, UINT32_MAX);
        c.launch.scalars[0].u32 = k;
        c.launch.scalars[1].u32 = padded;
        c.launch.scalars[2].u32 = limbs == 1 ? 1 : rows;
        c.launch.scalars[3].u32 = 1;
        check(&c);
    }
}

static void test_norms(void **state)
{
    static const uint32_t shapes[][2] = {{10, 33}, {9, 384}, {8, 1}};

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        const uint32_t rows = shapes[i / 4][0], n = shapes[i / 4][1];
        const bool is_layer = i % 2, is_in_place = i / 2 % 2;
        struct text_case c =
            case_of(is_layer ? KERNEL_layer_norm : KERNEL_rms_norm, 0, rows);

        view_rows(&c, rows, n);
        view_floats(&c, n, 3);
        if (is_layer)
            view_floats(&c, n, 3);
        if (is_in_place)
            view_again(&c, 0);
        else
            view_add(&c, (size_t)rows * n * 4);
        view_bits(&c, 2, UINT32_MAX);
        c.launch.scalars[0].u32 = n;
        c.launch.scalars[1].f32 = 1.0f / (float)n;
        c.launch.scalars[2].f32 = 1e-12f;
        c.launch.scalars[3].u32 = 1;
        check(&c);
    }
}

static void test_dequantise(void **state)
{
    const uint32_t rows = 9, n = 45;

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t limbs_a = 1 + i % 2, limbs_w = 1 + i / 2 % 2;
        struct text_case c = case_of(KERNEL_dequantise, 1, rows);

        view_random(&c, (size_t)limbs_a * rows * limbs_w * n * 4);
        view_floats(&c, rows, 60);
        view_floats(&c, n, 20);
        view_floats(&c, n, 20);
        view_add(&c, (size_t)rows * n * 4);
        c.launch.scalars[0].u32 = rows;
        c.launch.scalars[1].u32 = n;
        c.launch.scalars[2].u32 = limbs_a;
        c.launch.scalars[3].u32 = limbs_w;
        c.launch.scalars[4].u32 = i / 4;
        check(&c);
    }
}

static void test_mean_pool(void **state)
{
    static const uint32_t starts[] = {0, 3, 3, 4, 11, 12, 13};
    const uint32_t sequences = 6, hidden = 70;
    struct text_case c = case_of(KERNEL_mean_pool, 0, sequences);
    float *h = view_floats(&c, 13 * (size_t)hidden, 4);

    (void)state;
    memset(h + 11 * (size_t)hidden, 0, hidden * sizeof *h); /* a sequence of nothing */
    memcpy(view_add(&c, sizeof starts), starts, sizeof starts);
    view_add(&c, (size_t)sequences * hidden * 4);
    c.launch.scalars[0].u32 = hidden;
    c.launch.scalars[1].f32 = 1.0f / (float)hidden;
    check(&c);
}

static void test_bfp12(void **state)
{
    static const uint32_t dims[] = {32, 20, 1};
    const uint32_t rows = 10, heads = 3;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t stride = 2 * heads * dims[i] + 5, offset = heads * dims[i] + 2;
        struct text_case c = case_of(KERNEL_bfp12, 1, rows);

        view_rows(&c, rows, stride);
        view_add(&c, (size_t)rows * heads * dims[i] * 2);
        view_add(&c, (size_t)rows * heads * 4);
        view_bits(&c, 4, UINT32_MAX);
        c.launch.scalars[0].u32 = heads;
        c.launch.scalars[1].u32 = dims[i];
        c.launch.scalars[2].u32 = stride;
        c.launch.scalars[3].u32 = offset;
        c.launch.scalars[4].u32 = 2;
        check(&c);
    }
}

/* values in [-2047, 2047] or, often, at its ends; exponents near each other */
static void view_heads(struct text_case *c, size_t count, uint32_t head_dim)
{
    int16_t *values = view_add(c, count * head_dim * sizeof *values);
    int32_t *exponents = view_add(c, count * sizeof *exponents);

    for (size_t i = 0; i < count * head_dim; i++)
        values[i] = (int16_t)(drawn() % 3 ? (int32_t)(drawn() % 4095) - 2047
                                          : (drawn() % 2 ? 2047 : -2047));
    for (size_t i = 0; i < count; i++)
        exponents[i] = -12 + (int32_t)(drawn() % 4) - (drawn() % 9 ? 0 : 30);
}

struct attention_shape {
    uint32_t heads, kv_heads, head_dim, causal, bias;
    uint32_t keys[4]; /* of four spans, a query each */
    uint32_t first, last;
};

static void attention_check(const struct attention_shape *shape)
{
    const uint32_t rows = 4, keys = 1200;
    struct text_case c = case_of(KERNEL_attention, shape->first, shape->last);

    c.blocks = shape->causal; /* a warp has several queries */
    view_heads(&c, (size_t)rows * shape->heads, shape->head_dim);
    view_heads(&c, (size_t)keys * shape->kv_heads, shape->head_dim);
    view_heads(&c, (size_t)keys * shape->kv_heads, shape->head_dim);
    uint32_t *spans = view_add(&c, rows * 16);
    for (uint32_t i = 0; i < rows; i++) {
        spans[4 * i] = 5 * i;
        spans[4 * i + 1] = 5 * i + shape->keys[i];
        spans[4 * i + 2] = shape->keys[i] / 2;
        spans[4 * i + 3] = i % 2;
    }
    view_floats(&c, 2 * (size_t)shape->heads * 1200, 3);
    view_add(&c, (size_t)rows * shape->heads * shape->head_dim * 4);
    c.launch.scalars[0].u32 = shape->heads;
    c.launch.scalars[1].u32 = shape->kv_heads;
    c.launch.scalars[2].u32 = shape->head_dim;
    c.launch.scalars[3].f32 = 0.17677669f;
    c.launch.scalars[4].u32 = shape->causal;
    c.launch.scalars[5].u32 = shape->bias ? 1200 : 0;
    check(&c);
}

static void test_attention(void **state)
{
    static const struct attention_shape shapes[] = {
        {4, 2, 32, 0, 0, {40, 1, 0, 33}, 0, 16}, {4, 4, 32, 1, 1, {64, 3, 0, 31}, 0, 16},
        {3, 1, 20, 0, 1, {7, 65, 2, 32}, 2, 11}, {1, 1, 256, 0, 0, {9, 40, 1, 2}, 0, 4},
        {1, 1, 8, 0, 0, {1100, 3, 2, 1}, 0, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        attention_check(&shapes[i]);
}

static void test_chunks(void **state)
{
    static const uint32_t sizes[] = {5 * 1024 + 77, 1024, 1, 3 * 1024 + 64};

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t size = sizes[i / 2], chunks = (size + 1023) / 1024 + i % 2;
        struct text_case c = case_of(KERNEL_blake3_chunks, chunks > 1, chunks);

        c.offset = i % 2 ? 3 : 16;
        view_random(&c, size);
        view_random(&c, 32);
        view_add(&c, 32 * (size_t)chunks);
        c.launch.scalars[0].u64 = size;
        c.launch.scalars[1].u32 = size <= 1024;
        check(&c);
    }
}

static void test_parents(void **state)
{
    static const uint32_t counts[] = {300, 7, 2};

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        const uint32_t count = counts[i / 2];
        struct text_case c = case_of(KERNEL_blake3_parents, 0, (count + 1) / 2);

        c.offset = i % 2 ? 7 : 0;
        view_random(&c, 32 * (size_t)count);
        view_random(&c, 32);
        view_add(&c, 32 * (size_t)((count + 1) / 2));
        c.launch.scalars[0].u64 = count;
        c.launch.scalars[1].u32 = count == 2;
        check(&c);
    }
}

/* pairs [k][2] of rank, two different ones but for some */
static void view_pairs(struct text_case *c, uint32_t k, uint32_t rank)
{
    uint16_t *pairs = view_add(c, (size_t)k * 4);

    for (uint32_t i = 0; i < k; i++) {
        pairs[2 * i] = (uint16_t)(drawn() % rank);
        pairs[2 * i + 1] = (uint16_t)(pairs[2 * i] ^ drawn() % rank);
    }
}

static void test_noise(void **state)
{
    static const uint32_t shapes[][3] = {
        {37, 1088, 64}, {17, 4096, 32}, {3, 2048, 1024}, {5, 64, 32}};

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t *s = shapes[i / 2], rows = s[0], k = s[1], rank = s[2];
        struct text_case c = case_of(KERNEL_noise_add, i / 2 % 2, rows);
        int8_t *clean;

        c.offset = i % 2 ? 2 : 0;
        c.blocks = i / 2 ? 0 : 2;
        clean = view_random(&c, (size_t)rows * k);
        memset(clean + (size_t)(rows - 1) * k, 64, k);
        view_random(&c, (size_t)rows * rank);
        view_pairs(&c, k, rank);
        if (i / 2 == 2)
            view_again(&c, 0);
        else
            view_add(&c, (size_t)rows * k);
        c.launch.scalars[0].u32 = k;
        c.launch.scalars[1].u32 = rank;
        check(&c);
    }
}

static void test_lowrank(void **state)
{
    static const uint32_t shapes[][3] = {{9, 1088, 64}, {5, 512, 256}, {131, 128, 32}};

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        const uint32_t *s = shapes[i / 2], rows = s[0], k = s[1], rank = s[2];
        struct text_case c =
            case_of(i % 2 ? KERNEL_lowrank_x : KERNEL_lowrank_y, i / 2 % 2, rows);

        c.offset = i == 5 ? 4 : 0;
        memset(view_random(&c, (size_t)rows * k), 0x80, k);
        view_pairs(&c, k, rank);
        view_add(&c, (size_t)rows * rank * 4);
        c.launch.scalars[0].u32 = k;
        c.launch.scalars[1].u32 = rank;
        check(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embed),     cmocka_unit_test(test_quantise),
        cmocka_unit_test(test_norms),     cmocka_unit_test(test_dequantise),
        cmocka_unit_test(test_mean_pool), cmocka_unit_test(test_bfp12),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_parents),   cmocka_unit_test(test_noise),
        cmocka_unit_test(test_lowrank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
