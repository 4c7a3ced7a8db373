/*
 * utf8.c - text into code points and back, strictly: one form a point, nothing guessed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>

#include "miner/models/unicode.h"

/* Bytes of the sequence that first begins, its payload into point; 0: none begins so. */
static size_t sequence_begin(uint8_t first, uint32_t *point)
{
    if (first < 0x80) {
        *point = first;
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) { /* c0, c1 would be overlong */
        *point = first & 0x1f;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *point = first & 0x0f;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *point = first & 0x07;
        return 4;
    }
    return 0;
}

bool utf8_next(struct bytes text, size_t *offset, uint32_t *point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value;
    size_t size;

    if (*offset >= text.size)
        return false;
    size = sequence_begin(text.data[*offset], &value);
    if (size == 0 || size > text.size - *offset)
        return false;
    for (size_t i = 1; i < size; i++) {
        const uint8_t byte = text.data[*offset + i];

        if ((byte & 0xc0) != 0x80)
            return false;
        value = value << 6 | (byte & 0x3f);
    }
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return false;
    *offset += size;
    *point = value;
    return true;
}

enum status utf8_check(struct bytes text, struct error *err)
{
    uint32_t point;

    for (size_t offset = 0; offset < text.size;) {
        if (!utf8_next(text, &offset, &point))
            return error_set(err, STATUS_BAD_DATA, "the text is no UTF-8 at byte %zu",
                             offset);
    }
    return STATUS_OK;
}

size_t utf8_write(uint32_t point, uint8_t out[4])
{
    assert(point <= 0x10ffff);
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}
