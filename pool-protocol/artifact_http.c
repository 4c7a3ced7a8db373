/*
 * artifact_http.c - fetches models and inputs by hash, brings results.
 *
 * A model's file is written in its final order while it comes: what lies there after a
 * restart is hashed again and continued, so a partial file costs no second copy.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/artifact_http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "pool-protocol/http_transfer.h"
#include "pool-protocol/message_manifest.h"

enum {
    URL_MAX = 1280,
    VOCAB_MAX = 64 << 20,
    HEAD_MAX = 16 << 20,
    READ_SIZE = 1 << 16,
    TRIES = 4, /* without a byte of progress */
    TRY_AGAIN_MS = 1000
};

/* Something with a hash, on its way into a file or a blob. */
struct arrival {
    const struct artifact_source *source;
    char url[URL_MAX];
    const char *hash;
    uint64_t size_max;
    int file;      /* -1: into blob */
    uint64_t base; /* where it begins in the file */
    struct blob *blob;
    uint64_t received; /* bytes that are there and hashed */
    struct blake3 hasher;
};

static void arrival_restart(struct arrival *arrival)
{
    arrival->received = 0;
    blake3_begin(&arrival->hasher);
    if (arrival->blob)
        blob_clear(arrival->blob);
}

static enum status arrival_write(const struct arrival *arrival, struct bytes piece)
{
    size_t done = 0;

    while (done < piece.size) {
        const ssize_t wrote = pwrite(arrival->file, piece.data + done, piece.size - done,
                                     (off_t)(arrival->base + arrival->received + done));

        if (wrote < 0 && errno != EINTR)
            return STATUS_IO;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return STATUS_OK;
}

static enum status arrival_take(void *context, uint64_t offset, struct bytes piece)
{
    struct arrival *arrival = context;
    enum status status = STATUS_OK;

    if (offset == 0 && arrival->received)
        arrival_restart(arrival); /* a server that knows no ranges begins again */
    if (offset != arrival->received)
        return STATUS_BAD_DATA;
    status = arrival->blob ? blob_add(arrival->blob, piece.data, piece.size)
                           : arrival_write(arrival, piece);
    if (status)
        return status;
    blake3_add(&arrival->hasher, piece.data, piece.size);
    arrival->received += piece.size;
    return STATUS_OK;
}

/* One transfer, judged by its code. REFUSED: the pool will not give it. */
static enum status arrival_try(struct arrival *arrival, struct error *err)
{
    const struct transfer_request request = {.url = arrival->url,
                                             .proxy = arrival->source->proxy,
                                             .ca_file = arrival->source->ca_file,
                                             .offset = arrival->received,
                                             .size_max = arrival->size_max,
                                             .sink = arrival_take,
                                             .context = arrival,
                                             .stop = arrival->source->stop};
    struct transfer_reply reply;
    const enum status status = http_transfer(&request, &reply, err);

    if (status || reply.code == 200 || reply.code == 206)
        return status;
    if (reply.code == 416) { /* what lay there was longer than the whole */
        arrival_restart(arrival);
        return error_set(err, STATUS_NETWORK, "%s: the pool cannot continue it",
                         arrival->url);
    }
    return error_set(
        err, reply.code >= 500 || reply.code == 429 ? STATUS_NETWORK : STATUS_REFUSED,
        "%s: the pool answers %d %.200s", arrival->url, reply.code, reply.text);
}

static void arrival_pause(const struct artifact_source *source)
{
    for (int i = 0; i < TRY_AGAIN_MS / 50; i++) {
        if (source->stop && atomic_load(source->stop))
            return;
        poll(NULL, 0, 50);
    }
}

static bool arrival_is_right(const struct arrival *arrival)
{
    uint8_t digest[BLAKE3_SIZE];
    char hash[2 * BLAKE3_SIZE + 1];

    blake3_end(&arrival->hasher, digest);
    hex_encode(digest, sizeof digest, hash);
    return !strcmp(hash, arrival->hash);
}

/* Until it is whole, the pool refuses, or nothing more comes.  With a hash: and right. */
static enum status arrival_run(struct arrival *arrival, struct error *err)
{
    const bool was_begun = arrival->received > 0;
    enum status status = STATUS_OK;

