/*
 * fuzz_safetensors.c - any bytes as a safetensors file: refused, or every range lies in
 * the file.
 *
 * What the canonical reader takes must come out of the writer as it came in.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_canonical(struct bytes file)
{
    struct blob again = blob_empty(file.size + 1);
    struct safetensors parsed;
    enum status status = safetensors_parse_canonical(file, &parsed, NULL);

    if (!status) {
        status = safetensors_write(parsed.tensors, parsed.count, &again, NULL);
        assert(status == STATUS_OK);
        assert(again.size == file.size);
        assert(memcmp(again.data, file.data, file.size) == 0);
    }
    safetensors_free(&parsed);
    blob_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes file = bytes_of(data, size);
    struct safetensors parsed;
    struct error err = {0};

    if (safetensors_parse(file, &parsed, &err) == STATUS_OK) {
        for (size_t i = 0; i < parsed.count; i++) {
            const struct bytes part = parsed.tensors[i].data;

            assert(part.data >= data && part.data + part.size <= data + size);
            assert(safetensors_find(&parsed, parsed.tensors[i].name) ==
                   &parsed.tensors[i]);
        }
    } else {
        assert(err.text[0]);
    }
    safetensors_free(&parsed);
    check_canonical(file);
    return 0;
}
