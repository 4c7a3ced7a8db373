/*
 * safetensors.c - reads foreign safetensors files and believes nothing (numerics.md 3.1).
 *
 * The header is bounded before it is parsed, duplicate keys are refused, and every
 * tensor's range must have the size its shape says; the ranges must cover the data
 * without gap or overlap.
 *
 * SPDX-License-Identifier: MIT
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/safetensors.h"

enum {
    HEADER_MAX =
        16 << 20, /* some hundred thousand tensors; keeps the parser's memory bounded */
    TENSORS_MAX = 65536,
};

bool tensor_size(const struct tensor *tensor, uint64_t *out)
{
    uint64_t size = dtype_size(tensor->dtype);

    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (__builtin_mul_overflow(size, tensor->shape[i], &size))
            return false;
    }
    *out = size;
    return true;
}

static enum status read_natural(const json_t *value, const char *name, const char *what,
                                uint64_t *out, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: %s holds something that is no size", name, what);
    *out = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

static enum status read_shape(const json_t *shape, struct tensor *out, struct error *err)
{
    enum status status = STATUS_OK;

    if (!json_is_array(shape))
        return error_set(err, STATUS_BAD_DATA, "tensor %s: shape is no list", out->name);
    if (json_array_size(shape) > TENSOR_RANK_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: has %zu dimensions, expected at most %d", out->name,
                         json_array_size(shape), TENSOR_RANK_MAX);
    out->rank = (uint32_t)json_array_size(shape);
    for (uint32_t i = 0; i < out->rank && !status; i++)
        status = read_natural(json_array_get(shape, i), out->name, "shape",
                              &out->shape[i], err);
    return status;
}

/* Where the tensor lies: data_offsets within the data, as large as the shape says. */
static enum status read_range(const json_t *offsets, struct bytes data,
                              struct tensor *out, struct error *err)
{
    uint64_t begin = 0, end = 0, size = 0;
    enum status status;

    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return error_set(err, STATUS_BAD_DATA, "tensor %s: data_offsets is no pair",
                         out->name);
    status =
        read_natural(json_array_get(offsets, 0), out->name, "data_offsets", &begin, err);
    if (!status)
        status = read_natural(json_array_get(offsets, 1), out->name, "data_offsets", &end,
                              err);
    if (status)
        return status;
    if (begin > end || end > data.size)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: lies at %llu to %llu, the data has %zu bytes",
                         out->name, (unsigned long long)begin, (unsigned long long)end,
                         data.size);
    if (!tensor_size(out, &size) || size != end - begin)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: has %llu bytes, its shape and type say otherwise",
                         out->name, (unsigned long long)(end - begin));
    out->data = bytes_of(data.data + begin, (size_t)size);
    return STATUS_OK;
}

static enum status read_tensor(const char *name, const json_t *entry, struct bytes data,
                               struct tensor *out, struct error *err)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    enum status status;

    if (name[0] == '\0' || strlen(name) > TENSOR_NAME_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "a tensor's name has %zu characters, expected 1 to %d",
                         strlen(name), TENSOR_NAME_MAX);
    memcpy(out->name, name, strlen(name) + 1);
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: expected exactly dtype, shape and data_offsets",
                         name);
    if (!dtype)
        return error_set(err, STATUS_BAD_DATA, "tensor %s: dtype is no string", name);
    status = dtype_parse(dtype, &out->dtype);
    if (status)
        return error_set(err, status, "tensor %s: type %.16s is not supported", name,
                         dtype);
    status = read_shape(json_object_get(entry, "shape"), out, err);
    return status ? status
                  : read_range(json_object_get(entry, "data_offsets"), data, out, err);
}

static enum status check_metadata(json_t *metadata, struct error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return error_set(err, STATUS_BAD_DATA, "__metadata__ is no object");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return error_set(err, STATUS_BAD_DATA, "__metadata__: \"%.32s\" is no string",
                             key);
    }
    return STATUS_OK;
}

static int compare_place(const void *left, const void *right)
{
    const struct tensor *a = left, *b = right;

    if (a->data.data != b->data.data)
        return a->data.data < b->data.data ? -1 : 1;
    return a->data.size < b->data.size ? -1 : a->data.size > b->data.size;
}

static int compare_name(const void *left, const void *right)
{
    return strcmp(((const struct tensor *)left)->name,
                  ((const struct tensor *)right)->name);
}

/* Every byte of the data belongs to exactly one tensor. */
static enum status check_cover(struct safetensors *file, struct bytes data,
                               struct error *err)
{
    const uint8_t *next = data.data;

    if (file->count)
        qsort(file->tensors, file->count, sizeof *file->tensors, compare_place);
    for (size_t i = 0; i < file->count; i++) {
        const struct tensor *tensor = &file->tensors[i];

        if (tensor->data.data != next)
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %s: %s at byte %zu of the data", tensor->name,
                             tensor->data.data < next ? "overlaps another" : "a gap",
                             (size_t)(tensor->data.data - data.data));
        next += tensor->data.size;
    }
    if (next != data.data + data.size)
        return error_set(err, STATUS_BAD_DATA, "the last %zu bytes belong to no tensor",
                         (size_t)(data.data + data.size - next));
    return STATUS_OK;
}

static enum status read_header(json_t *header, struct bytes data, struct safetensors *out,
                               struct error *err)
{
    enum status status = STATUS_OK;
    const char *name;
    json_t *entry;

    if (!json_is_object(header) || json_object_size(header) > TENSORS_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "the header is no object of at most %d tensors", TENSORS_MAX);
    out->tensors = memory_array(json_object_size(header), sizeof *out->tensors);
    if (!out->tensors)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a list of tensors");
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            status = check_metadata(entry, err);
        else
            status = read_tensor(name, entry, data, &out->tensors[out->count++], err);
        if (status)
            return status;
    }
    status = check_cover(out, data, err);
    if (!status && out->count)
        qsort(out->tensors, out->count, sizeof *out->tensors, compare_name);
    return status;
}

enum status safetensors_parse(struct bytes file, struct safetensors *out,
                              struct error *err)
{
    json_error_t fault;
    json_t *header;
    enum status status;
    uint64_t size;

    *out = (struct safetensors){0};
    if (file.size < 8)
        return error_set(err, STATUS_BAD_DATA, "%zu bytes are too few for safetensors",
                         file.size);
    size = u64_load(file.data);
    if (size > HEADER_MAX || size > file.size - 8)
        return error_set(
            err, STATUS_BAD_DATA,
            "the header says it has %llu bytes, the file has %zu and %d are allowed",
            (unsigned long long)size, file.size, HEADER_MAX);
    if (size == 0 || file.data[8] != '{')
        return error_set(err, STATUS_BAD_DATA, "the header does not begin with {");
    header = json_loadb((const char *)file.data + 8, (size_t)size, JSON_REJECT_DUPLICATES,
                        &fault);
    if (!header)
        return error_set(err, STATUS_BAD_DATA, "the header is no JSON: %s", fault.text);
    status = read_header(
        header, bytes_of(file.data + 8 + size, file.size - 8 - (size_t)size), out, err);
    json_decref(header);
    if (status)
        safetensors_free(out);
    return status;
}

void safetensors_free(struct safetensors *file)
{
    memory_free(file->tensors);
    *file = (struct safetensors){0};
}

const struct tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    size_t first = 0, end = file->count;

    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        const int order = strcmp(name, file->tensors[middle].name);

        if (order == 0)
            return &file->tensors[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}
