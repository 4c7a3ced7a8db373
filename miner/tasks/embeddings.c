/*
 * embeddings.c - writes, reads and joins vectors and fault records.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/embeddings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/models/safetensors.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are written as they lie in memory");

enum { FAULT_NUMBERS = 3 };

/* A safetensors file: u64 size of the header, the header padded to 8, the data. */
static uint64_t file_size(int header_size, uint64_t data_size)
{
    assert(header_size > 0);
    return 8 + ((uint64_t)header_size + 7) / 8 * 8 + data_size;
}

uint64_t embeddings_size(uint64_t count, uint64_t width)
{
    const uint64_t size = count * width * sizeof(float);
    const int header =
        snprintf(NULL, 0,
                 "{\"embeddings\":{\"data_offsets\":[0,%" PRIu64
                 "],\"dtype\":\"F32\",\"shape\":[%" PRIu64 ",%" PRIu64 "]}}",
                 size, count, width);
    return file_size(header, size);
}

uint64_t fault_record_size(void)
{
    static const char header[] =
        "{\"fault\":{\"data_offsets\":[0,12],\"dtype\":\"I32\",\"shape\":[3]}}";
    return file_size((int)sizeof header - 1, FAULT_NUMBERS * sizeof(int32_t));
}

enum status embeddings_write(const struct embeddings *vectors, struct blob *out,
                             struct error *err)
{
    const struct tensor tensor = {
        .name = "embeddings",
        .dtype = DTYPE_F32,
        .rank = 2,
        .shape = {vectors->count, vectors->width},
        .data = bytes_of(vectors->values,
                         (size_t)vectors->count * vectors->width * sizeof(float)),
    };
    return safetensors_write(&tensor, 1, out, err);
}

enum status fault_record_write(const struct fault_record *record, struct blob *out,
                               struct error *err)
{
    const int32_t numbers[FAULT_NUMBERS] = {record->pack, record->product, record->row};
    const struct tensor tensor = {
        .name = "fault",
        .dtype = DTYPE_I32,
        .rank = 1,
        .shape = {FAULT_NUMBERS},
        .data = bytes_of(numbers, sizeof numbers),
    };
    return safetensors_write(&tensor, 1, out, err);
}

bool fault_record_parse(struct bytes file, struct fault_record *out)
{
    struct safetensors tensors = {0};
    if (safetensors_parse_canonical(file, &tensors, NULL))
        return false;
    const struct tensor *tensor = safetensors_find(&tensors, "fault");
    const bool holds = tensor && tensors.count == 1 && tensor->dtype == DTYPE_I32 &&
                       tensor->rank == 1 && tensor->shape[0] == FAULT_NUMBERS;
    if (holds)
        *out = (struct fault_record){
            .pack = (int32_t)u32_load(tensor->data.data),
            .product = (int32_t)u32_load(tensor->data.data + 4),
            .row = (int32_t)u32_load(tensor->data.data + 8),
        };
    safetensors_free(&tensors);
    return holds;
}

static enum status take_embeddings(const struct safetensors *file, struct embeddings *out,
                                   struct error *err)
{
    const struct tensor *tensor = safetensors_find(file, "embeddings");
    if (!tensor || file->count != 1)
        return error_set(err, STATUS_BAD_DATA,
                         "result: expected the one tensor \"embeddings\"");
    if (tensor->dtype != DTYPE_F32 || tensor->rank != 2)
        return error_set(err, STATUS_BAD_DATA,
                         "result: embeddings is %s of %" PRIu32
                         " dimensions, expected F32 of 2",
                         dtype_name(tensor->dtype), tensor->rank);
    if (!tensor->shape[0] || tensor->shape[0] > UINT32_MAX || !tensor->shape[1] ||
        tensor->shape[1] > UINT32_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "result: embeddings is [%" PRIu64 ", %" PRIu64 "]",
                         tensor->shape[0], tensor->shape[1]);
    if ((uintptr_t)tensor->data.data % _Alignof(float))
        return error_set(err, STATUS_BAD_DATA, "result: embeddings lies unaligned");
    *out = (struct embeddings){
        .count = (uint32_t)tensor->shape[0],
        .width = (uint32_t)tensor->shape[1],
        .values = (const float *)(const void *)tensor->data.data,
    };
    return STATUS_OK;
}

enum status embeddings_parse(struct bytes file, struct embeddings *out, struct error *err)
{
    struct fault_record fault;
    struct safetensors tensors = {0};
    *out = (struct embeddings){0};
    if (fault_record_parse(file, &fault))
        return error_set(err, STATUS_FAULT,
                         "a value left the numeric range in pack %" PRId32
                         ", row %" PRId32 ", after product %" PRId32,
                         fault.pack, fault.row, fault.product);
    enum status status = safetensors_parse_canonical(file, &tensors, err);
    if (status) {
        error_prefix(err, "result");
        return status;
    }
    status = take_embeddings(&tensors, out, err);
    safetensors_free(&tensors);
    return status;
}

/* The widths of all parts are equal: their shape together; values is that of the first.
 */
static enum status join_shape(const struct bytes *parts, uint32_t count,
                              struct embeddings *out, struct error *err)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct embeddings part;
        const enum status status = embeddings_parse(parts[i], &part, err);
        if (status)
            return status;
        if (i == 0)
            *out = part;
        if (part.width != out->width)
            return error_set(err, STATUS_BAD_DATA,
                             "part %" PRIu32 " is %" PRIu32 " wide, the first %" PRIu32,
                             i, part.width, out->width);
        sum += part.count;
    }
    if (sum > UINT32_MAX)
        return error_set(err, STATUS_BAD_DATA, "%" PRIu64 " vectors", sum);
    out->count = (uint32_t)sum;
    return STATUS_OK;
}

enum status embeddings_join(const struct bytes *parts, uint32_t count, struct blob *out,
                            struct error *err)
{
    struct fault_record fault;
    struct embeddings whole;
    assert(count > 0);
    for (uint32_t i = 0; i < count; i++)
        if (fault_record_parse(parts[i], &fault))
            return blob_add(out, parts[i].data, parts[i].size);
    enum status status = join_shape(parts, count, &whole, err);
    if (status)
        return status;

    struct blob values = blob_empty((size_t)whole.count * whole.width * sizeof(float));
    for (uint32_t i = 0; i < count && !status; i++) {
        struct embeddings part;
        status = embeddings_parse(parts[i], &part, err);
        if (!status)
            status = blob_add(&values, part.values,
                              (size_t)part.count * part.width * sizeof(float));
    }
    whole.values = (const float *)(const void *)values.data;
    if (!status)
        status = embeddings_write(&whole, out, err);
    blob_free(&values);
    return status;
}
