/*
 * vectors_json.c - worked cases out of JSON text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/vectors_json.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

enum { DATA_SIZE_MAX = 64 << 20, LIST_COUNT_MAX = 1024 };

struct vectors_json {
    json_t *root;
    const json_t *cases; /* NULL: root itself is the one case */
};

static bool is_pow(const json_t *root)
{
    return json_is_integer(json_object_get(root, "matrix_seed")) &&
           json_is_array(json_object_get(root, "best_tile"));
}

enum status vectors_json_parse(struct bytes text, struct vectors_json **out,
                               struct error *err)
{
    json_error_t error;
    struct vectors_json *vectors = memory_new(struct vectors_json);

    if (!vectors)
        return error_set(err, STATUS_NO_MEMORY, "out of memory for worked cases");
    vectors->root =
        json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!vectors->root) {
        vectors_json_free(vectors);
        return error_set(err, STATUS_BAD_DATA, "line %d is no JSON: %s", error.line,
                         error.text);
    }
    vectors->cases = json_object_get(vectors->root, "cases");
    const json_t *first = json_array_get(vectors->cases, 0);
    const bool has_ops = json_is_string(json_object_get(first, "op"));
    const bool is_one = json_is_string(json_object_get(vectors->root, "op"));
    if (!is_pow(vectors->root) && !has_ops && !is_one) {
        vectors_json_free(vectors);
        return error_set(err, STATUS_NOT_FOUND, "there are no worked cases in it");
    }
    if (!has_ops)
        vectors->cases = NULL;
    *out = vectors;
    return STATUS_OK;
}

void vectors_json_free(struct vectors_json *vectors)
{
    if (!vectors)
        return;
    json_decref(vectors->root);
    memory_free(vectors);
}

size_t vectors_json_count(const struct vectors_json *vectors)
{
    return vectors->cases ? json_array_size(vectors->cases) : 1;
}

/* The bytes of hex digits, appended to a fresh blob. */
static enum status hex_read(const char *hex, size_t size, struct blob *out)
{
    *out = blob_empty(DATA_SIZE_MAX);
    if (size % 2)
        return STATUS_BAD_DATA;
    const enum status status = blob_reserve(out, size / 2);
    if (status)
        return status;
    /* One byte at a time: hex_decode() wants its text to end there. */
    for (size_t i = 0; i < size; i += 2) {
        const char pair[3] = {hex[i], hex[i + 1], 0};
        uint8_t byte;
        if (!hex_decode(pair, &byte, 1) || blob_add(out, &byte, 1))
            return STATUS_BAD_DATA;
    }
    return STATUS_OK;
}

static enum status tensor_read(const json_t *value, struct vector_member *member)
{
    static const struct {
        const char *name;
        uint64_t size;
    } dtypes[] = {{"i8", 1},  {"u8", 1},  {"i16", 2}, {"u16", 2}, {"i32", 4},
                  {"u32", 4}, {"f32", 4}, {"i64", 8}, {"u64", 8}};
    const json_t *hex = json_object_get(value, "hex"),
                 *shape = json_object_get(value, "shape");
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    uint64_t size = 0;

    for (size_t i = 0; dtype && i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
        if (!strcmp(dtype, dtypes[i].name))
            size = dtypes[i].size;
    }
    if (!size || !json_is_array(shape) || json_array_size(shape) > 4)
        return STATUS_BAD_DATA;
    member->rows = member->columns = 1;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        const json_int_t extent = json_integer_value(json_array_get(shape, i));
        if (extent < 1 || extent > DATA_SIZE_MAX ||
            size > DATA_SIZE_MAX / (uint64_t)extent)
            return STATUS_BAD_DATA;
        size *= (uint64_t)extent;
        if (i == 0)
            member->rows = (uint64_t)extent;
        else
            member->columns *= (uint64_t)extent;
    }
    if (json_string_length(hex) != 2 * size)
        return STATUS_BAD_DATA;
    return hex_read(json_string_value(hex), 2 * (size_t)size, &member->data);
}

