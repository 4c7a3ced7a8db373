/*
 * manifest.c - reads a manifest from anywhere and believes nothing.
 *
 * Every field is read with its type and bound; then the manifest is written again and
 * must come out as it came in, so that unknown fields, blanks and other orders need no
 * rules of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#include <jansson.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/manifest.h"
#include "miner/models/safetensors.h"

static const uint64_t integer_max =
    ((uint64_t)1 << 53) - 1; /* what every JSON reader keeps */

static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    }
    return true;
}

static enum status check_name(const char *name, struct error *err)
{
    if (name[0] && strlen(name) <= MANIFEST_NAME_MAX && is_plain(name))
        return STATUS_OK;
    return error_set(err, STATUS_BAD_DATA,
                     "a field's name is not 1 to %d printable characters",
                     MANIFEST_NAME_MAX);
}

/* A printable string of at most cap - 1 characters. */
static enum status read_text(const json_t *object, const char *name, char *out,
                             size_t cap, struct error *err)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (!text)
        return error_set(err, STATUS_BAD_DATA, "%s is no string", name);
    if (text[0] == '\0' || strlen(text) >= cap || !is_plain(text))
        return error_set(err, STATUS_BAD_DATA, "%s is not 1 to %zu printable characters",
                         name, cap - 1);
    memcpy(out, text, strlen(text) + 1);
    return STATUS_OK;
}

static enum status read_hash(const json_t *object, const char *name, char out[65],
                             struct error *err)
{
    const enum status status = read_text(object, name, out, 65, err);

    if (!status && !hex_is_id(out, 64))
        return error_set(err, STATUS_BAD_DATA, "%s is \"%s\", expected 64 hex digits",
                         name, out);
    return status;
}

