/*
 * kernel_cases.c - a launch of every kernel with views of its own, drawn easy or hard.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/kernel_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

enum {
    ROWS = 13,
    K = 333,
    K_PADDED = 384,
    HEADS = 3,
    DIM = 40,
    KEYS = 150,
    RANK = 64,
    NOISED = 1088
};

enum kind {
    NOTHING,
    OUTPUT,
    FLOATS,
    FAULTY, /* floats of which some are beyond what a row may hold */
    WIDE,
    SMALL,
    SIGNED7,
    SIGNED12,
    EXPONENTS,
    BYTES,
    BELOW8,
    BELOW64,
    SPANS,
    STARTS,
    ONES
};

struct input {
    enum kind kind;
    uint32_t count; /* things; bytes of an output */
};

struct launch_case {
    enum kernel kernel;
    uint64_t last;
    struct input views[KERNEL_VIEWS_MAX];
    union scalar scalars[KERNEL_SCALARS_MAX];
};

#define N (ROWS * K)
#define X                                                                                \
    {                                                                                    \
        FLOATS, N                                                                        \
    }
#define Y                                                                                \
    {                                                                                    \
        OUTPUT, 4 * N                                                                    \
    }
#define F                                                                                \
    {                                                                                    \
        FAULTY, N                                                                        \
    }
#define FAULT                                                                            \
    {                                                                                    \
        ONES, 1                                                                          \
    }