/* Whether value is a list of numbers from 0 up; others are no concern of a case. */
static bool is_list(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_integer(json_array_get(value, i)) ||
            json_integer_value(json_array_get(value, i)) < 0)
            return false;
    }
    return json_array_size(value) > 0;
}

static enum status list_read(const json_t *value, struct vector_member *member)
{
    enum status status = STATUS_OK;

    member->data = blob_empty(LIST_COUNT_MAX * sizeof(uint64_t));
    for (size_t i = 0; !status && i < json_array_size(value); i++) {
        const uint64_t number = (uint64_t)json_integer_value(json_array_get(value, i));
        status = blob_add(&member->data, &number, sizeof(number));
    }
    return status;
}

/* What of value is used; is_known false: a kind that no case needs. */
static enum status member_read(const json_t *value, struct vector_member *member,
                               bool *is_known)
{
    *is_known = true;
    if (json_object_get(value, "hex")) {
        member->kind = VECTOR_TENSOR;
        return tensor_read(value, member);
    }
    if (json_is_boolean(value) ||
        (json_is_integer(value) && json_integer_value(value) >= 0)) {
        member->kind = VECTOR_NUMBER;
        member->number = json_is_boolean(value) ? json_is_true(value)
                                                : (uint64_t)json_integer_value(value);
        return STATUS_OK;
    }
    if (json_is_string(value)) {
        member->kind = VECTOR_TEXT;
        member->data = blob_empty(DATA_SIZE_MAX);
        return blob_add(&member->data, json_string_value(value),
                        json_string_length(value));
    }
    if (is_list(value)) {
        member->kind = VECTOR_LIST;
        return list_read(value, member);
    }
    *is_known = false;
    return STATUS_OK;
}

static enum status case_fill(const json_t *item, struct vector_case *out,
                             struct error *err)
{
    void *cursor = json_object_iter((json_t *)(uintptr_t)item);

    for (; cursor; cursor = json_object_iter_next((json_t *)(uintptr_t)item, cursor)) {
        const char *name = json_object_iter_key(cursor);
        struct vector_member *member = &out->members[out->count];
        bool is_known;
        if (out->count == VECTOR_MEMBERS_MAX || strlen(name) > VECTOR_NAME_MAX)
            return error_set(err, STATUS_BAD_DATA,
                             "\"%.40s\": too many members, or too long a name", name);
        snprintf(member->name, sizeof(member->name), "%s", name);
        const enum status status =
            member_read(json_object_iter_value(cursor), member, &is_known);
        if (!status && !is_known)
            continue;
        out->count++;
        if (status == STATUS_NO_MEMORY)
            return error_set(err, status, "out of memory for \"%s\"", name);
        if (status)
            return error_set(err, STATUS_BAD_DATA,
                             "\"%s\" is no tensor, number, text or list that fits", name);
    }
    return STATUS_OK;
}

enum status vectors_json_case(const struct vectors_json *vectors, size_t index,
                              struct vector_case *out, struct error *err)
{
    const json_t *item =
        vectors->cases ? json_array_get(vectors->cases, index) : vectors->root;
    const bool pow = is_pow(item);
    const char *op = pow ? "pow" : json_string_value(json_object_get(item, "op"));
    const char *note = json_string_value(json_object_get(item, pow ? "name" : "note"));

    assert(index < vectors_json_count(vectors));
    *out = (struct vector_case){0};
    if (!op || strlen(op) > VECTOR_NAME_MAX)
        return error_set(err, STATUS_BAD_DATA, "case %zu has no \"op\"", index);
    snprintf(out->op, sizeof(out->op), "%s", op);
    snprintf(out->note, sizeof(out->note), "%s", note ? note : "");
    const enum status status = case_fill(item, out, err);
    if (status)
        vector_case_free(out);
    return status;
}

void vector_case_free(struct vector_case *c)
{
    for (size_t i = 0; i < c->count; i++)
        blob_free(&c->members[i].data);
    c->count = 0;
}

const struct vector_member *vector_case_find(const struct vector_case *c,
                                             const char *name, enum vector_kind kind)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->members[i].kind == kind && !strcmp(c->members[i].name, name))
            return &c->members[i];
    }
    return NULL;
}
