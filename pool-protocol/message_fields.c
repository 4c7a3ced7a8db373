/*
 * message_fields.c - typed and bounded reading of JSON members, and the way back to a
 * line.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_fields.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 48 };

/* A value as a person reads it, cut where it is long. */
static void fields_show(const json_t *value, char *out, size_t cap)
{
    if (!value)
        snprintf(out, cap, "missing");
    else if (json_is_string(value) && json_string_length(value) > SHOWN_MAX)
        snprintf(out, cap, "\"%.*s...\" (%zu characters)", SHOWN_MAX,
                 json_string_value(value), json_string_length(value));
    else if (json_is_string(value))
        snprintf(out, cap, "\"%s\"", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(out, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, cap, "%.17g", json_real_value(value));
    else if (json_is_object(value))
        snprintf(out, cap, "an object");
    else if (json_is_array(value))
        snprintf(out, cap, "a list of %zu", json_array_size(value));
    else
        snprintf(out, cap, "%s",
                 json_is_true(value)    ? "true"
                 : json_is_false(value) ? "false"
                                        : "null");
    message_text_clean(out);
}

static void fields_refuse_value(struct fields *fields, const char *name,
                                const json_t *value, const char *expected)
{
    char shown[128];

    if (fields->status)
        return;
    fields_show(value, shown, sizeof shown);
    fields->status =
        error_set(fields->err, STATUS_BAD_MESSAGE, "%s: %s is %s, expected %s",
                  fields->what, name, shown, expected);
}

void fields_refuse(struct fields *fields, const char *name, const char *expected)
{
    fields_refuse_value(fields, name, json_object_get(fields->object, name), expected);
}

struct fields fields_params(const struct message_line *line, const char *method,
                            struct error *err)
{
    struct fields fields = {.what = method, .err = err};

    assert(line);
    assert(method);
    fields.object = json_object_get(line->root, "params");
    if (!line->method || strcmp(line->method, method)) {
        fields.status = error_set(err, STATUS_BAD_MESSAGE, "not a %s message", method);
    } else if (!json_is_object(fields.object)) {
        fields_refuse_value(&fields, "params", fields.object, "an object");
        fields.object = NULL;
    }
    return fields;
}

struct fields fields_inside(struct fields *fields, const char *name, const char *what)
{
    struct fields inside = {.what = what, .err = fields->err, .status = fields->status};

    inside.object = json_object_get(fields->object, name);
    if (!json_is_object(inside.object)) {
        fields_refuse_value(fields, name, inside.object, "an object");
        inside.status = fields->status;
        inside.object = NULL;
    }
    return inside;
}

void fields_join(struct fields *fields, const struct fields *inner)
{
    if (!fields->status)
        fields->status = inner->status;
}

bool fields_has(const struct fields *fields, const char *name)
{
    const json_t *value = json_object_get(fields->object, name);

    return value && !json_is_null(value);
}

const char *fields_long_text(struct fields *fields, const char *name, size_t *size)
{
    const json_t *value = json_object_get(fields->object, name);

    if (!json_is_string(value))
        fields_refuse_value(fields, name, value, "text");
    if (fields->status)
        return NULL;
    *size = json_string_length(value);
    return json_string_value(value);
}

void fields_text(struct fields *fields, const char *name, size_t min, size_t max,
                 char *out)
{
    const json_t *value = json_object_get(fields->object, name);
    char expected[64];

    snprintf(expected, sizeof expected, "text of %zu to %zu bytes", min, max);
    if (!json_is_string(value) || json_string_length(value) < min ||
        json_string_length(value) > max)
        fields_refuse_value(fields, name, value, expected);
    if (!fields->status)
        memcpy(out, json_string_value(value), json_string_length(value) + 1);
}

void fields_hex(struct fields *fields, const char *name, size_t size, void *out)
{
    const json_t *value = json_object_get(fields->object, name);
    char expected[64];

    snprintf(expected, sizeof expected, "exactly %zu hex digits", 2 * size);
    if (fields->status)
        return;
    if (!json_is_string(value) || json_string_length(value) != 2 * size ||
        !hex_decode(json_string_value(value), out, size))
        fields_refuse_value(fields, name, value, expected);
}

void fields_id(struct fields *fields, const char *name, size_t digits, char *out)
{
    const json_t *value = json_object_get(fields->object, name);
    char expected[64];

    snprintf(expected, sizeof expected, "%zu lower-case hex digits", digits);
    if (!json_is_string(value) || json_string_length(value) != digits ||
        !hex_is_id(json_string_value(value), digits))
        fields_refuse_value(fields, name, value, expected);
    if (!fields->status)
        memcpy(out, json_string_value(value), digits + 1);
}

void fields_u64(struct fields *fields, const char *name, uint64_t min, uint64_t max,
                uint64_t *out)
{
    const json_t *value = json_object_get(fields->object, name);
    const json_int_t number = json_integer_value(value);
    char expected[96];

    snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
             (unsigned long long)min, (unsigned long long)max);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < min ||
        (uint64_t)number > max)
        fields_refuse_value(fields, name, value, expected);
    if (!fields->status)
        *out = (uint64_t)number;
}