static const struct launch_case cases[] = {
    {KERNEL_silu, N, {X, Y}, {{0}}},
    {KERNEL_gelu, N, {X, Y}, {{0}}},
    {KERNEL_residual, N, {X, X, Y}, {{0}}},
    {KERNEL_embed,
     ROWS,
     {{BELOW8, ROWS}, {BELOW8, ROWS}, {FLOATS, 8 * K}, {FLOATS, 8 * K}, {FLOATS, K}, Y},
     {{.u32 = K}}},
    {KERNEL_quantise7,
     ROWS,
     {F, {OUTPUT, ROWS *K_PADDED}, {OUTPUT, 4 * ROWS}, FAULT},
     {{.u32 = K}, {.u32 = K_PADDED}, {.u32 = 0}}},
    {KERNEL_quantise14,
     ROWS,
     {F, {OUTPUT, 2 * ROWS *K_PADDED}, {OUTPUT, 4 * ROWS}, FAULT},
     {{.u32 = K}, {.u32 = K_PADDED}, {.u32 = ROWS}, {.u32 = 0}}},
    {KERNEL_layer_norm,
     ROWS,
     {F, {FLOATS, K}, {FLOATS, K}, Y, FAULT},
     {{.u32 = K}, {.f32 = 1.0f / K}, {.f32 = 1e-12f}, {.u32 = 0}}},
    {KERNEL_rms_norm,
     ROWS,
     {F, {FLOATS, K}, Y, FAULT},
     {{.u32 = K}, {.f32 = 1.0f / K}, {.f32 = 1e-5f}, {.u32 = 0}}},
    {KERNEL_rope,
     ROWS *HEADS,
     {{FLOATS, ROWS *HEADS *DIM},
      {BYTES, 8 * DIM / 2},
      {WIDE, ROWS},
      {OUTPUT, 4 * ROWS *HEADS *DIM}},
     {{.u32 = HEADS}, {.u32 = DIM}}},
    {KERNEL_dequantise,
     ROWS,
     {{WIDE, N}, {FLOATS, ROWS}, {FLOATS, K}, {FLOATS, K}, Y},
     {{.u32 = ROWS}, {.u32 = K}, {.u32 = 1}, {.u32 = 1}, {.u32 = 1}}},
    {KERNEL_dequantise,
     ROWS,
     {{WIDE, 2 * N}, {FLOATS, ROWS}, {FLOATS, K}, {FLOATS, K}, Y},
     {{.u32 = ROWS}, {.u32 = K}, {.u32 = 2}, {.u32 = 1}, {.u32 = 0}}},
    {KERNEL_dequantise,
     ROWS,
     {{WIDE, 4 * N}, {FLOATS, ROWS}, {FLOATS, K}, {FLOATS, K}, Y},
     {{.u32 = ROWS}, {.u32 = K}, {.u32 = 2}, {.u32 = 2}, {.u32 = 1}}},
    {KERNEL_mean_pool,
     3,
     {X, {STARTS, 4}, {OUTPUT, 4 * 3 * K}},
     {{.u32 = K}, {.f32 = 1.0f / K}}},
    {KERNEL_bfp12,
     ROWS,
     {{FAULTY, ROWS *HEADS *DIM},
      {OUTPUT, 2 * ROWS *HEADS *DIM},
      {OUTPUT, 4 * ROWS *HEADS},
      FAULT},
     {{.u32 = HEADS}, {.u32 = DIM}, {.u32 = HEADS * DIM}, {.u32 = 0}, {.u32 = 0}}},
    {KERNEL_attention,
     ROWS *HEADS,
     {{SIGNED12, ROWS *HEADS *DIM},
      {EXPONENTS, ROWS *HEADS},
      {SIGNED12, KEYS *HEADS *DIM},
      {EXPONENTS, KEYS *HEADS},
      {SIGNED12, KEYS *HEADS *DIM},
      {EXPONENTS, KEYS *HEADS},
      {SPANS, ROWS},
      {FLOATS, ROWS *HEADS *KEYS},
      {OUTPUT, 4 * ROWS *HEADS *DIM}},
     {{.u32 = HEADS},
      {.u32 = HEADS},
      {.u32 = DIM},
      {.f32 = 0x1p-14f},
      {.u32 = 1},
      {.u32 = KEYS}}},
    {KERNEL_matmul_i8,
     ROWS,
     {{SIGNED7, ROWS *K_PADDED}, {SIGNED7, 29 * K_PADDED}, {OUTPUT, 4 * ROWS * 29}},
     {{.u32 = 29}, {.u32 = K_PADDED}}},
    {KERNEL_noise_dense,
     ROWS *RANK / 32,
     {{BYTES, 32}, {OUTPUT, ROWS *RANK}},
     {{.u32 = 1}, {.u64 = 0}}},
    {KERNEL_noise_pairs,
     NOISED / 8,
     {{BYTES, 32}, {OUTPUT, 4 * NOISED}},
     {{.u32 = 0}, {.u32 = RANK}, {.u32 = NOISED}}},
    {KERNEL_noise_add,
     ROWS,
     {{SIGNED7, ROWS *NOISED},
      {SMALL, ROWS *RANK},
      {BELOW64, 2 * NOISED},
      {OUTPUT, ROWS *NOISED}},
     {{.u32 = NOISED}, {.u32 = RANK}}},
    {KERNEL_lowrank_x,
     ROWS,
     {{SIGNED7, ROWS *NOISED}, {BELOW64, 2 * NOISED}, {OUTPUT, 4 * ROWS *RANK}},
     {{.u32 = NOISED}, {.u32 = RANK}}},
    {KERNEL_lowrank_y,
     ROWS,
     {{SIGNED7, ROWS *NOISED}, {BELOW64, 2 * NOISED}, {OUTPUT, 4 * ROWS *RANK}},
     {{.u32 = NOISED}, {.u32 = RANK}}},
    {KERNEL_denoise,
     ROWS,
     {{SMALL, ROWS *RANK},
      {SMALL, 29 * RANK},
      {WIDE, ROWS *RANK},
      {WIDE, 29 * RANK},
      {WIDE, ROWS * 29}},
     {{.u32 = 29}, {.u32 = RANK}}},
    {KERNEL_ticket_hash, 37, {{BYTES, 37 * 64}, {BYTES, 32}, {OUTPUT, 37 * 32}}, {{0}}},
    {KERNEL_test_matrix, 1001, {{OUTPUT, 1001}}, {{.u64 = 0xfedcba9876543210}}},
    {KERNEL_blake3_chunks,
     37,
     {{BYTES, 37 * 1024}, {BYTES, 32}, {OUTPUT, 37 * 32}},
     {{.u64 = 36 * 1024 + 77}, {.u32 = 0}}},
    {KERNEL_blake3_parents,
     19,
     {{BYTES, 37 * 32}, {BYTES, 32}, {OUTPUT, 19 * 32}},
     {{.u64 = 37}, {.u32 = 0}}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static uint32_t drawn(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 32);
}

static size_t input_size(const struct input *input)
{
    switch (input->kind) {
    case FLOATS:
    case FAULTY:
    case WIDE:
    case BELOW8:
    case EXPONENTS:
    case STARTS:
    case ONES:
        return 4 * (size_t)input->count;
    case SIGNED12:
    case BELOW64:
        return 2 * (size_t)input->count;
    case SPANS:
        return 16 * (size_t)input->count;
    default:
        return input->count;
    }
}

/* Scales differ by 2^16 between values, and some are nothing. */
static float plain_float(uint64_t *seed)
{
    const uint32_t bits = drawn(seed);
    const float value = (float)((int32_t)bits >> 8) * 0x1p-20f;

    return bits % 31 == 0 ? 0.0f : bits % 7 == 0 ? value * 0x1p-16f : value;
}

/* The smallest and the largest, subnormal numbers, and what lies beside one. */
static float extreme_float(bool may_fault, uint64_t *seed)
{
    static const uint32_t ends[] = {0x00000000, 0x80000000, 0x00000001, 0x80000001,
                                    0x007fffff, 0x00800000, 0x80800000, 0x3f7fffff,
                                    0x3f800001, 0x537fffff, 0xd37fffff, 0x21800000};
    static const uint32_t faults[] = {0x53800000, 0xd3800000, 0x7f800000,
                                      0xff800000, 0x7fc00000, 0x7f7fffff};
    const uint32_t bits = drawn(seed);
    float out;

    memcpy(&out,
           may_fault && bits % 401 == 0 ? &faults[bits / 401 % 6] : &ends[bits % 12],
           sizeof out);
    return out;
}

static float drawn_float(enum mood mood, bool may_fault, uint32_t i, uint64_t *seed)
{
    const uint32_t bits = drawn(seed);

    switch (mood) {
    case MOOD_ZEROS:
        return bits & 1 ? 0.0f : -0.0f;
    case MOOD_TIES: /* halves in rows whose largest is 63 */
        return i % K ? (float)((int32_t)(bits % 126) - 63) + 0.5f : 63.0f;
    case MOOD_EXTREMES:
        return extreme_float(may_fault, seed);
    default:
        return plain_float(seed);
    }
}

/* One of the ends and the middle, or anything between. */
static int32_t drawn_within(enum mood mood, int32_t least, int32_t most, uint64_t *seed)
{
    const uint32_t bits = drawn(seed);
    const int32_t ends[4] = {least, most, 0, least + 1};

    if (mood == MOOD_ZEROS)
        return 0;
    if (mood == MOOD_EXTREMES)
        return ends[bits % 4];
    return (int32_t)((int64_t)least +
                     (int64_t)(bits % ((uint64_t)most - (uint64_t)least + 1)));
}

static void draw_words(const struct input *input, enum mood mood, uint64_t *seed,
                       int32_t *words)
{
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->kind == WIDE)
            words[i] = drawn_within(mood, INT32_MIN, INT32_MAX, seed);
        else if (input->kind == BELOW8)
            words[i] = drawn_within(mood, 0, 7, seed);
        else if (input->kind == EXPONENTS)
            words[i] = drawn_within(mood, -3, 2, seed);
        else if (input->kind == STARTS)
            words[i] = (int32_t)i * (ROWS / 3);
        else if (input->kind == ONES)
            words[i] = -1;
        else /* SPANS */
            memcpy(words + 4 * i,
                   (int32_t[]){0, KEYS, (int32_t)(KEYS - ROWS + i), (int32_t)i}, 16);
    }
}

