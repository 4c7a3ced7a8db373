/*
 * fuzz_task_input.c - inputs and outputs of tasks: what is taken as canonical writes to
 * the same bytes, what is split holds together, and whatever is joined parses.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/tasks/embeddings.h"
#include "miner/tasks/sequences.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static bool equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static void try_split(struct bytes input, const struct sequences *whole)
{
    struct blob *parts = NULL;
    uint32_t count = 0, items = 0;
    must(!sequences_split(input, 8, &parts, &count, NULL));
    for (uint32_t i = 0; i < count; i++) {
        struct sequences part;
        must(!sequences_parse(blob_bytes(&parts[i]), &part, NULL));
        must(part.total <= 8 || part.count == 1);
        items += part.count;
        sequences_free(&part);
    }
    must(items == whole->count);
    task_parts_free(parts, count);
}

static void try_input(struct bytes input)
{
    struct sequences sequences;
    struct blob again = blob_empty(input.size + 1024);
    if (sequences_parse(input, &sequences, NULL))
        return;
    must(!sequences_write(&sequences, &again, NULL));
    must(equal(input, blob_bytes(&again)));
    try_split(input, &sequences);
    blob_free(&again);
    sequences_free(&sequences);
}

static void try_output(struct bytes output)
{
    const struct bytes twice[] = {output, output};
    struct embeddings one, both;
    struct fault_record fault;
    struct blob again = blob_empty(output.size + 1024);
    struct blob joined = blob_empty(2 * output.size + 1024);
    if (fault_record_parse(output, &fault)) {
        must(!fault_record_write(&fault, &again, NULL));
        must(equal(output, blob_bytes(&again)));
        must(output.size == fault_record_size());
    } else if (!embeddings_parse(output, &one, NULL)) {
        must(!embeddings_write(&one, &again, NULL));
        must(equal(output, blob_bytes(&again)));
        must(output.size == embeddings_size(one.count, one.width));
        must(!embeddings_join(twice, 2, &joined, NULL));
        must(!embeddings_parse(blob_bytes(&joined), &both, NULL));
        must(both.count == 2 * one.count && both.width == one.width);
    }
    blob_free(&again);
    blob_free(&joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Aligned, as blobs are. */
    uint8_t *copy = memory_array(size, 1);
    must(copy != NULL);
    if (size)
        memcpy(copy, data, size);
    try_input(bytes_of(copy, size));
    try_output(bytes_of(copy, size));
    memory_free(copy);
    return 0;
}
