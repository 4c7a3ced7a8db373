/*
 * shelf.c - finds and opens the models.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"

enum { SHELF_PATH_MAX = 4096 };

struct shelf {
    size_t count;
    struct artifact *models[SHELF_MODELS_MAX];
};

/* One subfolder: a model if it has a manifest, nothing otherwise. */
static enum status shelf_try(struct shelf *shelf, const char *folder, const char *name,
                             struct error *err)
{
    char path[SHELF_PATH_MAX], manifest[SHELF_PATH_MAX];
    struct artifact *model;
    enum status status = file_join(folder, name, path, sizeof path, err);

    if (!status)
        status = file_join(path, "manifest.json", manifest, sizeof manifest, err);
    if (status || !file_exists(manifest))
        return status;
    if (shelf->count == SHELF_MODELS_MAX)
        return error_set(err, STATUS_FULL, "%s: more than %d models", folder,
                         SHELF_MODELS_MAX);
    status = artifact_open(path, &model, err);
    if (status) {
        error_prefix(err, "model %s", path);
        return status;
    }
    if (shelf_model(shelf, artifact_id(model))) {
        log_warn("pool", "%s is model %s again and left out", path, artifact_id(model));
        artifact_close(model);
        return STATUS_OK;
    }
    log_debug("pool", "model %s from %s", artifact_id(model), path);
    shelf->models[shelf->count++] = model;
    return STATUS_OK;
}

static enum status shelf_scan(struct shelf *shelf, const char *folder, struct error *err)
{
    enum status status = STATUS_OK;
    DIR *list = opendir(folder);

    if (!list)
        return error_set(err, STATUS_BAD_CONFIG,
                         "cannot read the models' folder \"%s\": %s", folder,
                         strerror(errno));
    for (const struct dirent *entry; !status && (entry = readdir(list));) {
        if (entry->d_name[0] != '.')
            status = shelf_try(shelf, folder, entry->d_name, err);
    }
    closedir(list);
    return status;
}

enum status shelf_open(const char *folder, struct shelf **out, struct error *err)
{
    struct shelf *shelf = memory_new(struct shelf);
    enum status status = STATUS_OK;

    if (!shelf)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the models");
    if (folder)
        status = shelf_scan(shelf, folder, err);
    if (status) {
        shelf_close(shelf);
        return status;
    }
    *out = shelf;
    return STATUS_OK;
}

void shelf_close(struct shelf *shelf)
{
    if (!shelf)
        return;
    for (size_t i = 0; i < shelf->count; i++)
        artifact_close(shelf->models[i]);
    memory_free(shelf);
}

size_t shelf_count(const struct shelf *shelf)
{
    return shelf->count;
}

const struct artifact *shelf_model(const struct shelf *shelf, const char *id)
{
    for (size_t i = 0; i < shelf->count; i++) {
        if (!strcmp(artifact_id(shelf->models[i]), id))
            return shelf->models[i];
    }
    return NULL;
}

struct bytes shelf_blob(const struct shelf *shelf, const char *hash)
{
    for (size_t i = 0; i < shelf->count; i++) {
        const struct bytes blob = artifact_blob(shelf->models[i], hash);
        if (blob.size)
            return blob;
    }
    return bytes_of(NULL, 0);
}
