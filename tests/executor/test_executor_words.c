/*
 * test_executor_words.c - claim: in every mode each word of ptx.h that moves or computes
 * words gives what a plain loop over the threads gives.
 *
 * labels: plain
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/instruction_runner.h"

#define THREADS 128u
#define EACH_THREAD                                                                      \
    for (uint32_t i = 0; i < THREADS; i++)                                               \
        for (const uint32_t *x = in + 8 * i, *once = x; once; once = NULL)               \
            for (uint32_t *y = out + 8 * i; once; once = NULL)

static uint32_t bit_left(uint32_t x, uint32_t by)
{
    return (uint32_t)((((uint64_t)x << 32 | x) << (by & 31)) >> 32);
}

static uint32_t bit_right(uint32_t x, uint32_t by)
{
    return (uint32_t)(((uint64_t)x << 32 | x) >> (by & 31));
}

static void loop_indices(const uint32_t *in, uint32_t *out)
{
    (void)in;
    for (uint32_t i = 0; i < 12 * 96; i++) {
        const uint32_t block = i / 96, thread = i % 96;
        const uint32_t words[8] = {
            thread,    96, block % 2,  block / 2 % 2,
            block / 4, 2,  2 * 16 + 3, thread / 32 * 256 + thread % 32};

        memcpy(out + 8 * i, words, sizeof words);
    }
}

/* Word w of lane `lane` in the warp of thread i. */
static uint32_t lane_word(const uint32_t *in, uint32_t i, uint32_t lane, uint32_t w)
{
    return in[8 * (i / 32 * 32 + lane) + w];
}

static void loop_shuffle(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = lane_word(in, i, x[1] % 32, 0);
        y[1] = lane_word(in, i, 5, 0);
    }
}

static void loop_shuffle_xor(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        for (uint32_t b = 0; b < 5; b++)
            y[b] = lane_word(in, i, i % 32 ^ 1u << b, b);
    }
}

static void loop_shuffle_up(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        for (uint32_t b = 0; b < 5; b++)
            y[b] = i % 32 >= 1u << b ? lane_word(in, i, i % 32 - (1u << b), b) : x[b];
    }
}

static void loop_shuffle_down(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        for (uint32_t b = 0; b < 5; b++)
            y[b] =
                i % 32 + (1u << b) < 32 ? lane_word(in, i, i % 32 + (1u << b), b) : x[b];
    }
}

static void loop_warp_ballot(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        uint32_t high = 0, less = 0;

        for (uint32_t lane = 0; lane < 32; lane++) {
            high |= (lane_word(in, i, lane, 0) >> 7 & 1) << lane;
            less |= (uint32_t)(lane_word(in, i, lane, 0) < lane_word(in, i, lane, 1))
                    << lane;
        }
        out[8 * i] = high;
        out[8 * i + 1] = less;
    }
}

static void loop_warp_sync(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        out[8 * i] = in[8 * (i ^ 31)];
}

static void loop_block_sync(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        out[8 * i] = in[8 * (127 - i)];
        out[8 * i + 1] = in[8 * (i ^ 64) + 1];
    }
}

static void loop_named_barriers(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        out[8 * i] = in[8 * (i ^ 64) + (i < 64)];
}

static void loop_atomics(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        uint64_t sum, least;
        const uint64_t low = ~((uint64_t)x[7] << 32 | x[6]);

        (void)y;
        out[0] += x[0];
        out[1] = out[1] < x[1] ? out[1] : x[1];
        out[2] = out[2] > x[2] ? out[2] : x[2];
        out[3] &= x[3];
        out[4] |= x[4];
        out[5] ^= x[5];
        out[7] += out[6];
        out[6] = 1;
        memcpy(&sum, out + 8, 8);
        memcpy(&least, out + 10, 8);
        sum += (uint64_t)x[6] << 20 | x[7];
        least = least < low ? least : low;
        memcpy(out + 8, &sum, 8);
        memcpy(out + 10, &least, 8);
    }
}

static void loop_atomic_replace(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        out[0] += in[8 * i] & 255;
}

static void loop_relaxed(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        memcpy(out + 8 * i, in + 8 * i, 8);
}

static uint32_t dot4(uint32_t a, uint32_t b, uint32_t c)
{
    for (uint32_t i = 0; i < 4; i++)
        c += (uint32_t)((int8_t)(a >> (8 * i)) * (int8_t)(b >> (8 * i)));
    return c;
}

static void loop_dp4a(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = dot4(x[0], x[1], x[2]);
        y[1] = dot4(x[3], x[4], x[5]);
    }
}

static uint32_t choose(uint32_t a, uint32_t b, uint32_t digits)
{
    const uint32_t words[2] = {a, b};
    uint8_t bytes[8], out[4];
    uint32_t word;

    memcpy(bytes, words, 8);
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t digit = digits >> (4 * i) & 15;
        const uint8_t byte = bytes[digit & 7];

        out[i] = digit < 8 ? byte : (uint8_t)(byte > 127 ? 255 : 0);
    }
    memcpy(&word, out, 4);
    return word;
}

