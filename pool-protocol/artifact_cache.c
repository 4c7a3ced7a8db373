/*
 * artifact_cache.c - a folder of models, the least recently used of which goes first.
 *
 * A model is the folder <id>, the parts of one the folder <id>.parts.  The time of a
 * folder is when it was last asked for.  Everything else in the folder is left alone and
 * not counted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/artifact_cache.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"

#define PARTS ".parts"
enum { NAME_MAX_SIZE = ARTIFACT_ID_SIZE + sizeof PARTS, LOCK_POLL_MS = 50 };

struct artifact_cache {
    char folder[ARTIFACT_PATH_MAX];
    uint64_t size_max;
};

struct entry {
    char name[NAME_MAX_SIZE];
    uint64_t size;
    struct timespec used;
};

enum status artifact_cache_open(const char *folder, uint64_t size_max,
                                struct artifact_cache **out, struct error *err)
{
    struct artifact_cache *cache = NULL;
    enum status status = STATUS_OK;

    *out = NULL;
    if (strlen(folder) + NAME_MAX_SIZE + 32 > ARTIFACT_PATH_MAX)
        return error_set(err, STATUS_BAD_CONFIG,
                         "the cache folder's name has %zu characters", strlen(folder));
    status = file_make_folder(folder, err);
    if (status)
        return status;
    cache = memory_new(struct artifact_cache);
    if (!cache)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a cache");
    snprintf(cache->folder, sizeof cache->folder, "%s", folder);
    cache->size_max = size_max;
    *out = cache;
    return STATUS_OK;
}

void artifact_cache_close(struct artifact_cache *cache)
{
    memory_free(cache);
}

/* <folder>/<model><suffix>; model was checked. */
static void cache_path(const struct artifact_cache *cache, const char *model,
                       const char *suffix, char path[ARTIFACT_PATH_MAX])
{
    assert(hex_is_id(model, ARTIFACT_ID_SIZE));
    snprintf(path, ARTIFACT_PATH_MAX, "%.800s/%.64s%s", cache->folder, model, suffix);
}

static bool cache_is_complete(const struct artifact_cache *cache, const char *model)
{
    char path[ARTIFACT_PATH_MAX];

    cache_path(cache, model, "/manifest.json", path);
    return file_exists(path);
}

static enum status cache_check_id(const char *model, struct error *err)
{
    if (hex_is_id(model, ARTIFACT_ID_SIZE))
        return STATUS_OK;
    return error_set(err, STATUS_BAD_DATA,
                     "a model id is \"%.80s\", expected 64 hex digits", model);
}

enum status artifact_cache_model(struct artifact_cache *cache, const char *model,
                                 char folder[ARTIFACT_PATH_MAX], struct error *err)
{
    const enum status status = cache_check_id(model, err);

    if (status)
        return status;
    if (!cache_is_complete(cache, model))
        return error_set(err, STATUS_NOT_FOUND, "model %s is not in %s", model,
                         cache->folder);
    cache_path(cache, model, "", folder);
    if (utimensat(AT_FDCWD, folder, NULL, 0) && errno == ENOENT)
        return error_set(err, STATUS_NOT_FOUND, "model %s has just left %s", model,
                         cache->folder);
    return STATUS_OK;
}

/* The next entry that is this cache's: a model or its parts. */
static const char *cache_next(DIR *folder)
{
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char id[ARTIFACT_ID_SIZE + 1];
        const char *rest = NULL;

        if (strlen(entry->d_name) < ARTIFACT_ID_SIZE)
            continue;
        rest = entry->d_name + ARTIFACT_ID_SIZE;
        snprintf(id, sizeof id, "%.64s", entry->d_name);
        if (hex_is_id(id, ARTIFACT_ID_SIZE) && (!*rest || !strcmp(rest, PARTS)))
            return entry->d_name;
    }
    return NULL;
}

uint32_t artifact_cache_models(struct artifact_cache *cache,
                               char (*ids)[ARTIFACT_ID_SIZE + 1], uint32_t count_max)
{
    DIR *folder = opendir(cache->folder);
    uint32_t count = 0;

    for (const char *name; folder && count < count_max && (name = cache_next(folder));) {
        char id[ARTIFACT_ID_SIZE + 1];

        snprintf(id, sizeof id, "%.64s", name);
        if (!name[ARTIFACT_ID_SIZE] && cache_is_complete(cache, id))
            memcpy(ids[count++], id, sizeof id);
    }
    if (folder)
        closedir(folder);
    return count;
}

