/*
 * fuzz_message_manifest.c - any bytes as a manifest: what is taken has a file's head.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_manifest manifest;
    struct blob head = blob_empty(16 << 20);
    struct error err = {0};

    if (message_manifest_decode(bytes_of(data, size), &manifest, &err)) {
        if (!*err.text)
            abort();
    } else {
        if (message_manifest_file_head(&manifest, &head) || head.size % 64)
            abort();
        message_manifest_free(&manifest);
    }
    blob_free(&head);
    return 0;
}
