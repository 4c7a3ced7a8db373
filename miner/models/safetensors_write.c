/*
 * safetensors_write.c - writes safetensors in one form only, so that equal tensors are
 * equal bytes.
 *
 * task-pool.md section 4: compact JSON, keys in byte order, no metadata, padded with
 * spaces.  Names are printable ASCII without quotes and backslashes, so that no choice of
 * escapes exists.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/safetensors.h"

enum { CANONICAL_ALIGN = 8 };

/* A tensor and where it will lie. */
struct place {
    const struct tensor *tensor;
    uint64_t begin, end;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return strcmp(a->tensor->name, b->tensor->name);
}

static bool is_plain_name(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (; *name; name++) {
        if (*name < ' ' || *name > '~' || *name == '"' || *name == '\\')
            return false;
    }
    return true;
}

static enum status places_of(const struct tensor *tensors, size_t count,
                             struct place *places, struct error *err)
{
    uint64_t offset = 0, size;

    for (size_t i = 0; i < count; i++) {
        assert(tensors[i].rank <= TENSOR_RANK_MAX);
        if (!is_plain_name(tensors[i].name))
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %zu: its name is not printable ASCII", i);
        if (!tensor_size(&tensors[i], &size) || size != tensors[i].data.size)
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %s: has %zu bytes, its shape says otherwise",
                             tensors[i].name, tensors[i].data.size);
        places[i] = (struct place){&tensors[i], offset, offset + size};
        offset += size;
    }
    if (count)
        qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(places[i - 1].tensor->name, places[i].tensor->name) == 0)
            return error_set(err, STATUS_BAD_DATA, "two tensors are called %s",
                             places[i].tensor->name);
    }
    return STATUS_OK;
}

static enum status add_place(struct blob *out, const struct place *place, bool is_first)
{
    const struct tensor *tensor = place->tensor;
    enum status status;

    status = blob_addf(
        out, "%s\"%s\":{\"data_offsets\":[%llu,%llu],\"dtype\":\"%s\",\"shape\":[",
        is_first ? "" : ",", tensor->name, (unsigned long long)place->begin,
        (unsigned long long)place->end, dtype_name(tensor->dtype));
    for (uint32_t i = 0; i < tensor->rank && !status; i++)
        status =
            blob_addf(out, i ? ",%llu" : "%llu", (unsigned long long)tensor->shape[i]);
    return status ? status : blob_add(out, "]}", 2);
}

static enum status add_header(struct blob *out, const struct place *places, size_t count,
                              uint32_t align)
{
    const size_t start = out->size;
    enum status status = blob_add(out, "\0\0\0\0\0\0\0\0{", 9);

    for (size_t i = 0; i < count && !status; i++)
        status = add_place(out, &places[i], i == 0);
    if (!status)
        status = blob_add(out, "}", 1);
    while (!status && (out->size - start) % align)
        status = blob_add(out, " ", 1);
    if (!status)
        u64_store(out->data + start, out->size - start - 8);
    return status;
}

enum status safetensors_header(const struct tensor *tensors, size_t count, uint32_t align,
                               struct blob *out, struct error *err)
{
    struct place *places = memory_array(count, sizeof *places);
    enum status status;

    assert(align == 8 || align == 64);
    if (!places)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a list of tensors");
    status = places_of(tensors, count, places, err);
    if (!status) {
        status = add_header(out, places, count, align);
        if (status)
            error_set(err, status, "a header of %zu tensors does not fit %zu bytes",
                      count, out->size_max);
    }
    memory_free(places);
    return status;
}

static int compare_tensors(const void *left, const void *right)
{
    return strcmp(((const struct tensor *)left)->name,
                  ((const struct tensor *)right)->name);
}

enum status safetensors_write(const struct tensor *tensors, size_t count,
                              struct blob *out, struct error *err)
{
    struct tensor *sorted = memory_array(count, sizeof *sorted);
    enum status status;

    if (!sorted)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a list of tensors");
    if (count) {
        memcpy(sorted, tensors, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_tensors);
    }
    status = safetensors_header(sorted, count, CANONICAL_ALIGN, out, err);
    for (size_t i = 0; i < count && !status; i++) {
        if (sorted[i].data.size)
            status = blob_add(out, sorted[i].data.data, sorted[i].data.size);
        if (status)
            error_set(err, status, "tensor %s does not fit %zu bytes", sorted[i].name,
                      out->size_max);
    }
    memory_free(sorted);
    return status;
}

/* The header says where everything lies, so equal headers and equal sizes are equal
 * files. */
enum status safetensors_parse_canonical(struct bytes file, struct safetensors *out,
                                        struct error *err)
{
    struct blob header = blob_empty(file.size);
    enum status status = safetensors_parse(file, out, err);

    if (status)
        return status;
    status = safetensors_header(out->tensors, out->count, CANONICAL_ALIGN, &header, err);
    if (status == STATUS_FULL || status == STATUS_BAD_DATA ||
        (!status && memcmp(header.data, file.data, header.size) != 0))
        status =
            error_set(err, STATUS_BAD_DATA, "the safetensors are not in canonical form");
    blob_free(&header);
    if (status)
        safetensors_free(out);
    return status;
}
