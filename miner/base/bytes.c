/*
 * bytes.c - growing blobs with a maximum, hex, base64, decimal numbers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

struct blob blob_empty(size_t size_max)
{
    assert(size_max <= SIZE_MAX / 2);
    return (struct blob){.size_max = size_max};
}

void blob_free(struct blob *blob)
{
    memory_free(blob->data);
    *blob = blob_empty(blob->size_max);
}

void blob_clear(struct blob *blob)
{
    blob->size = 0;
    if (blob->data)
        blob->data[0] = 0;
}

enum status blob_reserve(struct blob *blob, size_t size)
{
    size_t capacity = blob->capacity ? blob->capacity : 256;
    uint8_t *data;

    if (size > blob->size_max)
        return STATUS_FULL;
    if (blob->data && size <= blob->capacity)
        return STATUS_OK;
    while (capacity < size)
        capacity = capacity > blob->size_max / 2 ? blob->size_max : capacity * 2;
    data = memory_array(capacity + 1, 1); /* + 1: the NUL after the last byte */
    if (!data)
        return STATUS_NO_MEMORY;
    if (blob->data && blob->size)
        memcpy(data, blob->data, blob->size);
    memory_free(blob->data);
    blob->data = data;
    blob->capacity = capacity;
    return STATUS_OK;
}

enum status blob_add(struct blob *blob, const void *data, size_t size)
{
    enum status status;

    if (size > blob->size_max - blob->size)
        return STATUS_FULL;
    status = blob_reserve(blob, blob->size + size);
    if (status)
        return status;
    if (size)
        memcpy(blob->data + blob->size, data, size);
    blob->size += size;
    blob->data[blob->size] = 0;
    return STATUS_OK;
}

enum status blob_addf(struct blob *blob, const char *format, ...)
{
    enum status status;
    va_list args, again;
    int size;

    va_start(args, format);
    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    status = (size_t)size > blob->size_max - blob->size
                 ? STATUS_FULL
                 : blob_reserve(blob, blob->size + (size_t)size);
    if (!status) {
        vsnprintf((char *)blob->data + blob->size, (size_t)size + 1, format, again);
        blob->size += (size_t)size;
    }
    va_end(again);
    return status;
}

void blob_drop_front(struct blob *blob, size_t size)
{
    assert(size <= blob->size);
    if (!size)
        return;
    memmove(blob->data, blob->data + size, blob->size - size);
    blob->size -= size;
    blob->data[blob->size] = 0;
}

void hex_encode(const void *data, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, void *data, size_t size)
{
    uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * size] == 0;
}

bool hex_is_id(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return text[count] == 0;
}

enum status base64_encode(struct bytes from, struct blob *to)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t groups = from.size / 3 + (from.size % 3 != 0);
    enum status status;
    uint8_t *out;

    if (groups > (to->size_max - to->size) / 4)
        return STATUS_FULL;
    status = blob_reserve(to, to->size + 4 * groups);
    if (status)
        return status;
    out = to->data + to->size;
    for (size_t i = 0; i < from.size; i += 3) {
        const size_t left = from.size - i;
        const uint32_t v = (uint32_t)from.data[i] << 16 |
                           (left > 1 ? (uint32_t)from.data[i + 1] << 8 : 0) |
                           (left > 2 ? from.data[i + 2] : 0U);
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        *out++ = left > 1 ? (uint8_t)digits[v >> 6 & 63] : '=';
        *out++ = left > 2 ? (uint8_t)digits[v & 63] : '=';
    }
    to->size += 4 * groups;
    to->data[to->size] = 0;
    return STATUS_OK;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four characters with pad of them '='; the count of bytes, or -1. */
static int base64_group(const char *text, int pad, uint8_t out[3])
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        const int digit = i < 4 - pad ? base64_digit(text[i]) : 0;
        if (digit < 0)
            return -1;
        v = v << 6 | (uint32_t)digit;
    }
    if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
        return -1; /* bits that no encoder sets: two texts for one value */
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    return 3 - pad;
}

enum status base64_decode(const char *text, size_t size, struct blob *to)
{
    const size_t start = to->size;
    enum status status;

    if (size % 4)
        return STATUS_BAD_DATA;
    if (size / 4 > (to->size_max - to->size) / 3 + 1)
        return STATUS_FULL;
    status = blob_reserve(to, to->size + 3 * (size / 4) < to->size_max
                                  ? to->size + 3 * (size / 4)
                                  : to->size_max);
    for (size_t i = 0; !status && i < size; i += 4) {
        uint8_t bytes[3];
        const int pad = i + 4 < size ? 0
                                     : (text[i + 3] == '=') +
                                           (text[i + 2] == '=' && text[i + 3] == '=');
        const int count = base64_group(text + i, pad, bytes);
        status = count < 0 ? STATUS_BAD_DATA : blob_add(to, bytes, (size_t)count);
    }
    if (status) {
        to->size = start;
        if (to->data)
            to->data[start] = 0;
    }
    return status;
}

bool u64_parse(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

bool text_is_secret(const char *secret, const char *given)
{
    const size_t size = strlen(secret), given_size = strlen(given);
    uint8_t difference = given_size != size;

    for (size_t i = 0; i < size && i < given_size; i++)
        difference |= (uint8_t)(secret[i] ^ given[i]);
    return !difference;
}
