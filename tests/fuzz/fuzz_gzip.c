/*
 * fuzz_gzip.c - any bytes as a packed proof: bounded, and what was read can be packed and
 * read again.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "pool-protocol/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct blob to = blob_empty(1 << 20), packed = blob_empty(4 << 20);
    struct blob back = blob_empty(1 << 20);

    if (!gzip_unpack(bytes_of(data, size), &to)) {
        if (gzip_pack(blob_bytes(&to), &packed) ||
            gzip_unpack(blob_bytes(&packed), &back) || back.size != to.size ||
            (to.size && memcmp(back.data, to.data, to.size)))
            abort();
    }
    blob_free(&to);
    blob_free(&packed);
    blob_free(&back);
    return 0;
}
