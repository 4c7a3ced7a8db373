/*
 * manifest_write.c - a manifest in its one canonical form, and its lists of fields.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/manifest.h"
#include "miner/models/safetensors.h"

const struct manifest_field *manifest_find(const struct manifest_fields *fields,
                                           const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->field[i].name, name) == 0)
            return &fields->field[i];
    }
    return NULL;
}

enum status manifest_set(struct manifest_fields *fields, const char *name, uint64_t value)
{
    size_t place = fields->count;

    assert(strlen(name) <= MANIFEST_NAME_MAX);
    if (manifest_find(fields, name))
        return STATUS_BAD_DATA;
    if (fields->count == MANIFEST_FIELDS_MAX)
        return STATUS_FULL;
    for (; place && strcmp(name, fields->field[place - 1].name) < 0; place--)
        fields->field[place] = fields->field[place - 1];
    memcpy(fields->field[place].name, name, strlen(name) + 1);
    fields->field[place].value = value;
    fields->count++;
    return STATUS_OK;
}

void manifest_free(struct manifest *manifest)
{
    memory_free(manifest->tensors);
    *manifest = (struct manifest){0};
}

/* What stands behind a field's name differs from list to list. */
static enum status add_integer(struct blob *out, uint64_t value)
{
    return blob_addf(out, "%" PRIu64, value);
}

static enum status add_bits(struct blob *out, uint64_t value)
{
    return blob_addf(out, "\"%08" PRIx64 "\"", value);
}

static enum status add_precision(struct blob *out, uint64_t value)
{
    return blob_addf(out, "\"%s\"", precision_name((enum precision)value));
}

static enum status add_fields(struct blob *out, const char *name,
                              const struct manifest_fields *fields,
                              enum status (*add_value)(struct blob *out, uint64_t value))
{
    enum status status = blob_addf(out, "\"%s\":{", name);

    for (size_t i = 0; i < fields->count && !status; i++) {
        assert(i == 0 || strcmp(fields->field[i - 1].name, fields->field[i].name) < 0);
        status = blob_addf(out, "%s\"%s\":", i ? "," : "", fields->field[i].name);
        if (!status)
            status = add_value(out, fields->field[i].value);
    }
    return status ? status : blob_addf(out, "},");
}

static enum status add_sources(struct blob *out, const struct manifest *manifest)
{
    enum status status = blob_addf(out, "\"source\":[");

    for (size_t i = 0; i < manifest->source_count && !status; i++) {
        const struct manifest_source *source = &manifest->sources[i];

        status =
            blob_addf(out, "%s{\"hash\":\"%s\",\"name\":\"%s\",\"size\":%" PRIu64 "}",
                      i ? "," : "", source->hash, source->name, source->size);
    }
    return status ? status : blob_addf(out, "],");
}

static enum status add_tensors(struct blob *out, const struct manifest *manifest)
{
    enum status status = blob_addf(out, "\"tensors\":[");

    for (size_t i = 0; i < manifest->tensor_count && !status; i++) {
        const struct tensor *tensor = &manifest->tensors[i];

        status = blob_addf(
            out, "%s{\"dtype\":\"%s\",\"hash\":\"%s\",\"name\":\"%s\",\"shape\":[",
            i ? "," : "", dtype_name(tensor->dtype), tensor->hash, tensor->name);
        for (uint32_t d = 0; d < tensor->rank && !status; d++)
            status = blob_addf(out, "%s%" PRIu64, d ? "," : "", tensor->shape[d]);
        if (!status)
            status = blob_addf(out, "],\"size\":%zu}", tensor->data.size);
    }
    return status ? status : blob_addf(out, "],");
}

static enum status add_tokenizer(struct blob *out, const struct tokenizer_info *info)
{
    return blob_addf(
        out,
        "\"tokenizer\":{\"kind\":\"%s\",\"lowercase\":%d,\"max_sequence\":%" PRIu32
        ",\"vocab_hash\":\"%s\",\"vocab_size\":%" PRIu32 "}}",
        info->kind, info->lowercase, info->max_sequence, info->vocab_hash,
        info->vocab_size);
}

enum status manifest_write(const struct manifest *manifest, struct blob *out,
                           struct error *err)
{
    enum status status =
        blob_addf(out, "{\"architecture\":\"%s\",", manifest->architecture);

    if (!status)
        status = add_fields(out, "config", &manifest->config, add_integer);
    if (!status)
        status = add_fields(out, "constants", &manifest->constants, add_bits);
    if (!status)
        status = blob_addf(out, "\"contract\":\"DET-1\",");
    if (!status)
        status = add_fields(out, "precision", &manifest->precision, add_precision);
    if (!status)
        status = add_sources(out, manifest);
    if (!status)
        status = add_tensors(out, manifest);
    if (!status)
        status = add_tokenizer(out, &manifest->tokenizer);
    if (status)
        error_set(err, status, "the manifest does not fit %zu bytes", out->size_max);
    return status;
}
