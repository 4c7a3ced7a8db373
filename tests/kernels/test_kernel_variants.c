/*
 * test_kernel_variants.c - claim: on every variant of the cpu device a launch of each
 * kernel leaves in every view the bits that the shared text leaves.
 *
 * labels: tsan
 * Inputs are drawn from one seed; sizes leave ragged ends for every vector width.  A
 * variant that this processor or build lacks is named and passed over.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/device.h"
#include "kernels/kernels_c.h"
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
     {X, {OUTPUT, ROWS *K_PADDED}, {OUTPUT, 4 * ROWS}, FAULT},
     {{.u32 = K}, {.u32 = K_PADDED}, {.u32 = 0}}},
    {KERNEL_quantise14,
     ROWS,
     {X, {OUTPUT, 2 * ROWS *K_PADDED}, {OUTPUT, 4 * ROWS}, FAULT},
     {{.u32 = K}, {.u32 = K_PADDED}, {.u32 = ROWS}, {.u32 = 0}}},
    {KERNEL_layer_norm,
     ROWS,
     {X, {FLOATS, K}, {FLOATS, K}, Y, FAULT},
     {{.u32 = K}, {.f32 = 1.0f / K}, {.f32 = 1e-12f}, {.u32 = 0}}},
    {KERNEL_rms_norm,
     ROWS,
     {X, {FLOATS, K}, Y, FAULT},
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
     {{FLOATS, ROWS *HEADS *DIM},
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
static float drawn_float(uint64_t *seed)
{
    const uint32_t bits = drawn(seed);
    const float value = (float)((int32_t)bits >> 8) * 0x1p-20f;

    return bits % 31 == 0 ? 0.0f : bits % 7 == 0 ? value * 0x1p-16f : value;
}

static void draw(const struct input *input, uint64_t *seed, void *to)
{
    float *floats = to;
    int32_t *words = to;
    int16_t *halves = to;
    int8_t *bytes = to;

    for (uint32_t i = 0; i < input->count; i++) {
        if (input->kind == FLOATS)
            floats[i] = drawn_float(seed);
        else if (input->kind == WIDE)
            words[i] = (int32_t)drawn(seed);
        else if (input->kind == BELOW8)
            words[i] = (int32_t)(drawn(seed) % 8);
        else if (input->kind == EXPONENTS)
            words[i] = (int32_t)(drawn(seed) % 6) - 3;
        else if (input->kind == STARTS)
            words[i] = (int32_t)i * (ROWS / 3);
        else if (input->kind == ONES)
            words[i] = -1;
        else if (input->kind == SIGNED12)
            halves[i] = (int16_t)((int32_t)(drawn(seed) % 4095) - 2047);
        else if (input->kind == BELOW64)
            halves[i] = (int16_t)(drawn(seed) % 64);
        else if (input->kind == SIGNED7)
            bytes[i] = (int8_t)((int32_t)(drawn(seed) % 129) - 64);
        else if (input->kind == SMALL)
            bytes[i] = (int8_t)((int32_t)(drawn(seed) % 64) - 32);
        else if (input->kind == SPANS)
            memcpy(words + 4 * i,
                   (int32_t[]){0, KEYS, (int32_t)(KEYS - ROWS + i), (int32_t)i}, 16);
        else
            bytes[i] = (int8_t)(input->kind == OUTPUT ? 0x5a : drawn(seed) >> 24);
    }
}

/* The case on the device; expected holds what the text made of the same inputs. */
static void launch_and_compare(struct device *device, const struct launch_case *c,
                               void *const inputs[], void *const expected[])
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
    assert_int_equal(device_launch(device, &launch), STATUS_OK);
    assert_int_equal(device_finish(device), STATUS_OK);
    for (uint32_t i = 0; i < views; i++) {
        const size_t size = input_size(&c->views[i]);
        void *got = memory_array(size, 1);

        assert_non_null(got);
        assert_int_equal(device_read(device, buffers[i], 0, got, size), STATUS_OK);
        if (memcmp(got, expected[i], size))
            fail_msg("%s: view %u differs", kernel_table[c->kernel].name, i);
        memory_free(got);
        device_buffer_free(device, buffers[i]);
    }
}

static void run_case(struct device *device, const struct launch_case *c)
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
        draw(&c->views[i], &seed, inputs[i]);
        memcpy(expected[i], inputs[i], size);
    }
    kernel_table[c->kernel].run(0, c->last, expected, c->scalars);
    launch_and_compare(device, c, inputs, expected);
    for (uint32_t i = 0; i < views; i++) {
        memory_free(inputs[i]);
        memory_free(expected[i]);
    }
}

#define CPU_MATMUL(row) static char row[] = #row;
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL

static void variant_gives_the_bits_of_the_text(void **state)
{
    const struct device_options options = {.threads = 3, .variant = *state};
    struct device *device;
    enum status status;
    struct error error;

    status = device_open(&backend_cpu, 0, &options, &device, &error);
    if (status == STATUS_ABSENT && *state != portable) {
        print_message("%s\n", error.text);
        skip();
    }
    assert_int_equal(status, STATUS_OK);
    for (size_t i = 0; i < CASES; i++)
        run_case(device, &cases[i]);
    device_close(device);
}

/* Two have their own data: cores are seen by the vectors, folds by the products. */
static void no_kernel_is_left_out(void **state)
{
    (void)state;
    for (size_t kernel = 0; kernel < KERNEL_COUNT; kernel++) {
        size_t seen = kernel == KERNEL_scalar_core || kernel == KERNEL_ticket_fold;

        for (size_t i = 0; i < CASES; i++)
            seen += cases[i].kernel == kernel;
        if (!seen)
            fail_msg("%s has no case", kernel_table[kernel].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CPU_MATMUL(row) {#row, variant_gives_the_bits_of_the_text, NULL, NULL, row},
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
        cmocka_unit_test(no_kernel_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
