/*
 * model_shelf.c - the user's folders first, then the cache, then the pool.
 *
 * A model's id is the hash of its manifest, so that looking through folders reads
 * manifests only; what a model's tensors are worth is checked when it is opened.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/model_shelf.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"

enum { MODELS_MAX = OFFER_MODELS_MAX, MANIFEST_SIZE_MAX = 16 << 20 };

struct shelved {
    char id[MODEL_ID_SIZE + 1];
    char folder[ARTIFACT_PATH_MAX];
};

struct model_shelf { /* not changed after opening; the cache guards itself */
    size_t count;
    struct shelved models[MODELS_MAX];
    struct artifact_cache *cache;
};

/* Takes folder in if it holds a manifest. */
static enum status shelve(struct model_shelf *shelf, const char *folder,
                          struct error *err)
{
    struct blob manifest = blob_empty(MANIFEST_SIZE_MAX);
    char path[ARTIFACT_PATH_MAX];
    enum status status = file_join(folder, "manifest.json", path, sizeof(path), err);

    if (status || !file_exists(path))
        return status;
    if (shelf->count == MODELS_MAX)
        return error_set(err, STATUS_FULL, "%s: there are more than %d models", folder,
                         MODELS_MAX);
    status = file_read(path, &manifest, err);
    if (!status) {
        struct shelved *model = &shelf->models[shelf->count++];
        artifact_hash_manifest(blob_bytes(&manifest), model->id);
        snprintf(model->folder, sizeof(model->folder), "%s", folder);
    }
    blob_free(&manifest);
    return status;
}

static enum status shelve_below(struct model_shelf *shelf, const char *folder,
                                struct error *err)
{
    DIR *list = opendir(folder);
    enum status status = STATUS_OK;

    if (!list)
        return error_set(err, STATUS_BAD_CONFIG,
                         "models: %s is no folder that can be read", folder);
    for (const struct dirent *entry; !status && (entry = readdir(list));) {
        char path[ARTIFACT_PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        status = file_join(folder, entry->d_name, path, sizeof(path), err);
        if (!status)
            status = shelve(shelf, path, err);
    }
    closedir(list);
    return status;
}

static enum status shelve_folder(struct model_shelf *shelf, const char *folder,
                                 struct error *err)
{
    const size_t before = shelf->count;
    enum status status = shelve(shelf, folder, err);

    if (!status && shelf->count == before)
        status = shelve_below(shelf, folder, err);
    if (!status && shelf->count == before)
        status = error_set(
            err, STATUS_BAD_CONFIG,
            "models: %s holds no model (no manifest.json in it or below it)", folder);
    return status;
}

enum status model_shelf_open(const struct model_shelf_options *options,
                             struct model_shelf **out, struct error *err)
{
    struct model_shelf *shelf = memory_new(struct model_shelf);
    enum status status = STATUS_OK;

    assert(options->folder_count <= 8);
    if (!shelf)
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the list of models");
    for (size_t i = 0; !status && i < options->folder_count; i++)
        status = shelve_folder(shelf, options->folders[i], err);
    if (!status && *options->cache)
        status =
            artifact_cache_open(options->cache, options->cache_size, &shelf->cache, err);
    if (status) {
        model_shelf_close(shelf);
        return status;
    }
    *out = shelf;
    return STATUS_OK;
}

void model_shelf_close(struct model_shelf *shelf)
{
    if (!shelf)
        return;
    artifact_cache_close(shelf->cache);
    memory_free(shelf);
}

static const struct shelved *shelved_find(const struct model_shelf *shelf, const char *id)
{
    for (size_t i = 0; i < shelf->count; i++) {
        if (!strcmp(shelf->models[i].id, id))
            return &shelf->models[i];
    }
    return NULL;
}

void model_shelf_offer(struct model_shelf *shelf, struct message_offer *offer)
{
    char cached[OFFER_MODELS_MAX][ARTIFACT_ID_SIZE + 1];
    const uint32_t count =
        shelf->cache ? artifact_cache_models(shelf->cache, cached, OFFER_MODELS_MAX) : 0;

    offer->model_count = 0;
    for (size_t i = 0; i < shelf->count; i++)
        memcpy(offer->models[offer->model_count++], shelf->models[i].id,
               MODEL_ID_SIZE + 1);
    for (uint32_t i = 0; i < count && offer->model_count < OFFER_MODELS_MAX; i++) {
        if (!shelved_find(shelf, cached[i]))
            memcpy(offer->models[offer->model_count++], cached[i], MODEL_ID_SIZE + 1);
    }
}

/* Where the model lies now, fetched if need be. */
static enum status locate(struct model_shelf *shelf, const char *id,
                          const struct artifact_source *source,
                          char folder[ARTIFACT_PATH_MAX], struct error *err)
{
    const struct shelved *local = shelved_find(shelf, id);
    struct error unused;

    if (local) {
        memcpy(folder, local->folder, ARTIFACT_PATH_MAX);
        return STATUS_OK;
    }
    if (!shelf->cache)
        return error_set(
            err, STATUS_NOT_FOUND,
            "model %.16s... is in none of the folders, and there is no cache", id);
    if (!artifact_cache_model(shelf->cache, id, folder, &unused))
        return STATUS_OK;
    if (!source || !*source->url)
        return error_set(err, STATUS_NOT_FOUND,
                         "model %.16s... is not here, and the pool serves no artifacts",
                         id);
    return artifact_http_model(source, shelf->cache, id, folder, err);
}

enum status model_shelf_find(struct model_shelf *shelf, const char *id,
                             const struct artifact_source *source, struct artifact **out,
                             struct error *err)
{
    char folder[ARTIFACT_PATH_MAX];

    if (!hex_is_id(id, MODEL_ID_SIZE))
        return error_set(err, STATUS_BAD_DATA, "\"%.70s\" is no model id", id);
    enum status status = locate(shelf, id, source, folder, err);
    if (!status)
        status = artifact_open(folder, out, err);
    if (!status && strcmp(artifact_id(*out), id)) {
        status = error_set(err, STATUS_MISMATCH, "%s: holds another model now, %.16s...",
                           folder, artifact_id(*out));
        artifact_close(*out);
        *out = NULL;
    }
    return status;
}