static void draw_small(const struct input *input, enum mood mood, uint64_t *seed,
                       void *to)
{
    int16_t *halves = to;
    int8_t *bytes = to;

    for (uint32_t i = 0; i < input->count; i++) {
        if (input->kind == SIGNED12)
            halves[i] = (int16_t)drawn_within(mood, -2047, 2047, seed);
        else if (input->kind == BELOW64)
            halves[i] = (int16_t)drawn_within(mood, 0, 63, seed);
        else if (input->kind == SIGNED7)
            bytes[i] = (int8_t)drawn_within(mood, -64, 64, seed);
        else if (input->kind == SMALL)
            bytes[i] = (int8_t)drawn_within(mood, -32, 31, seed);
        else if (input->kind == BYTES)
            bytes[i] = (int8_t)drawn_within(mood, -128, 127, seed);
        else
            bytes[i] = 0x5a;
    }
}

static void draw(const struct input *input, enum mood mood, uint64_t *seed, void *to)
{
    float *floats = to;

    switch (input->kind) {
    case FLOATS:
    case FAULTY:
        for (uint32_t i = 0; i < input->count; i++)
            floats[i] = drawn_float(mood, input->kind == FAULTY, i, seed);
        break;
    case WIDE:
    case BELOW8:
    case EXPONENTS:
    case STARTS:
    case ONES:
    case SPANS:
        draw_words(input, mood, seed, to);
        break;
    default:
        draw_small(input, mood, seed, to);
    }
}