    for (int tries = 0; tries < TRIES; tries++) {
        const uint64_t before = arrival->received;

        status = arrival_try(arrival, err);
        if (status != STATUS_NETWORK && status != STATUS_TIMEOUT)
            break;
        if (arrival->received > before)
            tries = 0;
        arrival_pause(arrival->source);
    }
    if (status || !arrival->hash || arrival_is_right(arrival))
        return status;
    if (was_begun) { /* the part on disk was damaged: once more, all of it */
        arrival_restart(arrival);
        return arrival_run(arrival, err);
    }
    return error_set(err, STATUS_BAD_DATA, "%s: its %" PRIu64 " bytes have another hash",
                     arrival->url, arrival->received);
}

static enum status arrival_begin(struct arrival *arrival,
                                 const struct artifact_source *source, const char *path,
                                 const char *name, struct error *err)
{
    const int size =
        snprintf(arrival->url, sizeof arrival->url, "%s/%s%s", source->url, path, name);

    if (!*source->url)
        return error_set(err, STATUS_NOT_FOUND, "the pool names no place for artifacts");
    if (!hex_is_id(name, 64))
        return error_set(err, STATUS_BAD_DATA,
                         "an artifact is called \"%.80s\", expected 64 hex "
                         "digits",
                         name);
    if (size < 0 || (size_t)size >= sizeof arrival->url)
        return error_set(err, STATUS_BAD_DATA, "the URL of artifacts is too long");
    arrival->source = source;
    arrival->file = -1;
    blake3_begin(&arrival->hasher);
    return STATUS_OK;
}

enum status artifact_http_get(const struct artifact_source *source, const char *hash,
                              uint64_t size, struct blob *out, struct error *err)
{
    struct arrival arrival = {.hash = hash, .size_max = size, .blob = out};
    enum status status = arrival_begin(&arrival, source, "", hash, err);

    if (status)
        return status;
    blob_free(out);
    *out = blob_empty(size);
    status = arrival_run(&arrival, err);
    if (!status && out->size != size)
        status = error_set(err, STATUS_BAD_DATA, "%s: %zu bytes, expected %" PRIu64,
                           arrival.url, out->size, size);
    if (status)
        blob_free(out);
    return status;
}

enum status artifact_http_put(const struct artifact_source *source, struct bytes data,
                              struct error *err)
{
    struct transfer_reply reply;
    uint8_t digest[BLAKE3_SIZE];
    char hash[2 * BLAKE3_SIZE + 1], url[URL_MAX];

    blake3_hash(data.data, data.size, NULL, digest);
    hex_encode(digest, sizeof digest, hash);
    const int size = snprintf(url, sizeof url, "%s/%s", source->url, hash);
    if (!*source->url || size < 0 || (size_t)size >= sizeof url)
        return error_set(err, STATUS_NETWORK, "the pool names no place for artifacts");

    const struct transfer_request request = {.url = url,
                                             .token = source->token,
                                             .proxy = source->proxy,
                                             .ca_file = source->ca_file,
                                             .is_put = true,
                                             .body = data,
                                             .stop = source->stop};
    const enum status status = http_transfer(&request, &reply, err);
    if (status || (reply.code >= 200 && reply.code < 300))
        return status;
    return error_set(
        err, reply.code >= 500 || reply.code == 429 ? STATUS_NETWORK : STATUS_REFUSED,
        "%s: the pool answers %d %.200s", url, reply.code, reply.text);
}

/* The manifest, whose hash is the model's id. */
static enum status model_manifest(const struct artifact_source *source, const char *model,
                                  struct blob *out, struct error *err)
{
    struct arrival arrival = {.size_max = MANIFEST_TEXT_MAX, .blob = out};
    enum status status = arrival_begin(&arrival, source, "model/", model, err);
    struct blake3 hasher;
    uint8_t digest[BLAKE3_SIZE];
    char id[2 * BLAKE3_SIZE + 1];

    if (!status)
        status = arrival_run(&arrival, err);
    if (status)
        return status;
    blake3_begin_derive_key(&hasher, "pouw model v1");
    blake3_add(&hasher, out->data, out->size);
    blake3_end(&hasher, digest);
    hex_encode(digest, sizeof digest, id);
    if (strcmp(id, model))
        return error_set(err, STATUS_BAD_DATA, "%s: a manifest with another hash",
                         arrival.url);
    return STATUS_OK;
}

/* Hashes what lies in the file already, at most size bytes of it. */
static enum status arrival_resume(struct arrival *arrival, uint64_t size,
                                  struct error *err)
{
    uint8_t data[READ_SIZE];

    while (arrival->received < size) {
        const uint64_t left = size - arrival->received;
        const ssize_t got =
            pread(arrival->file, data, left < sizeof data ? left : sizeof data,
                  (off_t)(arrival->base + arrival->received));

        if (got < 0)
            return error_set(err, STATUS_IO, "a partial file cannot be read: %s",
                             strerror(errno));
        if (!got)
            break;
        blake3_add(&arrival->hasher, data, (size_t)got);
        arrival->received += (uint64_t)got;
    }
    return STATUS_OK;
}

/* One named thing of exactly size bytes (any, up to VOCAB_MAX, for 0) to base in file. */
static enum status model_part(const struct artifact_source *source, const char *hash,
                              int file, uint64_t base, uint64_t *size, struct error *err)
{
    struct arrival arrival = {.hash = hash, .size_max = *size ? *size : VOCAB_MAX};
    enum status status = arrival_begin(&arrival, source, "", hash, err);

    if (status)
        return status;
    arrival.file = file;
    arrival.base = base;
    if (*size)
        status = arrival_resume(&arrival, *size, err);
    if (status || (*size && arrival.received == *size && arrival_is_right(&arrival)))
        return status;
    if (arrival.received == *size)
        arrival_restart(&arrival);
    status = arrival_run(&arrival, err);
    if (!status && *size && arrival.received != *size)
        status =
            error_set(err, STATUS_BAD_DATA, "%s: %" PRIu64 " bytes, expected %" PRIu64,
                      arrival.url, arrival.received, *size);
    /* What is wrong must not be taken for a part that is there. */
    if (status == STATUS_BAD_DATA && ftruncate(file, (off_t)base))
        error_prefix(err, "a partial file cannot be cut");
    *size = arrival.received;
    return status;
}

static enum status model_open_part(const char *folder, const char *name, int *file,
                                   struct error *err)
{
    char path[ARTIFACT_PATH_MAX];
    const enum status status = file_join(folder, name, path, sizeof path, err);

