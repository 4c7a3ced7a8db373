/*
 * kept.c - what backends keep from one start to the next.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/kept.h"

#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/log.h"

enum { MAGIC_SIZE = 8, HEAD_SIZE = MAGIC_SIZE + 8 + BLAKE3_SIZE, PATH_SIZE = 4096 };
static const char magic[MAGIC_SIZE + 1] = "MINKERN1";

static bool is_whole(struct bytes file)
{
    uint8_t hash[BLAKE3_SIZE];

    if (file.size < HEAD_SIZE || memcmp(file.data, magic, MAGIC_SIZE) != 0 ||
        u64_load(file.data + MAGIC_SIZE) != file.size - HEAD_SIZE)
        return false;
    blake3_hash(file.data + HEAD_SIZE, file.size - HEAD_SIZE, NULL, hash);
    return memcmp(hash, file.data + MAGIC_SIZE + 8, sizeof hash) == 0;
}

enum status kept_get(const char *folder, const char *name, struct blob *out)
{
    struct blob file = blob_empty(KEPT_MAX);
    char path[PATH_SIZE];
    enum status status = file_join(folder, name, path, sizeof path, NULL);

    if (!status)
        status = file_exists(path) ? file_read(path, &file, NULL) : STATUS_NOT_FOUND;
    if (!status && !is_whole(blob_bytes(&file))) {
        log_debug("kept", "%s is damaged: as if it were not there", path);
        status = STATUS_NOT_FOUND;
    }
    if (!status) {
        blob_clear(out);
        status = blob_add(out, file.data + HEAD_SIZE, file.size - HEAD_SIZE);
    }
    blob_free(&file);
    return status == STATUS_NO_MEMORY ? status : status ? STATUS_NOT_FOUND : STATUS_OK;
}

enum status kept_put(const char *folder, const char *name, struct bytes payload,
                     struct error *err)
{
    struct blob file = blob_empty(KEPT_MAX);
    uint8_t head[HEAD_SIZE];
    char path[PATH_SIZE];
    enum status status = file_make_folder(folder, err);

    memcpy(head, magic, MAGIC_SIZE);
    u64_store(head + MAGIC_SIZE, payload.size);
    blake3_hash(payload.data, payload.size, NULL, head + MAGIC_SIZE + 8);
    if (!status)
        status = file_join(folder, name, path, sizeof path, err);
    if (!status && (blob_add(&file, head, sizeof head) ||
                    blob_add(&file, payload.data, payload.size)))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for %zu bytes to keep",
                           payload.size);
    if (!status)
        status = file_write(path, blob_bytes(&file), err);
    blob_free(&file);
    return status;
}