enum status artifact_cache_lock(struct artifact_cache *cache, const atomic_bool *stop,
                                int *lock, struct error *err)
{
    char path[ARTIFACT_PATH_MAX + 8];

    snprintf(path, sizeof path, "%s/lock", cache->folder);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*lock < 0)
        return error_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
    while (flock(*lock, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            error_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
            artifact_cache_unlock(*lock);
            return STATUS_IO;
        }
        if (stop && atomic_load(stop)) {
            artifact_cache_unlock(*lock);
            return error_set(err, STATUS_CANCELLED, "stopped while another fetches");
        }
        poll(NULL, 0, LOCK_POLL_MS);
    }
    return STATUS_OK;
}

void artifact_cache_unlock(int lock)
{
    close(lock);
}

/* Size and time of one entry; its files lie flat in it. */
static bool entry_measure(const struct artifact_cache *cache, const char *name,
                          struct entry *entry)
{
    char path[ARTIFACT_PATH_MAX];
    struct stat about;
    DIR *folder = NULL;

    snprintf(path, sizeof path, "%.800s/%.70s", cache->folder, name);
    snprintf(entry->name, sizeof entry->name, "%.70s", name);
    folder = opendir(path);
    if (!folder)
        return false;
    entry->size = 0;
    for (const struct dirent *file; (file = readdir(folder));) {
        if (!fstatat(dirfd(folder), file->d_name, &about, AT_SYMLINK_NOFOLLOW) &&
            S_ISREG(about.st_mode))
            entry->size += (uint64_t)about.st_size;
    }
    const bool ok = !fstat(dirfd(folder), &about);
    entry->used = about.st_mtim;
    closedir(folder);
    return ok;
}

static void entry_remove(const struct artifact_cache *cache, const struct entry *entry)
{
    char path[ARTIFACT_PATH_MAX];
    DIR *folder = NULL;

    snprintf(path, sizeof path, "%.800s/%s", cache->folder, entry->name);
    folder = opendir(path);
    if (!folder)
        return;
    /* The manifest goes first: without it the rest is no model. */
    unlinkat(dirfd(folder), "manifest.json", 0);
    for (const struct dirent *file; (file = readdir(folder));) {
        if (strcmp(file->d_name, ".") && strcmp(file->d_name, ".."))
            unlinkat(dirfd(folder), file->d_name, 0);
    }
    closedir(folder);
    rmdir(path);
}

/* Sums all entries but keep's, and finds the one that was not used for the longest time.
 */
static uint64_t cache_measure(const struct artifact_cache *cache, const char *keep,
                              struct entry *oldest)
{
    DIR *folder = opendir(cache->folder);
    uint64_t size = 0;

    oldest->name[0] = 0;
    for (const char *name; folder && (name = cache_next(folder));) {
        struct entry entry;

        if ((keep && !strncmp(name, keep, ARTIFACT_ID_SIZE)) ||
            !entry_measure(cache, name, &entry))
            continue;
        size += entry.size;
        if (!*oldest->name || entry.used.tv_sec < oldest->used.tv_sec ||
            (entry.used.tv_sec == oldest->used.tv_sec &&
             entry.used.tv_nsec < oldest->used.tv_nsec))
            *oldest = entry;
    }
    if (folder)
        closedir(folder);
    return size;
}

enum status artifact_cache_make_room(struct artifact_cache *cache, uint64_t size,
                                     const char *keep, struct error *err)
{
    struct entry oldest;

    if (size > cache->size_max)
        return error_set(err, STATUS_FULL,
                         "%s may hold %" PRIu64 " bytes, %" PRIu64 " are wanted at once",
                         cache->folder, cache->size_max, size);
    for (uint64_t before = UINT64_MAX;;) {
        const uint64_t used = cache_measure(cache, keep, &oldest);

        if (used <= cache->size_max - size)
            return STATUS_OK;
        if (used >= before)
            return error_set(err, STATUS_IO, "%s: %s cannot be removed", cache->folder,
                             oldest.name);
        before = used;
        entry_remove(cache, &oldest);
    }
}

enum status artifact_cache_gather(struct artifact_cache *cache, const char *model,
                                  char folder[ARTIFACT_PATH_MAX], struct error *err)
{
    const enum status status = cache_check_id(model, err);

    if (status)
        return status;
    cache_path(cache, model, PARTS, folder);
    return file_make_folder(folder, err);
}

enum status artifact_cache_finish(struct artifact_cache *cache, const char *model,
                                  struct error *err)
{
    char from[ARTIFACT_PATH_MAX], to[ARTIFACT_PATH_MAX];
    const enum status status = cache_check_id(model, err);

    if (status)
        return status;
    cache_path(cache, model, PARTS, from);
    cache_path(cache, model, "", to);
    if (rename(from, to))
        return error_set(err, STATUS_IO, "%s: cannot be renamed: %s", from,
                         strerror(errno));
    return STATUS_OK;
}
