/*
 * target.c - 256-bit bounds: from hex, from nbits, scaled by a tile's work, compared with
 * tickets.
 *
 * Values are 32 little-endian bytes; arithmetic goes through eight 32-bit limbs, so that
 * every intermediate fits 64 bits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/target.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "miner/base/bytes.h"

enum { LIMBS = 8, TARGET_SIZE = 32, TARGET_DIGITS = 64 };

enum status target_from_hex(const char *text, struct target *out, struct error *err)
{
    const char *digits =
        text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
    const size_t count = strlen(digits);
    char padded[TARGET_DIGITS + 1];
    uint8_t be[TARGET_SIZE];

    if (count < 1 || count > TARGET_DIGITS)
        return error_set(err, STATUS_BAD_DATA,
                         "target has %zu digits, expected 1 to 64 of hex", count);
    memset(padded, '0', TARGET_DIGITS - count);
    memcpy(padded + TARGET_DIGITS - count, digits, count + 1);
    if (!hex_decode(padded, be, sizeof be))
        return error_set(err, STATUS_BAD_DATA, "target \"%.80s\" is not hex", text);
    for (int i = 0; i < TARGET_SIZE; i++)
        out->le[i] = be[TARGET_SIZE - 1 - i];
    return STATUS_OK;
}

void target_to_hex(const struct target *target, char text[65])
{
    uint8_t be[TARGET_SIZE];

    for (int i = 0; i < TARGET_SIZE; i++)
        be[i] = target->le[TARGET_SIZE - 1 - i];
    hex_encode(be, sizeof be, text);
}

void target_to_decimal(const struct target *target, char text[TARGET_DECIMAL_MAX + 1])
{
    char digits[TARGET_DECIMAL_MAX + 1];
    struct target rest = *target;
    int at = TARGET_DECIMAL_MAX;

    digits[at] = 0;
    do {
        uint32_t carry = 0;
        for (int i = TARGET_SIZE - 1; i >= 0; i--) {
            carry = carry << 8 | rest.le[i];
            rest.le[i] = (uint8_t)(carry / 10);
            carry %= 10;
        }
        assert(at > 0);
        digits[--at] = (char)('0' + carry);
    } while (!target_is_zero(&rest));
    memcpy(text, digits + at, (size_t)(TARGET_DECIMAL_MAX + 1 - at));
}

struct target target_from_nbits(uint32_t nbits)
{
    const int exponent = (int)(nbits >> 24);
    struct target out = {{0}};

    if (nbits & 0x800000)
        return out;
    for (int i = 0; i < 3; i++) {
        const int place = exponent - 3 + i;
        const uint8_t byte = (uint8_t)(nbits >> 8 * i);
        if (place >= TARGET_SIZE && byte)
            return (struct target){{0}};
        if (place >= 0 && place < TARGET_SIZE && exponent)
            out.le[place] = byte;
    }
    return out;
}

uint32_t target_to_nbits(const struct target *target)
{
    int size = TARGET_SIZE;
    uint32_t mantissa = 0;

    while (size && !target->le[size - 1])
        size--;
    if (!size)
        return 0;
    /* The mantissa is signed in this form: a set top bit costs one more byte. */
    if (target->le[size - 1] & 0x80)
        size++;
    for (int i = 0; i < 3; i++) {
        const int place = size - 1 - i;
        const uint32_t byte = place >= 0 && place < TARGET_SIZE ? target->le[place] : 0;
        mantissa = mantissa << 8 | byte;
    }
    return (uint32_t)size << 24 | mantissa;
}

struct target target_from_work(uint64_t work)
{
    struct target out = {{0}};
    uint64_t rest = 1; /* of 2^256's top digit; below work from here on */

    assert(work >= 2);
    for (int bit = 255; bit >= 0; bit--) {
        const bool carry = rest >> 63;
        rest <<= 1;
        if (carry || rest >= work) {
            rest -= work; /* modulo 2^64: right with the carry too */
            out.le[bit / 8] = (uint8_t)(out.le[bit / 8] | 1U << bit % 8);
        }
    }
    return out;
}

struct target target_from_difficulty(uint64_t difficulty)
{
    struct target out = {{0}};
    uint64_t rest = 0;

    assert(difficulty >= 1);
    for (int bit = 223; bit >= 0; bit--) { /* of 0xffff * 2^208 */
        const bool carry = rest >> 63;
        rest = rest << 1 | (bit >= 208);
        if (carry || rest >= difficulty) {
            rest -= difficulty; /* modulo 2^64: right with the carry too */
            out.le[bit / 8] = (uint8_t)(out.le[bit / 8] | 1U << bit % 8);
        }
    }
    return out;
}

double target_work(const struct target *target)
{
    double value = 0;

    for (int i = TARGET_SIZE - 1; i >= 0; i--)
        value = value * 256 + target->le[i];
    return ldexp(1, 256) / value;
}

bool target_scale(const struct target *target, uint64_t factor, struct target *out)
{
    const uint64_t parts[2] = {factor & UINT32_MAX, factor >> 32};
    uint32_t sum[LIMBS + 2] = {0};

    for (int j = 0; j < 2; j++) {
        uint64_t carry = 0;
        for (int i = 0; i < LIMBS; i++) {
            carry += u32_load(target->le + 4 * i) * parts[j] + sum[i + j];
            sum[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        sum[LIMBS + j] = (uint32_t)carry;
    }
    if (sum[LIMBS] || sum[LIMBS + 1])
        return false;
    for (int i = 0; i < LIMBS; i++)
        u32_store(out->le + 4 * i, sum[i]);
    return true;
}

int target_compare(const struct target *a, const struct target *b)
{
    for (int i = TARGET_SIZE - 1; i >= 0; i--) {
        if (a->le[i] != b->le[i])
            return a->le[i] < b->le[i] ? -1 : 1;
    }
    return 0;
}

bool target_met(const uint8_t ticket[32], const struct target *bound)
{
    struct target value;

    memcpy(value.le, ticket, sizeof value.le);
    return target_compare(&value, bound) <= 0;
}

bool target_is_zero(const struct target *target)
{
    static const struct target zero;

    return target_compare(target, &zero) == 0;
}
