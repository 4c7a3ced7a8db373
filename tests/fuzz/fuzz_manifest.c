/*
 * fuzz_manifest.c - any bytes as a manifest: refused, or written again as it came.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct blob again = blob_empty(MANIFEST_SIZE_MAX);
    struct manifest manifest;
    struct error err = {0};
    enum status status = manifest_parse(bytes_of(data, size), &manifest, &err);

    if (status) {
        assert(err.text[0]);
    } else {
        status = manifest_write(&manifest, &again, NULL);
        assert(status == STATUS_OK);
        assert(again.size == size);
        assert(memcmp(again.data, data, size) == 0);
        manifest_free(&manifest);
    }
    blob_free(&again);
    return 0;
}