void fields_u32(struct fields *fields, const char *name, uint32_t min, uint32_t max,
                uint32_t *out)
{
    uint64_t wide = 0;

    fields_u64(fields, name, min, max, &wide);
    if (!fields->status)
        *out = (uint32_t)wide;
}

void fields_bool(struct fields *fields, const char *name, bool *out)
{
    const json_t *value = json_object_get(fields->object, name);

    if (!json_is_boolean(value))
        fields_refuse_value(fields, name, value, "true or false");
    if (!fields->status)
        *out = json_is_true(value);
}

void fields_real(struct fields *fields, const char *name, double *out)
{
    const json_t *value = json_object_get(fields->object, name);
    const double number = json_number_value(value);

    if (!json_is_number(value) || !isfinite(number) || number < 0)
        fields_refuse_value(fields, name, value, "a number that is not negative");
    if (!fields->status)
        *out = number;
}

void fields_texts(struct fields *fields, const char *name, struct fields_list list,
                  uint32_t *count)
{
    const json_t *value = json_object_get(fields->object, name);
    const size_t size = json_array_size(value);
    char expected[96];

    snprintf(expected, sizeof expected, "a list of at most %u texts of 1 to %zu bytes",
             list.count_max, list.size - 1);
    if (!json_is_array(value) || size > list.count_max)
        fields_refuse_value(fields, name, value, expected);
    for (size_t i = 0; i < size && !fields->status; i++) {
        const json_t *item = json_array_get(value, i);
        const size_t length = json_string_length(item);

        if (!json_is_string(item) || !length || length >= list.size)
            fields_refuse_value(fields, name, item, expected);
        else
            memcpy(list.out + i * list.size, json_string_value(item), length + 1);
    }
    if (!fields->status)
        *count = (uint32_t)size;
}

json_t *fields_id_json(const struct message_id *id)
{
    switch (id->kind) {
    case MESSAGE_ID_NUMBER:
        return json_integer(id->number);
    case MESSAGE_ID_TEXT:
        return json_string(id->text);
    case MESSAGE_ID_NULL:
        break;
    }
    return json_null();
}

json_t *fields_base64_json(struct bytes data)
{
    struct blob text = blob_empty(data.size / 3 * 4 + 8);
    json_t *json = NULL;

    if (!base64_encode(data, &text))
        json = text.size ? json_stringn_nocheck((const char *)text.data, text.size)
                         : json_string_nocheck("");
    blob_free(&text);
    return json;
}

struct fields_sink {
    struct blob *out;
    enum status status;
};

static int fields_sink_add(const char *data, size_t size, void *context)
{
    struct fields_sink *sink = context;

    sink->status = blob_add(sink->out, data, size);
    return sink->status ? -1 : 0;
}

enum status fields_write(json_t *object, struct blob *out)
{
    const size_t before = out->size;
    struct fields_sink sink = {.out = out};
    enum status status = STATUS_BAD_DATA;

    if (object && !json_dump_callback(object, fields_sink_add, &sink, JSON_COMPACT))
        status = blob_add(out, "\n", 1);
    else if (sink.status)
        status = sink.status;
    if (!status && out->size - before > MESSAGE_LINE_MAX)
        status = STATUS_FULL;
    if (status && out->size > before) {
        out->size = before;
        out->data[before] = 0;
    }
    json_decref(object);
    return status;
}

/* Where the last empty text of the line ends, its quote excluded; 0: there is none. */
static size_t fields_last_gap(const struct blob *line, size_t begin)
{
    for (size_t i = line->size; i > begin + 1; i--) {
        if (line->data[i - 1] == '"' && line->data[i - 2] == '"')
            return i - 1;
    }
    return 0;
}

enum status fields_write_base64(json_t *object, struct bytes data, struct blob *out)
{
    const size_t before = out->size;
    struct blob rest = blob_empty(MESSAGE_LINE_MAX);
    enum status status = fields_write(object, out);

    if (status)
        return status;
    const size_t gap = fields_last_gap(out, before);
    assert(gap);
    status = blob_add(&rest, out->data + gap, out->size - gap);
    out->size = gap;
    if (!status)
        status = base64_encode(data, out);
    if (!status)
        status = blob_add(out, rest.data, rest.size);
    if (!status && out->size - before > MESSAGE_LINE_MAX)
        status = STATUS_FULL;
    if (status) {
        out->size = before;
        out->data[before] = 0;
    }
    blob_free(&rest);
    return status;
}

json_t *fields_request_json(int64_t id, const char *method, json_t *params,
                            bool has_jsonrpc)
{
    return params
               ? json_pack("{s:I,s:s*,s:s,s:o}", "id", (json_int_t)id, "jsonrpc",
                           has_jsonrpc ? "2.0" : NULL, "method", method, "params", params)
               : NULL;
}

enum status fields_request(int64_t id, const char *method, json_t *params,
                           bool has_jsonrpc, struct blob *out)
{
    return fields_write(fields_request_json(id, method, params, has_jsonrpc), out);
}