/* In one launch, or in three whose ends suit no vector. */
static void launch_parts(struct device *device, struct launch launch, bool in_parts)
{
    const uint64_t last = launch.last;
    const uint64_t ends[] = {in_parts ? (last + 2) / 3 : last,
                             in_parts ? last - last / 5 : last, last};

    for (size_t i = 0; i < 3; i++) {
        launch.last = ends[i] > launch.first ? ends[i] : launch.first;
        assert_int_equal(device_launch(device, &launch), STATUS_OK);
        launch.first = launch.last;
    }
    assert_int_equal(device_finish(device), STATUS_OK);
}

/* The case on the device; expected holds what the text made of the same inputs. */
static void launch_and_compare(struct device *device, const struct launch_case *c,
                               void *const inputs[], void *const expected[],
                               bool in_parts)
{
    const uint32_t views = kernel_table[c->kernel].views;
    struct buffer *buffers[KERNEL_VIEWS_MAX];
    struct launch launch = {.kernel = c->kernel, .last = c->last};

    memcpy(launch.scalars, c->scalars, sizeof launch.scalars);
    for (uint32_t i = 0; i < views; i++) {
        const size_t size = input_size(&c->views[i]);

        assert_int_equal(device_buffer_new(device, size, &buffers[i]), STATUS_OK);
        assert_int_equal(device_write(device, buffers[i], 0, inputs[i], size), STATUS_OK);
        launch.views[i] = (struct view){buffers[i], 0};
    }
    launch_parts(device, launch, in_parts);
    for (uint32_t i = 0; i < views; i++) {
        const size_t size = input_size(&c->views[i]);
        uint8_t *got = memory_array(size, 1);
        const uint8_t *want = expected[i];
        size_t at = 0;

        assert_non_null(got);
        assert_int_equal(device_read(device, buffers[i], 0, got, size), STATUS_OK);
        while (at < size && got[at] == want[at])
            at++;
        if (at < size)
            fail_msg("%s: view %u differs at byte %zu", kernel_table[c->kernel].name, i,
                     at);
        memory_free(got);
        device_buffer_free(device, buffers[i]);
    }
}

static void run_case(struct device *device, const struct launch_case *c, enum mood mood)
{
    const uint32_t views = kernel_table[c->kernel].views;
    uint64_t seed = 7 + (uint64_t)c->kernel;
    void *inputs[KERNEL_VIEWS_MAX], *expected[KERNEL_VIEWS_MAX];

    for (uint32_t i = 0; i < views; i++) {
        const size_t size = input_size(&c->views[i]);

        inputs[i] = memory_array(size, 1);
        expected[i] = memory_array(size, 1);
        assert_non_null(inputs[i]);
        assert_non_null(expected[i]);
        draw(&c->views[i], mood, &seed, inputs[i]);
        memcpy(expected[i], inputs[i], size);
    }
    kernel_table[c->kernel].run(0, c->last, expected, c->scalars);
    launch_and_compare(device, c, inputs, expected, false);
    launch_and_compare(device, c, inputs, expected, true);
    for (uint32_t i = 0; i < views; i++) {
        memory_free(inputs[i]);
        memory_free(expected[i]);
    }
}

void kernel_cases_check(struct device *device, enum mood mood)
{
    for (size_t i = 0; i < CASES; i++)
        run_case(device, &cases[i], mood);
}

bool kernel_cases_have(enum kernel kernel)
{
    for (size_t i = 0; i < CASES; i++)
        if (cases[i].kernel == kernel)
            return true;
    return false;
}
