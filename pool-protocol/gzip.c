/*
 * gzip.c - one member of gzip, by zlib.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/gzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16, /* the largest, and framed as gzip */
    GZIP_LEVEL = 1,        /* a proof hardly shrinks, so no time is spent on it */
    GZIP_STEP = 64 << 10
};

/* What zlib makes of its input, step by step, until it says that it is at the end. */
static enum status gzip_pump(z_stream *stream, int (*step)(z_stream *, int), int flush,
                             struct blob *to)
{
    uint8_t data[GZIP_STEP];
    int code = Z_OK;

    while (code == Z_OK) {
        stream->next_out = data;
        stream->avail_out = sizeof data;
        code = step(stream, flush);

        const size_t size = sizeof data - stream->avail_out;
        const enum status status = size ? blob_add(to, data, size) : STATUS_OK;
        if (status)
            return status;
        if (code == Z_OK && !size && !stream->avail_in)
            return STATUS_BAD_DATA; /* it ends in the middle */
    }
    if (code == Z_MEM_ERROR)
        return STATUS_NO_MEMORY;
    return code == Z_STREAM_END ? STATUS_OK : STATUS_BAD_DATA;
}

/* zlib reads what it is given and calls it not const. */
static void gzip_feed(z_stream *stream, struct bytes from)
{
    assert(from.size <= UINT_MAX);
    stream->next_in = (z_const Bytef *)(uintptr_t)from.data;
    stream->avail_in = (uInt)from.size;
}

enum status gzip_pack(struct bytes from, struct blob *to)
{
    z_stream stream = {0};

    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY))
        return STATUS_NO_MEMORY;
    gzip_feed(&stream, from);
    const enum status status = gzip_pump(&stream, deflate, Z_FINISH, to);
    deflateEnd(&stream);
    return status;
}

bool gzip_is_packed(struct bytes from)
{
    return from.size >= 2 && from.data[0] == 0x1f && from.data[1] == 0x8b;
}

enum status gzip_unpack(struct bytes from, struct blob *to)
{
    z_stream stream = {0};
    enum status status = STATUS_OK;

    if (!gzip_is_packed(from))
        return STATUS_BAD_DATA;
    if (inflateInit2(&stream, GZIP_WINDOW))
        return STATUS_NO_MEMORY;
    gzip_feed(&stream, from);
    status = gzip_pump(&stream, inflate, Z_NO_FLUSH, to);
    if (!status && stream.avail_in)
        status = STATUS_BAD_DATA;
    inflateEnd(&stream);
    return status;
}