static void loop_prmt(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = choose(x[0], x[1], x[2]);
        y[1] = (x[3] & 0xff) | (x[4] & 0xff) << 8 | (x[3] & 0xff00) << 8 |
               (x[4] & 0xff00) << 16;
        y[2] = x[3] << 24 | (x[3] & 0xff00) << 8 | (x[3] >> 8 & 0xff00) | x[3] >> 24;
    }
}

static void loop_rotate(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = bit_left(x[0], x[1]);
        y[1] = bit_right(x[0], x[1]);
        y[2] = bit_right(x[2], 7);
        y[3] = x[2] << 16 | x[2] >> 16;
    }
}

static uint32_t zeros(uint32_t x)
{
    return x ? (uint32_t)__builtin_clz(x) : 32;
}

static void loop_bits(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = (uint32_t)((uint64_t)x[0] * x[1] >> 32);
        y[1] = (uint32_t)__builtin_popcount(x[2]);
        y[2] = zeros(x[3]);
        y[3] = zeros(x[4] >> (x[5] & 31));
    }
}

static void loop_lop3(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = x[0] ^ x[1] ^ x[2];
        y[1] = (x[0] & x[1]) | (x[0] & x[2]) | (x[1] & x[2]);
        y[2] = (x[3] & x[4]) | (~x[3] & x[5]);
        y[3] = 0;
        for (uint32_t b = 0; b < 32; b++)
            y[3] |=
                (0x1bu >> ((x[5] >> b & 1) * 4 + (x[6] >> b & 1) * 2 + (x[7] >> b & 1)) &
                 1)
                << b;
    }
}

static float float_of(uint32_t x)
{
    float f;

    memcpy(&f, &x, 4);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t x;

    memcpy(&x, &f, 4);
    return x;
}

static uint32_t number(float f)
{
    return f != f ? 0x7fc00000u : bits_of(f);
}

static void loop_floats(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        for (uint32_t j = 0; j < 4; j++) {
            const float a = float_of(x[j]), b = float_of(x[j + 4]);

            y[2 * j] = number(a + b) ^ bit_left(number(a - b), 1);
            y[2 * j + 1] = number(a * b);
        }
    }
}

static void loop_conversions(const uint32_t *in, uint32_t *out)
{
    EACH_THREAD
    {
        y[0] = bits_of((float)(int32_t)x[0]);
        y[1] = bits_of((float)(int64_t)((uint64_t)x[1] << 32 | x[2]));
        y[2] = bits_of((float)(int64_t)((uint64_t)x[3] << 9 | x[4]));
    }
}

static void loop_load_8(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        memcpy(out + 8 * i, in + 8 * (i ^ 32), 8);
}

static void loop_load_16(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        memcpy(out + 8 * i, in + 8 * (i ^ 32) + 4, 16);
}

static void loop_load_stream(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        memcpy(out + 8 * i + 4, in + 8 * i, 16);
        memcpy(out + 8 * i, in + 8 * i + 4, 8);
    }
}

static void loop_copy_async_4(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        memcpy(out + 8 * i, in + 8 * (i ^ 32), 4);
}

static void loop_copy_async_16(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++)
        memcpy(out + 8 * i, in + 8 * (i ^ 32), 16);
}

static void loop_copy_async_part(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        memset(out + 8 * i, 0, 32);
        memcpy(out + 8 * i, in + 8 * i, i % 17);
        memcpy(out + 8 * i + 4, in + 8 * i + 4, i % 9);
        memcpy(out + 8 * i + 6, in + 8 * i + 6, i % 5);
        out[8 * i + 7] = in[8 * i + 7];
    }
}

static void loop_copy_async_groups(const uint32_t *in, uint32_t *out)
{
    memcpy(out, in, 4096);
}

static void words_are_those_of_plain_loops(void **state)
{
    static const struct instruction_expectation list[] = {
        {"indices", loop_indices},
        {"shuffle", loop_shuffle},
        {"shuffle_xor", loop_shuffle_xor},
        {"shuffle_up", loop_shuffle_up},
        {"shuffle_down", loop_shuffle_down},
        {"warp_ballot", loop_warp_ballot},
        {"warp_sync", loop_warp_sync},
        {"block_sync", loop_block_sync},
        {"named_barriers", loop_named_barriers},
        {"atomics", loop_atomics},
        {"atomics_shared", loop_atomics},
        {"atomic_replace", loop_atomic_replace},
        {"relaxed", loop_relaxed},
        {"dp4a", loop_dp4a},
        {"prmt", loop_prmt},
        {"rotate", loop_rotate},
        {"bits", loop_bits},
        {"lop3", loop_lop3},
        {"floats", loop_floats},
        {"conversions", loop_conversions},
        {"load_8", loop_load_8},
        {"load_16", loop_load_16},
        {"load_stream", loop_load_stream},
        {"copy_async_4", loop_copy_async_4},
        {"copy_async_8", loop_load_8},
        {"copy_async_16", loop_copy_async_16},
        {"copy_async_part", loop_copy_async_part},
        {"copy_async_groups", loop_copy_async_groups},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        assert_true(instruction_expect(list[i].name, list[i].loop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_those_of_plain_loops)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