    *file = -1;
    if (status)
        return status;
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (*file < 0)
        return error_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
    return STATUS_OK;
}

/* On disk before the model counts as complete. */
static enum status model_close_part(int file, uint64_t size, enum status status,
                                    struct error *err)
{
    if (!status && (ftruncate(file, (off_t)size) || fsync(file)))
        status =
            error_set(err, STATUS_IO, "a model cannot be written: %s", strerror(errno));
    if (file >= 0)
        close(file);
    return status;
}

static enum status model_tensors(const struct artifact_source *source, const char *folder,
                                 const struct message_manifest *manifest,
                                 struct error *err)
{
    struct blob head = blob_empty(HEAD_MAX);
    uint64_t base = 0;
    int file = -1;
    enum status status = message_manifest_file_head(manifest, &head);

    if (status)
        status = error_set(err, status, "no memory for the head of a model's file");
    else
        status = model_open_part(folder, "model.safetensors", &file, err);
    if (!status && pwrite(file, head.data, head.size, 0) != (ssize_t)head.size)
        status =
            error_set(err, STATUS_IO, "a model cannot be written: %s", strerror(errno));
    base = head.size;
    for (uint32_t i = 0; i < manifest->count && !status; i++) {
        uint64_t size = manifest->tensors[i].size;

        status = model_part(source, manifest->tensors[i].hash, file, base, &size, err);
        base += size;
    }
    blob_free(&head);
    return model_close_part(file, base, status, err);
}

static enum status model_vocab(const struct artifact_source *source, const char *folder,
                               const struct message_manifest *manifest, struct error *err)
{
    uint64_t size = 0;
    int file = -1;
    enum status status = STATUS_OK;

    if (!*manifest->vocab_hash)
        return STATUS_OK;
    status = model_open_part(folder, "vocab.txt", &file, err);
    if (!status)
        status = model_part(source, manifest->vocab_hash, file, 0, &size, err);
    return model_close_part(file, size, status, err);
}

/* With the lock held. */
static enum status model_fetch(const struct artifact_source *source,
                               struct artifact_cache *cache, const char *model,
                               struct error *err)
{
    struct blob text = blob_empty(MANIFEST_TEXT_MAX);
    struct message_manifest manifest = {0};
    char folder[ARTIFACT_PATH_MAX], path[ARTIFACT_PATH_MAX];
    enum status status = model_manifest(source, model, &text, err);

    if (!status)
        status = message_manifest_decode(blob_bytes(&text), &manifest, err);
    if (!status)
        status = artifact_cache_make_room(cache, manifest.size + text.size + HEAD_MAX,
                                          model, err);
    if (!status)
        status = artifact_cache_gather(cache, model, folder, err);
    if (!status)
        status = model_tensors(source, folder, &manifest, err);
    if (!status)
        status = model_vocab(source, folder, &manifest, err);
    if (!status)
        status = file_join(folder, "manifest.json", path, sizeof path, err);
    if (!status)
        status = file_write(path, blob_bytes(&text), err);
    if (!status)
        status = artifact_cache_finish(cache, model, err);
    message_manifest_free(&manifest);
    blob_free(&text);
    return status;
}

enum status artifact_http_model(const struct artifact_source *source,
                                struct artifact_cache *cache, const char *model,
                                char folder[ARTIFACT_PATH_MAX], struct error *err)
{
    enum status status = artifact_cache_model(cache, model, folder, NULL);
    int lock = -1;

    if (status != STATUS_NOT_FOUND)
        return status ? error_set(err, status, "model %.80s cannot be used", model)
                      : STATUS_OK;
    status = artifact_cache_lock(cache, source->stop, &lock, err);
    if (status)
        return status;
    status = artifact_cache_model(cache, model, folder,
                                  NULL); /* another may have fetched it */
    if (status) {
        status = model_fetch(source, cache, model, err);
        if (!status)
            status = artifact_cache_model(cache, model, folder, err);
    }
    artifact_cache_unlock(lock);
    return status;
}
