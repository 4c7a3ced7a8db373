/*
 * wallet.c - the bech32m checksum of a Pearl address, and the search for a single fault.
 *
 * The code has distance 5 at this length: where one changed character makes an address
 * valid, no other one does, so the place that is named is the only one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/wallet.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    PREFIX_SIZE = 4, /* prl and the 1 that ends it */
    CHECKSUM_SIZE = 6,
    SIZE_MIN = PREFIX_SIZE + 1 + 4 + CHECKSUM_SIZE, /* a program of two bytes */
    SIZE_TAPROOT = PREFIX_SIZE + 1 + 52 + CHECKSUM_SIZE,
    VERSION_TAPROOT = 1,
    VERSION_MAX = 16,
    VALUES = 32
};

#define BECH32M UINT32_C(0x2bc830a3)

static const char prefix[] = "prl1";
static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t wallet_step(uint32_t sum, uint8_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    const uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

/* values: what follows the prefix. */
static bool wallet_sums_up(const uint8_t *values, size_t count)
{
    uint32_t sum = 1;

    for (size_t i = 0; i + 1 < PREFIX_SIZE; i++)
        sum = wallet_step(sum, (uint8_t)(prefix[i] >> 5));
    sum = wallet_step(sum, 0);
    for (size_t i = 0; i + 1 < PREFIX_SIZE; i++)
        sum = wallet_step(sum, (uint8_t)(prefix[i] & 31));
    for (size_t i = 0; i < count; i++)
        sum = wallet_step(sum, values[i]);
    return sum == BECH32M;
}

static enum status wallet_bad_character(const char *text, size_t at, const char *what,
                                        struct error *err)
{
    const unsigned char c = (unsigned char)text[at];

    if (c > ' ' && c < 0x7f)
        return error_set(err, STATUS_REFUSED, "the address: character %zu is '%c', %s",
                         at + 1, c, what);
    return error_set(err, STATUS_REFUSED, "the address: character %zu is byte 0x%02x, %s",
                     at + 1, c, what);
}

/* Of both cases: only one may occur. */
static enum status wallet_check_case(const char *text, struct error *err)
{
    size_t at[2] = {SIZE_MAX, SIZE_MAX}; /* the first lower, the first upper one */

    for (size_t i = 0; text[i]; i++) {
        const bool is_upper = isupper((unsigned char)text[i]);

        if (!isalpha((unsigned char)text[i]))
            continue;
        if (at[!is_upper] != SIZE_MAX)
            return wallet_bad_character(
                text, i, "but letters before it are of the other case", err);
        if (at[is_upper] == SIZE_MAX)
            at[is_upper] = i;
    }
    return STATUS_OK;
}

static int wallet_lower(char letter)
{
    return (tolower)((unsigned char)letter); /* the function: the macro nests deep */
}

static enum status wallet_read(const char *text, uint8_t values[WALLET_CHECKED_MAX],
                               struct error *err)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i < PREFIX_SIZE; i++) {
        if (i == size)
            return error_set(err, STATUS_REFUSED,
                             "the address ends after character %zu, expected prl1...", i);
        if (wallet_lower(text[i]) != prefix[i])
            return wallet_bad_character(text, i, "expected prl1 in front", err);
    }
    for (size_t i = PREFIX_SIZE; i < size; i++) {
        const int c = wallet_lower(text[i]);
        const char *letter = strchr(letters, c);

        if (!letter)
            return wallet_bad_character(text, i, "which no address holds", err);
        if (i < WALLET_CHECKED_MAX)
            values[i - PREFIX_SIZE] = (uint8_t)(letter - letters);
    }
    return wallet_check_case(text, err);
}

/* A version and a program of 2 to 40 whole bytes, padded with zeros. */
static enum status wallet_check_size(size_t size, const uint8_t *values,
                                     struct error *err)
{
    if (size > PREFIX_SIZE && values[0] == VERSION_TAPROOT && size != SIZE_TAPROOT)
        return error_set(err, STATUS_REFUSED,
                         "the address has %zu characters, expected %d", size,
                         SIZE_TAPROOT);
    if (size < SIZE_MIN || size > WALLET_CHECKED_MAX)
        return error_set(err, STATUS_REFUSED,
                         "the address has %zu characters, expected %d to %d", size,
                         SIZE_MIN, WALLET_CHECKED_MAX);
    return STATUS_OK;
}

static enum status wallet_check_program(const uint8_t *values, size_t count,
                                        struct error *err)
{
    const size_t bits = 5 * (count - 1 - CHECKSUM_SIZE), rest = bits % 8;

    if (values[0] > VERSION_MAX || rest > 4 || bits / 8 > 40 ||
        values[count - CHECKSUM_SIZE - 1] & ((1U << rest) - 1))
        return error_set(err, STATUS_REFUSED,
                         "the address has a right checksum around what is no payee");
    return STATUS_OK;
}

/* The index of the only value that, changed, makes the sum right; count: there is none.
 */
static size_t wallet_fault(uint8_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t was = values[i];
        bool is_found = false;

        for (uint8_t value = 0; value < VALUES && !is_found; value++) {
            values[i] = value;
            is_found = wallet_sums_up(values, count);
        }
        values[i] = was;
        if (is_found)
            return i;
    }
    return count;
}

enum status wallet_check(const char *text, struct error *err)
{
    const size_t size = strlen(text);
    uint8_t values[WALLET_CHECKED_MAX] = {0};
    enum status status = wallet_read(text, values, err);

    if (!status)
        status = wallet_check_size(size, values, err);
    if (status)
        return status;

    const size_t count = size - PREFIX_SIZE;
    if (wallet_sums_up(values, count))
        return wallet_check_program(values, count, err);

    const size_t fault = wallet_fault(values, count);
    if (fault == count)
        return error_set(err, STATUS_REFUSED,
                         "the checksum of the address fails, and more than one of its "
                         "characters is wrong");
    return error_set(err, STATUS_REFUSED,
                     "the checksum of the address fails: character %zu is wrong, if only "
                     "one is",
                     fault + PREFIX_SIZE + 1);
}
