/*
 * import_write.c - puts an artifact into its folder so that a crash leaves an old one, a
 * new one or none.
 *
 * Everything is written beside, under other names; the old manifest goes before the first
 * file is replaced and the new one comes last, so that a folder with a manifest is always
 * a whole model.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/artifact_values.h"
#include "miner/models/import_kind.h"

enum { WRITE_PATH_MAX = 4096, FILE_ALIGN = 64, HEADER_SIZE_MAX = 16 << 20 };

/* In the order in which they are put into place. */
static const char *const file_names[] = {"vocab.txt", "model.safetensors",
                                         "manifest.json"};
enum { FILE_COUNT = 3, FILE_VOCAB = 0, FILE_TENSORS = 1, FILE_MANIFEST = 2 };

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct tensor *)left)->name,
                  ((const struct tensor *)right)->name);
}

/* Whole cache lines first, so that every tensor but the last few begins at one. */
static int compare_places(const void *left, const void *right)
{
    const struct tensor *a = left, *b = right;
    const int a_odd = a->data.size % FILE_ALIGN != 0,
              b_odd = b->data.size % FILE_ALIGN != 0;

    return a_odd != b_odd ? a_odd - b_odd : strcmp(a->name, b->name);
}

static enum status hash_tensors(struct manifest *manifest, struct error *err)
{
    qsort(manifest->tensors, manifest->tensor_count, sizeof *manifest->tensors,
          compare_names);
    for (size_t i = 0; i < manifest->tensor_count; i++) {
        struct tensor *tensor = &manifest->tensors[i];
        uint8_t digest[BLAKE3_SIZE];
        const enum status status = artifact_values_check(tensor, tensor->data, 0, err);

        if (status)
            return status;
        blake3_hash(tensor->data.data, tensor->data.size, NULL, digest);
        hex_encode(digest, sizeof digest, tensor->hash);
    }
    return STATUS_OK;
}

static enum status gather(const struct manifest *manifest, struct blob *out,
                          struct error *err)
{
    const size_t count = manifest->tensor_count;
    struct tensor *placed = memory_array(count, sizeof *placed);
    size_t size = HEADER_SIZE_MAX;
    enum status status;

    if (!placed)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tensors", count);
    memcpy(placed, manifest->tensors, count * sizeof *placed);
    qsort(placed, count, sizeof *placed, compare_places);
    for (size_t i = 0; i < count; i++)
        size += placed[i].data.size;
    *out = blob_empty(size);
    status = safetensors_header(placed, count, FILE_ALIGN, out, err);
    if (!status)
        status = blob_reserve(out, size - HEADER_SIZE_MAX + out->size);
    for (size_t i = 0; i < count && !status; i++)
        status = blob_add(out, placed[i].data.data, placed[i].data.size);
    memory_free(placed);
    return status ? error_set(err, status, "no memory for %zu bytes of tensors", size)
                  : status;
}

static enum status join_new(const char *folder, const char *name,
                            char path[WRITE_PATH_MAX], struct error *err)
{
    char new_name[64];

    snprintf(new_name, sizeof new_name, "%s.new-%ld", name, (long)getpid());
    return file_join(folder, new_name, path, WRITE_PATH_MAX, err);
}

static enum status write_beside(const char *folder,
                                const struct bytes contents[FILE_COUNT],
                                struct error *err)
{
    char path[WRITE_PATH_MAX];
    enum status status = STATUS_OK;

    for (size_t i = 0; i < FILE_COUNT && !status; i++) {
        status = join_new(folder, file_names[i], path, err);
        if (!status)
            status = file_write(path, contents[i], err);
    }
    return status;
}

static enum status move_into_place(const char *folder, struct error *err)
{
    char from[WRITE_PATH_MAX], to[WRITE_PATH_MAX];
    enum status status = file_join(folder, file_names[FILE_MANIFEST], to, sizeof to, err);

    if (!status && unlink(to) && errno != ENOENT)
        return error_set(err, STATUS_IO, "%s: cannot replace: %s", to, strerror(errno));
    for (size_t i = 0; i < FILE_COUNT && !status; i++) {
        status = join_new(folder, file_names[i], from, err);
        if (!status)
            status = file_join(folder, file_names[i], to, sizeof to, err);
        if (!status && rename(from, to))
            status = error_set(err, STATUS_IO, "%s: cannot put into place: %s", to,
                               strerror(errno));
    }
    return status;
}

static void remove_beside(const char *folder)
{
    char path[WRITE_PATH_MAX];

    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (!join_new(folder, file_names[i], path, NULL))
            (void)unlink(path);
    }
}

static enum status write_files(const struct import *import, const char *folder,
                               struct bytes manifest, struct error *err)
{
    struct blob tensors = blob_empty(0);
    struct bytes contents[FILE_COUNT];
    enum status status = gather(&import->manifest, &tensors, err);

    contents[FILE_VOCAB] = blob_bytes(&import->vocab);
    contents[FILE_TENSORS] = blob_bytes(&tensors);
    contents[FILE_MANIFEST] = manifest;
    if (!status)
        status = file_make_folder(folder, err);
    if (!status) {
        status = write_beside(folder, contents, err);
        if (!status)
            status = move_into_place(folder, err);
        if (status)
            remove_beside(folder);
    }
    blob_free(&tensors);
    return status;
}

enum status import_write(struct import *import, const char *folder, char id[65],
                         struct error *err)
{
    struct blob manifest = blob_empty(MANIFEST_SIZE_MAX);
    enum status status;

    /* The tensors are put in order, their buffers are not: from here on owned[] only
     * frees. */
    status = hash_tensors(&import->manifest, err);
    if (!status)
        status = manifest_write(&import->manifest, &manifest, err);
    if (!status)
        status = write_files(import, folder, blob_bytes(&manifest), err);
    if (!status)
        artifact_hash_manifest(blob_bytes(&manifest), id);
    blob_free(&manifest);
    return status;
}
