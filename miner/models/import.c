/*
 * import.c - a Hugging Face folder into an artifact: reads, lets the family's file do the
 * work, writes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/import_kind.h"

enum { IMPORT_PATH_MAX = 4096, CONFIG_SIZE_MAX = 1 << 20 };

static const uint64_t checkpoint_size_max = (uint64_t)16 << 30;

static const struct import_kind *const import_kinds[] = {&import_bert};

static enum status add_source(struct import *import, const char *name, struct bytes data,
                              struct error *err)
{
    struct manifest *manifest = &import->manifest;
    uint8_t digest[BLAKE3_SIZE];
    size_t place = manifest->source_count;

    assert(strlen(name) <= MANIFEST_NAME_MAX);
    if (manifest->source_count == MANIFEST_SOURCES_MAX)
        return error_set(err, STATUS_FULL, "more than %d files were read",
                         MANIFEST_SOURCES_MAX);
    for (; place && strcmp(name, manifest->sources[place - 1].name) < 0; place--)
        manifest->sources[place] = manifest->sources[place - 1];
    memcpy(manifest->sources[place].name, name, strlen(name) + 1);
    blake3_hash(data.data, data.size, NULL, digest);
    hex_encode(digest, sizeof digest, manifest->sources[place].hash);
    manifest->sources[place].size = data.size;
    manifest->source_count++;
    return STATUS_OK;
}

enum status import_read(struct import *import, const char *name, struct blob *out,
                        struct error *err)
{
    char path[IMPORT_PATH_MAX];
    enum status status = file_join(import->from, name, path, sizeof path, err);

    if (!status)
        status = file_read(path, out, err);
    return status ? status : add_source(import, name, blob_bytes(out), err);
}

enum status import_read_json(struct import *import, const char *name, size_t size_max,
                             json_t **out, struct error *err)
{
    struct blob text = blob_empty(size_max);
    json_error_t fault;
    enum status status = import_read(import, name, &text, err);

    *out = NULL;
    if (!status) {
        *out = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES,
                          &fault);
        if (!json_is_object(*out)) {
            status = error_set(err, STATUS_BAD_DATA, "%s/%s: is no JSON object: %s",
                               import->from, name, *out ? "" : fault.text);
            json_decref(*out);
            *out = NULL;
        }
    }
    blob_free(&text);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The family by model_type, or in old files by the name of the first architecture. */
static enum status find_kind(const struct import *import, const struct import_kind **out,
                             struct error *err)
{
    const char *type = json_string_value(json_object_get(import->config, "model_type"));
    const char *architecture = json_string_value(
        json_array_get(json_object_get(import->config, "architectures"), 0));

    if (!json_object_get(import->config, "model_type") && architecture &&
        strncmp(architecture, "Bert", 4) == 0)
        type = "bert";
    for (size_t i = 0; type && i < sizeof import_kinds / sizeof *import_kinds; i++) {
        if (strcmp(type, import_kinds[i]->model_type) == 0) {
            *out = import_kinds[i];
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_NOT_SUPPORTED,
                     "%s/config.json: model_type is \"%.40s\", expected bert",
                     import->from, type ? type : "");
}

static enum status import_run(struct import *import, struct error *err)
{
    const struct import_kind *kind;
    enum status status =
        import_read_json(import, "config.json", CONFIG_SIZE_MAX, &import->config, err);

    if (!status && !import->config)
        status = STATUS_NOT_FOUND;
    if (!status)
        status = find_kind(import, &kind, err);
    if (!status)
        status = import_read(import, "model.safetensors", &import->file, err);
    if (status)
        return status;
    status = safetensors_parse(blob_bytes(&import->file), &import->source, err);
    if (status) {
        error_prefix(err, "%s/model.safetensors", import->from);
        return status;
    }
    return kind->run(import, err);
}

static void import_free(struct import *import)
{
    for (size_t i = 0; i < import->capacity; i++)
        memory_free(import->owned[i]);
    memory_free(import->owned);
    safetensors_free(&import->source);
    manifest_free(&import->manifest);
    blob_free(&import->file);
    blob_free(&import->vocab);
    json_decref(import->config);
}

enum status model_import(const char *from, const char *to, enum precision precision,
                         char id[65], struct error *err)
{
    struct import import = {
        .from = from,
        .precision = precision,
        .file = blob_empty(checkpoint_size_max),
        .vocab = blob_empty((size_t)64 << 20),
    };
    enum status status = import_run(&import, err);

    if (!status)
        status = import_write(&import, to, id, err);
    import_free(&import);
    return status;
}
