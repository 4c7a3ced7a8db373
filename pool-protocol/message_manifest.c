/*
 * message_manifest.c - reads a manifest for its tensors, and writes the head of their
 * file.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/message_fields.h"

enum { FILE_ALIGN = 64, DEPTH_MAX = 6 };
static const uint64_t size_max = UINT64_C(1) << 42; /* of a model: four terabytes */

void message_manifest_free(struct message_manifest *manifest)
{
    if (!manifest)
        return;
    memory_free(manifest->tensors);
    *manifest = (struct message_manifest){0};
}

static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    }
    return true;
}

static void tensor_decode(struct fields *fields, struct manifest_tensor *out)
{
    const json_t *shape = json_object_get(fields->object, "shape");

    fields_text(fields, "name", 1, MANIFEST_TENSOR_NAME_MAX, out->name);
    fields_text(fields, "dtype", 1, sizeof out->dtype - 1, out->dtype);
    fields_u64(fields, "size", 1, size_max, &out->size);
    fields_id(fields, "hash", 64, out->hash);
    if (!json_is_array(shape) || json_array_size(shape) > MANIFEST_RANK_MAX) {
        fields_refuse(fields, "shape", "a list of at most 4 numbers");
        return;
    }
    out->rank = (uint32_t)json_array_size(shape);
    for (uint32_t i = 0; i < out->rank; i++) {
        const json_t *extent = json_array_get(shape, i);

        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            fields_refuse(fields, "shape", "a list of at most 4 numbers");
        out->shape[i] = (uint64_t)json_integer_value(extent);
    }
    if (!fields->status && !(is_plain(out->name) && is_plain(out->dtype)))
        fields_refuse(fields, "name", "printable characters without quotes");
}

/* Whole cache lines first, so that every tensor but the last few begins at one. */
static int compare_places(const void *left, const void *right)
{
    const struct manifest_tensor *a = left, *b = right;
    const int a_odd = a->size % FILE_ALIGN != 0, b_odd = b->size % FILE_ALIGN != 0;

    return a_odd != b_odd ? a_odd - b_odd : strcmp(a->name, b->name);
}

static enum status manifest_decode_tensors(const json_t *list,
                                           struct message_manifest *out,
                                           struct error *err)
{
    const size_t count = json_array_size(list);

    if (!json_is_array(list) || !count || count > MANIFEST_COUNT_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "a manifest names %zu tensors, expected 1 to %d", count,
                         MANIFEST_COUNT_MAX);
    out->tensors = memory_array(count, sizeof *out->tensors);
    if (!out->tensors)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tensors", count);
    for (size_t i = 0; i < count; i++) {
        struct fields tensor = {
            .object = json_array_get(list, i), .what = "a manifest's tensor", .err = err};

        tensor_decode(&tensor, &out->tensors[i]);
        if (tensor.status)
            return tensor.status;
        out->size += out->tensors[i].size;
        if (out->size > size_max)
            return error_set(err, STATUS_BAD_DATA,
                             "a manifest's tensors exceed %" PRIu64 " bytes", size_max);
    }
    out->count = (uint32_t)count;
    qsort(out->tensors, count, sizeof *out->tensors, compare_places);
    return STATUS_OK;
}

static enum status manifest_read(const json_t *root, struct message_manifest *out,
                                 struct error *err)
{
    struct fields fields = {.object = root, .what = "a manifest", .err = err};
    enum status status = STATUS_OK;

    if (!json_is_object(root))
        return error_set(err, STATUS_BAD_DATA, "a manifest is no JSON object");
    status = manifest_decode_tensors(json_object_get(root, "tensors"), out, err);
    if (status || !fields_has(&fields, "tokenizer"))
        return status;
    struct fields tokenizer =
        fields_inside(&fields, "tokenizer", "a manifest's tokenizer");
    fields_id(&tokenizer, "vocab_hash", 64, out->vocab_hash);
    return tokenizer.status;
}

/* Shallow, before a parser recurses. */
static bool is_shallow(struct bytes text)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < text.size && depth <= DEPTH_MAX; i++) {
        if (text.data[i] == '{' || text.data[i] == '[')
            depth++;
        else if ((text.data[i] == '}' || text.data[i] == ']') && depth)
            depth--;
    }
    return depth <= DEPTH_MAX;
}

enum status message_manifest_decode(struct bytes text, struct message_manifest *out,
                                    struct error *err)
{
    json_error_t parse = {0};
    json_t *root = NULL;
    enum status status = STATUS_OK;

    *out = (struct message_manifest){0};
    if (text.size > MANIFEST_TEXT_MAX || !is_shallow(text))
        return error_set(err, STATUS_BAD_DATA,
                         "a manifest of %zu bytes: too long, or nested too deeply",
                         text.size);
    root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &parse);
    status = manifest_read(root, out, err);
    json_decref(root);
    if (status)
        message_manifest_free(out);
    return status == STATUS_BAD_MESSAGE ? STATUS_BAD_DATA : status;
}

struct place {
    const struct manifest_tensor *tensor;
    uint64_t begin;
};

static int compare_names(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return strcmp(a->tensor->name, b->tensor->name);
}

static enum status head_add(struct blob *out, const struct place *place, bool is_first)
{
    const struct manifest_tensor *tensor = place->tensor;
    enum status status = blob_addf(out,
                                   "%s\"%s\":{\"data_offsets\":[%" PRIu64 ",%" PRIu64
                                   "],\"dtype\":\"%s\",\"shape\":[",
                                   is_first ? "" : ",", tensor->name, place->begin,
                                   place->begin + tensor->size, tensor->dtype);

    for (uint32_t i = 0; i < tensor->rank && !status; i++)
        status = blob_addf(out, "%s%" PRIu64, i ? "," : "", tensor->shape[i]);
    return status ? status : blob_add(out, "]}", 2);
}

enum status message_manifest_file_head(const struct message_manifest *manifest,
                                       struct blob *out)
{
    struct place *places = memory_array(manifest->count, sizeof *places);
    const size_t start = out->size;
    enum status status = STATUS_NO_MEMORY;
    uint64_t offset = 0;

    if (!places)
        return status;
    for (uint32_t i = 0; i < manifest->count; i++) {
        places[i] = (struct place){&manifest->tensors[i], offset};
        offset += manifest->tensors[i].size;
    }
    qsort(places, manifest->count, sizeof *places, compare_names);
    status = blob_add(out, "\0\0\0\0\0\0\0\0{", 9);
    for (uint32_t i = 0; i < manifest->count && !status; i++)
        status = head_add(out, &places[i], i == 0);
    if (!status)
        status = blob_add(out, "}", 1);
    while (!status && (out->size - start) % FILE_ALIGN)
        status = blob_add(out, " ", 1);
    if (!status)
        u64_store(out->data + start, out->size - start - 8);
    memory_free(places);
    return status;
}
