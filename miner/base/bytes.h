/*
 * bytes.h - spans, growing blobs with a maximum, hex, base64, little-endian numbers.
 *
 * A `struct bytes` never owns.  A `struct blob` owns and is born with its maximum.
 * Everything that parses text refuses rather than guesses.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_BYTES_H
#define MINERVA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

struct bytes {
    const uint8_t *data;
    size_t size;
};

struct blob {
    uint8_t *data; /* data[size] is always a NUL once anything was added, so text may be
                      used as such */
    size_t size;
    size_t capacity;
    size_t size_max;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

struct blob blob_empty(size_t size_max);
void blob_free(struct blob *blob);  /* leaves it empty, with its maximum */
void blob_clear(struct blob *blob); /* keeps the memory */
MUST_CHECK enum status blob_reserve(struct blob *blob,
                                    size_t size); /* FULL past the maximum, NO_MEMORY */
MUST_CHECK enum status blob_add(struct blob *blob, const void *data, size_t size);
MUST_CHECK enum status blob_addf(struct blob *blob, const char *format, ...)
    PRINTF_LIKE(2, 3);
void blob_drop_front(struct blob *blob, size_t size);
static inline struct bytes blob_bytes(const struct blob *blob)
{
    return (struct bytes){.data = blob->data, .size = blob->size};
}

/* Lower-case hex of size bytes into text, which holds 2 * size + 1 characters. */
void hex_encode(const void *data, size_t size, char *text);
/* Exactly 2 * size hex digits, either case, nothing after; false otherwise. */
bool hex_decode(const char *text, void *data, size_t size);

/* Standard base64 with padding, no line breaks (RFC 4648 section 4). */
MUST_CHECK enum status base64_encode(struct bytes from, struct blob *to);
/* Refuses wrong padding, foreign characters and non-zero unused bits: BAD_DATA, or to's
 * errors. */
MUST_CHECK enum status base64_decode(const char *text, size_t size, struct blob *to);

/* A whole decimal number with no sign, blank or rest, at most max; false otherwise. */
bool u64_parse(const char *text, uint64_t max, uint64_t *out);

/* Whether the texts are equal, in a time that does not tell how much of given was right.
 */
bool text_is_secret(const char *secret, const char *given);

/* Lower-case hex digits only, exactly count of them: model ids (64), task ids (32). */
bool hex_is_id(const char *text, size_t count);

static inline uint32_t u32_load(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}
static inline uint64_t u64_load(const uint8_t *p)
{
    return (uint64_t)u32_load(p) | (uint64_t)u32_load(p + 4) << 32;
}
static inline void u32_store(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}
static inline void u64_store(uint8_t *p, uint64_t v)
{
    u32_store(p, (uint32_t)v);
    u32_store(p + 4, (uint32_t)(v >> 32));
}

#endif
