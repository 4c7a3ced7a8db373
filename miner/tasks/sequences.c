/*
 * sequences.c - reads, checks, packs and splits token sequences.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/sequences.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/safetensors.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are written as they lie in memory");

void sequences_free(struct sequences *sequences)
{
    if (!sequences)
        return;
    memory_free(sequences->lengths);
    memory_free(sequences->ids);
    *sequences = (struct sequences){0};
}

/* The one-dimensional I32 tensor called name. */
static enum status find_numbers(const struct safetensors *file, const char *name,
                                const struct tensor **out, struct error *err)
{
    const struct tensor *tensor = safetensors_find(file, name);
    if (!tensor)
        return error_set(err, STATUS_BAD_DATA, "input: no tensor \"%s\"", name);
    if (tensor->dtype != DTYPE_I32 || tensor->rank != 1)
        return error_set(err, STATUS_BAD_DATA,
                         "input: %s is %s of %" PRIu32 " dimensions, expected I32 of 1",
                         name, dtype_name(tensor->dtype), tensor->rank);
    *out = tensor;
    return STATUS_OK;
}

/* Whether the lengths are lengths, and together those of the ids. */
static enum status check_lengths(const struct sequences *s, struct error *err)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->lengths[i] == 0 || s->lengths[i] > INT32_MAX)
            return error_set(err, STATUS_BAD_DATA,
                             "input: sequence %" PRIu32 " has %" PRId32
                             " tokens, expected at least 1",
                             i, (int32_t)s->lengths[i]);
        sum += s->lengths[i];
    }
    if (sum != s->total)
        return error_set(err, STATUS_BAD_DATA,
                         "input: lengths add up to %" PRIu64 ", ids has %" PRIu64, sum,
                         s->total);
    return STATUS_OK;
}

static enum status take_numbers(const struct safetensors *file, struct sequences *out,
                                struct error *err)
{
    const struct tensor *ids = NULL, *lengths = NULL;
    enum status status = find_numbers(file, "ids", &ids, err);
    if (!status)
        status = find_numbers(file, "lengths", &lengths, err);
    if (status)
        return status;
    if (file->count != 2)
        return error_set(err, STATUS_BAD_DATA,
                         "input: %zu tensors, expected ids and lengths", file->count);
    if (lengths->shape[0] == 0)
        return error_set(err, STATUS_BAD_DATA, "input: no sequences");
    if (lengths->shape[0] > UINT32_MAX / 2)
        return error_set(err, STATUS_BAD_DATA, "input: %" PRIu64 " sequences",
                         lengths->shape[0]);
    out->count = (uint32_t)lengths->shape[0];
    out->total = ids->shape[0];
    out->lengths = memory_array(out->count, sizeof *out->lengths);
    out->ids = memory_array(out->total, sizeof *out->ids);
    if (!out->lengths || !out->ids)
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for an input of %" PRIu64 " tokens", out->total);
    memcpy(out->lengths, lengths->data.data, lengths->data.size);
    if (ids->data.size)
        memcpy(out->ids, ids->data.data, ids->data.size);
    return check_lengths(out, err);
}

enum status sequences_parse(struct bytes input, struct sequences *out, struct error *err)
{
    struct safetensors file = {0};
    *out = (struct sequences){0};
    enum status status = safetensors_parse_canonical(input, &file, err);
    if (status) {
        error_prefix(err, "input");
        return status;
    }
    status = take_numbers(&file, out, err);
    safetensors_free(&file);
    if (status)
        sequences_free(out);
    return status;
}

enum status sequences_check(const struct sequences *sequences,
                            const struct sequence_limits *limits, struct error *err)
{
    const int32_t *ids = sequences->ids;
    for (uint32_t i = 0; i < sequences->count; i++) {
        const uint32_t length = sequences->lengths[i];
        if (length > limits->length_max)
            return error_set(err, STATUS_BAD_DATA,
                             "input: sequence %" PRIu32 " has %" PRIu32
                             " tokens, the model holds %" PRIu32,
                             i, length, limits->length_max);
        for (uint32_t j = 0; j < length; j++)
            if (ids[j] < 0 || (uint32_t)ids[j] >= limits->vocabulary)
                return error_set(err, STATUS_BAD_DATA,
                                 "input: sequence %" PRIu32 " holds the id %" PRId32
                                 ", the vocabulary has %" PRIu32,
                                 i, ids[j], limits->vocabulary);
        ids += length;
    }
    return STATUS_OK;
}

