/*
 * artifact_values.c - looks at every number of an artifact once, so that no kernel needs
 * to.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/artifact_values.h"
#include "miner/models/safetensors.h"

enum value_rule { RULE_NONE, RULE_FINITE, RULE_NORM, RULE_SCALE };

enum {
    BITS_INFINITE = 0x7f800000,
    /* Norm weights may be any normal number: MiniLM, whose vectors are worked cases, has
     * one of 2^-107. */
    BITS_NORMAL = 0x00800000,  /* 2^-126 */
    BITS_LEAST = 0x2b800000,   /* 2^-40 */
    BITS_LARGEST = 0x49800000, /* 2^20 */
    MAGNITUDE = 0x7fffffff,
    LIMB_MAX = 64,
};

static bool ends_with(const char *name, const char *end)
{
    const size_t size = strlen(name), end_size = strlen(end);

    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

static enum value_rule rule_of(const struct tensor *tensor)
{
    switch (tensor->dtype) {
    case DTYPE_F32:
        if (ends_with(tensor->name, ".s"))
            return RULE_SCALE;
        return ends_with(tensor->name, "norm.w") ? RULE_NORM : RULE_FINITE;
    case DTYPE_F16:
    case DTYPE_BF16:
        return RULE_FINITE;
    default:
        return RULE_NONE;
    }
}

static bool is_allowed(enum value_rule rule, uint32_t bits)
{
    const uint32_t size = bits & MAGNITUDE;

    if (size >= BITS_INFINITE)
        return false;
    if (rule == RULE_FINITE || bits == 0)
        return true;
    if (rule == RULE_SCALE && bits != size)
        return false;
    if (size == 0)
        return rule == RULE_NORM;
    return size >= (rule == RULE_NORM ? BITS_NORMAL : BITS_LEAST) && size <= BITS_LARGEST;
}

static enum status check_floats(const struct tensor *tensor, struct bytes values,
                                uint64_t first, struct error *err)
{
    const enum value_rule rule = rule_of(tensor);
    const size_t count = values.size / dtype_size(tensor->dtype);

    for (size_t i = 0; i < count; i++) {
        const float value = dtype_load_f32(tensor->dtype, values.data, i);
        uint32_t bits;

        memcpy(&bits, &value, sizeof bits);
        if (!is_allowed(rule, bits))
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %s: element %llu is %g, which is outside the limits",
                             tensor->name, (unsigned long long)(first + i),
                             (double)value);
    }
    return STATUS_OK;
}

static enum status check_limbs(const struct tensor *tensor, struct bytes values,
                               uint64_t first, struct error *err)
{
    const int8_t *limbs = (const int8_t *)values.data;

    for (size_t i = 0; i < values.size; i++) {
        const int8_t value = limbs[i];

        if (value < -LIMB_MAX || value > LIMB_MAX)
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %s: element %llu is %d, expected -64 to 64",
                             tensor->name, (unsigned long long)(first + i), value);
    }
    return STATUS_OK;
}

enum status artifact_values_check(const struct tensor *tensor, struct bytes values,
                                  uint64_t first, struct error *err)
{
    assert(values.size % dtype_size(tensor->dtype) == 0);
    if (tensor->dtype == DTYPE_I8)
        return check_limbs(tensor, values, first, err);
    return rule_of(tensor) == RULE_NONE ? STATUS_OK
                                        : check_floats(tensor, values, first, err);
}
