/*
 * message_line.c - parses and writes the envelope.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_line.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/message_fields.h"

/* Whole numbers up to here are reals that differ. */
#define ID_WIDE_MAX 0x1p53

void message_text_clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 &&
                 p[1] < 0xa0) /* the other control characters */
            p[0] = p[1] = '?';
    }
}

bool message_id_number(const struct message_id *id, int64_t *number)
{
    uint64_t value = 0;

    if (id->kind == MESSAGE_ID_NUMBER) {
        *number = id->number;
        return true;
    }
    if (id->kind != MESSAGE_ID_TEXT || !u64_parse(id->text, INT64_MAX, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

/* Looks at the brackets and commas alone, so that a hostile line is refused before the
 * parser builds a tree from it. */
static enum status message_line_bounded(struct bytes line, struct error *err)
{
    bool in_text = false;
    uint32_t depth = 0, values = 0;

    for (size_t i = 0; i < line.size; i++) {
        const uint8_t c = line.data[i];

        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (in_text)
            continue;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth)
            depth--;
        else if (c == ',')
            values++;
        if (depth > MESSAGE_DEPTH_MAX)
            return error_set(err, STATUS_BAD_MESSAGE,
                             "a message is nested deeper than %d at byte %zu",
                             (int)MESSAGE_DEPTH_MAX, i);
        if (values > MESSAGE_VALUES_MAX)
            return error_set(err, STATUS_BAD_MESSAGE,
                             "a message holds more than %d values",
                             (int)MESSAGE_VALUES_MAX);
    }
    return STATUS_OK;
}

static enum status message_line_read_id(struct message_line *line, bool is_wide,
                                        struct error *err)
{
    struct fields fields = {.object = line->root, .what = "a message", .err = err};
    const json_t *id = json_object_get(line->root, "id");

    if (!id || json_is_null(id))
        return STATUS_OK;
    if (json_is_integer(id)) {
        line->id = message_id_of(json_integer_value(id));
        return STATUS_OK;
    }
    if (is_wide && json_is_real(id) && fabs(json_real_value(id)) < ID_WIDE_MAX) {
        line->id = message_id_of((int64_t)json_real_value(id));
        return STATUS_OK;
    }
    if (!json_is_string(id))
        fields_refuse(&fields, "id", "a whole number, text or null");
    fields_text(&fields, "id", 0, MESSAGE_ID_MAX, line->id.text);
    if (!fields.status)
        line->id.kind = MESSAGE_ID_TEXT;
    return fields.status;
}

static enum status message_line_read(struct message_line *line, bool is_wide,
                                     struct error *err)
{
    struct fields fields = {.object = line->root, .what = "a message", .err = err};
    char method[MESSAGE_METHOD_MAX + 1];
    enum status status = message_line_read_id(line, is_wide, err);

    if (status)
        return status;
    if (fields_has(&fields, "method")) {
        fields_text(&fields, "method", 1, MESSAGE_METHOD_MAX, method);
        line->method = json_string_value(json_object_get(line->root, "method"));
        line->kind = line->id.kind == MESSAGE_ID_NULL ? MESSAGE_PUSH : MESSAGE_REQUEST;
        return fields.status;
    }
    line->kind = MESSAGE_REPLY;
    if (!json_object_get(line->root, "result") && !json_object_get(line->root, "error"))
        return error_set(err, STATUS_BAD_MESSAGE,
                         "a message has neither method, result nor error");
    return STATUS_OK;
}

static enum status message_line_parse_as(struct bytes bytes, bool is_wide,
                                         struct message_line **out, struct error *err)
{
    const size_t flags = JSON_REJECT_DUPLICATES | (is_wide ? JSON_DECODE_INT_AS_REAL : 0);
    enum status status = STATUS_OK;
    json_error_t parse;

    assert(out);
    *out = NULL;
    if (bytes.size > MESSAGE_LINE_MAX)
        return error_set(err, STATUS_BAD_MESSAGE,
                         "a line of %zu bytes, expected at most %d", bytes.size,
                         (int)MESSAGE_LINE_MAX);
    status = message_line_bounded(bytes, err);
    if (status)
        return status;

    struct message_line *line = memory_new(struct message_line);
    if (!line)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a message");
    line->root = json_loadb((const char *)bytes.data, bytes.size, flags, &parse);
    if (!line->root) {
        message_text_clean(parse.text);
        status = error_set(err, STATUS_BAD_MESSAGE, "a line is no JSON: %s (byte %d)",
                           parse.text, parse.position);
    } else if (!json_is_object(line->root)) {
        status =
            error_set(err, STATUS_BAD_MESSAGE, "a line is a list, expected an object");
    } else {
        status = message_line_read(line, is_wide, err);
    }
    if (status)
        message_line_free(line);
    else
        *out = line;
    return status;
}

enum status message_line_parse(struct bytes bytes, struct message_line **out,
                               struct error *err)
{
    return message_line_parse_as(bytes, false, out, err);
}

enum status message_line_parse_wide(struct bytes bytes, struct message_line **out,
                                    struct error *err)
{
    return message_line_parse_as(bytes, true, out, err);
}

void message_line_free(struct message_line *line)
{
    if (line)
        json_decref(line->root);
    memory_free(line);
}

enum message_kind message_line_kind(const struct message_line *line)
{
    return line->kind;
}

const struct message_id *message_line_id(const struct message_line *line)
{
    return &line->id;
}

const char *message_line_method(const struct message_line *line)
{
    return line->method ? line->method : "";
}

static void message_line_reply_text(struct message_reply *out, const json_t *text)
{
    if (json_is_string(text))
        snprintf(out->text, sizeof out->text, "%s", json_string_value(text));
    message_text_clean(out->text);
}

static void message_line_reply_code(struct message_reply *out, const json_t *code)
{
    const double number = json_number_value(code); /* 0 for what is no number */

    if (number > INT32_MIN && number < INT32_MAX)
        out->code = (int)number;
}

/* {"code","msg"}, {"code","message"}, [code, text, ...], "text", or result false alone.
 */
void message_line_reply(const struct message_line *line, struct message_reply *out)
{
    const json_t *result = json_object_get(line->root, "result");
    const json_t *error = json_object_get(line->root, "error");

    assert(line->kind == MESSAGE_REPLY);
    *out = (struct message_reply){0};
    if (!error || json_is_null(error)) {
        out->is_ok = result && !json_is_null(result) && !json_is_false(result);
        return;
    }
    if (json_is_array(error)) {
        message_line_reply_code(out, json_array_get(error, 0));
        message_line_reply_text(out, json_array_get(error, 1));
    } else if (json_is_object(error)) {
        const json_t *text = json_object_get(error, "msg");

        message_line_reply_code(out, json_object_get(error, "code"));
        message_line_reply_text(out, text ? text : json_object_get(error, "message"));
    } else {
        message_line_reply_code(out, error);
        message_line_reply_text(out, error);
    }
}

void message_line_text(const struct message_line *line, char text[MESSAGE_TEXT_MAX + 1])
{
    const json_t *params = json_object_get(line->root, "params");
    const char *said = json_string_value(json_array_get(params, 0));

    snprintf(text, MESSAGE_TEXT_MAX + 1, "%s", said ? said : "");
    message_text_clean(text);
}

enum status message_line_encode_request(int64_t id, const char *method, struct blob *out)
{
    return fields_write(
        json_pack("{s:I,s:s,s:{}}", "id", (json_int_t)id, "method", method, "params"),
        out);
}

enum status message_line_encode_true(const struct message_id *id, struct blob *out)
{
    return fields_write(
        json_pack("{s:o,s:b,s:n}", "id", fields_id_json(id), "result", 1, "error"), out);
}

/* A sentence may quote a stranger, or have been cut inside a character. */
static json_t *message_line_text_json(const char *text)
{
    char plain[MESSAGE_TEXT_MAX + 1];

    snprintf(plain, sizeof plain, "%s", text);
    json_t *json = json_string(plain);
    if (json)
        return json;
    for (char *p = plain; *p; p++) {
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    }
    return json_string(plain);
}

enum status message_line_encode_error(const struct message_id *id, int code,
                                      const char *text, struct blob *out)
{
    return fields_write(json_pack("{s:o,s:n,s:{s:i,s:o}}", "id", fields_id_json(id),
                                  "result", "error", "code", code, "msg",
                                  message_line_text_json(text)),
                        out);
}