static struct tensor numbers_of(const char *name, const void *data, uint64_t count)
{
    struct tensor tensor = {.dtype = DTYPE_I32, .rank = 1, .shape = {count}};
    assert(strlen(name) <= TENSOR_NAME_MAX);
    memcpy(tensor.name, name, strlen(name));
    tensor.data = bytes_of(data, (size_t)count * sizeof(int32_t));
    return tensor;
}

enum status sequences_write(const struct sequences *sequences, struct blob *out,
                            struct error *err)
{
    const struct tensor tensors[] = {
        numbers_of("ids", sequences->ids, sequences->total),
        numbers_of("lengths", sequences->lengths, sequences->count),
    };
    return safetensors_write(tensors, 2, out, err);
}

enum status sequences_pack(const struct sequences *sequences, uint32_t rows,
                           struct task_layout *out, struct error *err)
{
    const uint32_t count = sequences->count;
    assert(count > 0);
    if (rows == 0)
        return error_set(err, STATUS_BAD_DATA, "rows is 0, expected at least 1");
    out->pack_items = memory_array((size_t)count + 1, sizeof *out->pack_items);
    out->pack_rows = memory_array(count, sizeof *out->pack_rows);
    if (!out->pack_items || !out->pack_rows) {
        task_layout_free(out);
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for a layout of %" PRIu32 " items", count);
    }
    uint32_t pack = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = sequences->lengths[i];
        if (i > out->pack_items[pack] && out->pack_rows[pack] + length > rows)
            out->pack_items[++pack] = i;
        out->pack_rows[pack] += length;
        if (out->pack_rows[pack] > out->rows_longest)
            out->rows_longest = out->pack_rows[pack];
    }
    out->packs = pack + 1;
    out->pack_items[out->packs] = count;
    out->items = count;
    out->rows = sequences->total;
    return STATUS_OK;
}

/* One part for each pack of the layout; parts has room for them. */
static enum status write_parts(const struct sequences *whole,
                               const struct task_layout *layout, struct blob *parts,
                               size_t size_max, struct error *err)
{
    struct sequences part = {.lengths = whole->lengths, .ids = whole->ids};
    for (uint32_t i = 0; i < layout->packs; i++) {
        part.count = layout->pack_items[i + 1] - layout->pack_items[i];
        part.total = layout->pack_rows[i];
        parts[i] = blob_empty(size_max);
        const enum status status = sequences_write(&part, &parts[i], err);
        if (status)
            return status;
        part.lengths += part.count;
        part.ids += part.total;
    }
    return STATUS_OK;
}

enum status sequences_split(struct bytes input, uint64_t rows_max, struct blob **parts,
                            uint32_t *count, struct error *err)
{
    struct sequences whole;
    struct task_layout layout = {0};
    *parts = NULL;
    *count = 0;
    enum status status = sequences_parse(input, &whole, err);
    if (status)
        return status;
    /* A part is packed as a pack is: both end before the item that would not fit. */
    status = sequences_pack(
        &whole, rows_max > UINT32_MAX ? UINT32_MAX : (uint32_t)rows_max, &layout, err);
    if (status)
        goto out;
    *parts = memory_array(layout.packs, sizeof **parts);
    if (!*parts) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for %" PRIu32 " parts",
                           layout.packs);
        goto out;
    }
    *count = layout.packs;
    /* No part is longer than the whole, but for digits in its header. */
    status = write_parts(&whole, &layout, *parts, input.size + 64, err);
    if (status) {
        task_parts_free(*parts, *count);
        *parts = NULL;
        *count = 0;
    }
out:
    task_layout_free(&layout);
    sequences_free(&whole);
    return status;
}
