/*
 * http_range.c - the Range header: one span of bytes, or none.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "pool/http_request.h"

/* What stands on both sides of the dash. */
struct range_text {
    bool has_left, has_right;
    uint64_t left, right;
};

static bool number_parse(const char *text, size_t size, bool *has, uint64_t *out)
{
    char digits[24];

    *has = size > 0;
    if (size >= sizeof digits)
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int)size, text);
    return !*has || u64_parse(digits, UINT64_MAX, out);
}

static bool range_read(const char *text, struct range_text *out)
{
    if (!text || strncmp(text, "bytes=", 6))
        return false;
    const char *from = text + 6;
    const char *dash = strchr(from, '-');
    if (!dash)
        return false;
    *out = (struct range_text){.has_left = false};
    return number_parse(from, (size_t)(dash - from), &out->has_left, &out->left) &&
           number_parse(dash + 1, strlen(dash + 1), &out->has_right, &out->right) &&
           (out->has_left || out->has_right);
}

enum status http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *count)
{
    struct range_text range;

    if (!range_read(text, &range))
        return STATUS_NOT_FOUND;
    if (!range.has_left) { /* the last ones */
        if (!range.right || !size)
            return STATUS_REFUSED;
        *count = range.right < size ? range.right : size;
        *first = size - *count;
        return STATUS_OK;
    }
    const uint64_t last = range.has_right && range.right < size ? range.right : size - 1;
    if (range.left >= size || last < range.left)
        return STATUS_REFUSED;
    *first = range.left;
    *count = last - range.left + 1;
    return STATUS_OK;
}
