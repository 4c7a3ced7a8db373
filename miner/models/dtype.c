/*
 * dtype.c - element types of tensors: their names, sizes and values as f32.
 *
 * The conversions are integer work on bit patterns, so they are exact and the same
 * everywhere (numerics.md 1.4, EMBED): an f16 denormal becomes a normal f32.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/safetensors.h"

static const struct {
    const char *name;
    size_t size;
} dtype_table[DTYPE_COUNT] = {
    [DTYPE_F32] = {"F32", 4},   [DTYPE_F16] = {"F16", 2},
    [DTYPE_BF16] = {"BF16", 2}, [DTYPE_I8] = {"I8", 1},
    [DTYPE_U8] = {"U8", 1},     [DTYPE_I32] = {"I32", 4},
    [DTYPE_I64] = {"I64", 8},   [DTYPE_F8_E4M3] = {"F8_E4M3", 1},
};

size_t dtype_size(enum dtype dtype)
{
    assert(dtype < DTYPE_COUNT);
    return dtype_table[dtype].size;
}

const char *dtype_name(enum dtype dtype)
{
    assert(dtype < DTYPE_COUNT);
    return dtype_table[dtype].name;
}

enum status dtype_parse(const char *text, enum dtype *out)
{
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        if (strcmp(text, dtype_table[dtype].name) == 0) {
            *out = dtype;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_SUPPORTED;
}

static uint32_t bits_of_f16(uint32_t half)
{
    const uint32_t sign = (half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;

    if (exponent == 31)
        return sign | 0x7f800000 | fraction << 13;
    if (exponent == 0 && fraction == 0)
        return sign;
    if (exponent == 0) {
        for (exponent = 1; !(fraction & 0x400); exponent--)
            fraction <<= 1;
        fraction &= 0x3ff;
    }
    return sign | (exponent + 112) << 23 | fraction << 13; /* 112: the biases' distance */
}

float dtype_load_f32(enum dtype dtype, const uint8_t *data, uint64_t index)
{
    uint32_t bits;
    float value;

    assert(dtype == DTYPE_F32 || dtype == DTYPE_F16 || dtype == DTYPE_BF16);
    if (dtype == DTYPE_F32) {
        bits = u32_load(data + 4 * index);
    } else {
        const uint32_t half = (uint32_t)data[2 * index] | (uint32_t)data[2 * index + 1]
                                                              << 8;

        bits = dtype == DTYPE_BF16 ? half << 16 : bits_of_f16(half);
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}