static enum status read_integer(const json_t *value, const char *name, uint64_t max,
                                uint64_t *out, struct error *err)
{
    if (!json_is_integer(value))
        return error_set(err, STATUS_BAD_DATA, "%s is no integer", name);
    if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
        return error_set(err, STATUS_BAD_DATA, "%s is %lld, expected 0 to %llu", name,
                         (long long)json_integer_value(value), (unsigned long long)max);
    *out = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

/* ---- lists of fields
 * ------------------------------------------------------------------------- */

static enum status value_integer(const json_t *value, const char *name, uint64_t *out,
                                 struct error *err)
{
    return read_integer(value, name, integer_max, out, err);
}

/* Eight hex digits: the bits of a finite f32. */
static enum status value_bits(const json_t *value, const char *name, uint64_t *out,
                              struct error *err)
{
    const char *text = json_string_value(value);
    uint8_t bits[4];

    if (!text || !hex_is_id(text, 8) || !hex_decode(text, bits, sizeof bits))
        return error_set(err, STATUS_BAD_DATA, "%s is not the 8 hex digits of an f32",
                         name);
    *out = (uint64_t)bits[0] << 24 | (uint64_t)bits[1] << 16 | (uint64_t)bits[2] << 8 |
           bits[3];
    if ((*out & 0x7f800000) == 0x7f800000)
        return error_set(err, STATUS_BAD_DATA, "%s is %s, which is no finite number",
                         name, text);
    return STATUS_OK;
}

static enum status value_precision(const json_t *value, const char *name, uint64_t *out,
                                   struct error *err)
{
    enum precision precision = PRECISION_W7A7;
    enum status status;

    if (!json_is_string(value))
        return error_set(err, STATUS_BAD_DATA, "%s is no string", name);
    status = precision_parse(json_string_value(value), &precision, err);
    *out = precision;
    return status;
}

static enum status
read_fields(const json_t *root, const char *list, struct manifest_fields *out,
            enum status (*read_value)(const json_t *value, const char *name,
                                      uint64_t *out, struct error *err),
            struct error *err)
{
    json_t *object = json_object_get(root, list);
    const char *name;
    json_t *value;

    if (!json_is_object(object) || json_object_size(object) > MANIFEST_FIELDS_MAX)
        return error_set(err, STATUS_BAD_DATA, "%s is no object of at most %d fields",
                         list, MANIFEST_FIELDS_MAX);
    json_object_foreach(object, name, value)
    {
        uint64_t number = 0;
        enum status status = check_name(name, err);

        if (!status)
            status = read_value(value, name, &number, err);
        if (!status)
            status = manifest_set(out, name, number);
        if (status) {
            error_prefix(err, "%s", list);
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- sources, tensors, tokenizer
 * ------------------------------------------------------------- */

static enum status read_source(const json_t *entry, struct manifest_source *out,
                               struct error *err)
{
    enum status status = read_text(entry, "name", out->name, sizeof out->name, err);

    if (!status)
        status = read_hash(entry, "hash", out->hash, err);
    if (!status)
        status = read_integer(json_object_get(entry, "size"), "size", integer_max,
                              &out->size, err);
    return status;
}

static enum status read_sources(const json_t *root, struct manifest *out,
                                struct error *err)
{
    const json_t *list = json_object_get(root, "source");

    if (!json_is_array(list) || json_array_size(list) > MANIFEST_SOURCES_MAX)
        return error_set(err, STATUS_BAD_DATA, "source is no list of at most %d files",
                         MANIFEST_SOURCES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum status status = read_source(json_array_get(list, i), &out->sources[i], err);

        if (!status && i && strcmp(out->sources[i - 1].name, out->sources[i].name) >= 0)
            status = error_set(err, STATUS_BAD_DATA, "the names do not ascend");
        if (status) {
            error_prefix(err, "source %zu", i);
            return status;
        }
        out->source_count++;
    }
    return STATUS_OK;
}

static enum status read_shape(const json_t *entry, struct tensor *out, struct error *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    enum status status = STATUS_OK;

    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_RANK_MAX)
        return error_set(err, STATUS_BAD_DATA, "shape is no list of at most %d sizes",
                         TENSOR_RANK_MAX);
    out->rank = (uint32_t)json_array_size(shape);
    for (uint32_t i = 0; i < out->rank && !status; i++)
        status = read_integer(json_array_get(shape, i), "shape", integer_max,
                              &out->shape[i], err);
    return status;
}

static enum status read_tensor(const json_t *entry, struct tensor *out, struct error *err)
{
    uint64_t size = 0, expected;
    char dtype[17];
    enum status status = read_text(entry, "name", out->name, sizeof out->name, err);

    if (!status)
        status = read_text(entry, "dtype", dtype, sizeof dtype, err);
    if (!status && dtype_parse(dtype, &out->dtype))
        status = error_set(err, STATUS_NOT_SUPPORTED, "dtype %s is not supported", dtype);
    if (!status)
        status = read_hash(entry, "hash", out->hash, err);
    if (!status)
        status = read_shape(entry, out, err);
    if (!status)
        status =
            read_integer(json_object_get(entry, "size"), "size", integer_max, &size, err);
    if (!status && (!tensor_size(out, &expected) || size != expected))
        status = error_set(err, STATUS_BAD_DATA, "size is %llu, the shape says otherwise",
                           (unsigned long long)size);
    out->data = bytes_of(NULL, (size_t)size);
    return status;
}

static enum status read_tensors(const json_t *root, struct manifest *out,
                                struct error *err)
{
    const json_t *list = json_object_get(root, "tensors");

    if (!json_is_array(list) || json_array_size(list) > MANIFEST_TENSORS_MAX)
        return error_set(err, STATUS_BAD_DATA, "tensors is no list of at most %d tensors",
                         MANIFEST_TENSORS_MAX);
    out->tensors = memory_array(json_array_size(list), sizeof *out->tensors);
    if (!out->tensors)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tensors",
                         json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum status status = read_tensor(json_array_get(list, i), &out->tensors[i], err);

        if (!status && i && strcmp(out->tensors[i - 1].name, out->tensors[i].name) >= 0)
            status = error_set(err, STATUS_BAD_DATA, "the names do not ascend");
        if (status) {
            error_prefix(err, "tensor %zu", i);
            return status;
        }
        out->tensor_count++;
    }
    return STATUS_OK;
}

static enum status read_tokenizer(const json_t *root, struct tokenizer_info *out,
                                  struct error *err)
{
    const json_t *object = json_object_get(root, "tokenizer");
    uint64_t lowercase = 0, max_sequence = 0, vocab_size = 0;
    enum status status = read_text(object, "kind", out->kind, sizeof out->kind, err);

    if (!status)
        status = read_integer(json_object_get(object, "lowercase"), "lowercase", 1,
                              &lowercase, err);
    if (!status)
        status = read_integer(json_object_get(object, "max_sequence"), "max_sequence",
                              UINT32_MAX, &max_sequence, err);
    if (!status)
        status = read_hash(object, "vocab_hash", out->vocab_hash, err);
    if (!status)
        status = read_integer(json_object_get(object, "vocab_size"), "vocab_size",
                              UINT32_MAX, &vocab_size, err);
    if (status) {
        error_prefix(err, "tokenizer");
        return status;
    }
    out->lowercase = lowercase == 1;
    out->max_sequence = (uint32_t)max_sequence;
    out->vocab_size = (uint32_t)vocab_size;
    return STATUS_OK;
}

/* ---- the whole
 * ------------------------------------------------------------------------------- */

static enum status read_root(const json_t *root, struct manifest *out, struct error *err)
{
    char contract[MANIFEST_NAME_MAX + 1];
    enum status status = read_text(root, "contract", contract, sizeof contract, err);

    if (!status && strcmp(contract, "DET-1") != 0)
        status = error_set(err, STATUS_NOT_SUPPORTED,
                           "contract is \"%s\", expected DET-1", contract);
    if (!status)
        status = read_text(root, "architecture", out->architecture,
                           sizeof out->architecture, err);
    if (!status)
        status = read_fields(root, "config", &out->config, value_integer, err);
    if (!status)
        status = read_fields(root, "constants", &out->constants, value_bits, err);
    if (!status)
        status = read_fields(root, "precision", &out->precision, value_precision, err);
    if (!status)
        status = read_sources(root, out, err);
    if (!status)
        status = read_tensors(root, out, err);
    if (!status)
        status = read_tokenizer(root, &out->tokenizer, err);
    return status;
}

static enum status check_canonical(const struct manifest *manifest, struct bytes text,
                                   struct error *err)
{
    struct blob again = blob_empty(MANIFEST_SIZE_MAX);
    enum status status = manifest_write(manifest, &again, err);

    if (!status &&
        (again.size != text.size || memcmp(again.data, text.data, text.size) != 0))
        status = error_set(
            err, STATUS_BAD_DATA,
            "is not in canonical form, or holds fields that do not belong there");
    blob_free(&again);
    return status;
}

enum status manifest_parse(struct bytes text, struct manifest *out, struct error *err)
{
    json_error_t fault;
    json_t *root;
    enum status status;

    *out = (struct manifest){0};
    if (text.size > MANIFEST_SIZE_MAX)
        return error_set(err, STATUS_BAD_DATA, "has %zu bytes, expected at most %d",
                         text.size, MANIFEST_SIZE_MAX);
    root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &fault);
    if (!root)
        return error_set(err, STATUS_BAD_DATA, "is no JSON: %s", fault.text);
    status = read_root(root, out, err);
    json_decref(root);
    if (!status)
        status = check_canonical(out, text, err);
    if (status)
        manifest_free(out);
    return status;
}
