/*
 * file.c - whole files: read with a bound, written so that a crash leaves the old or the
 * new.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status read_all(int fd, const char *path, struct blob *out, struct error *err)
{
    uint8_t piece[16384];

    for (;;) {
        const ssize_t got = read(fd, piece, sizeof piece);
        enum status status;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, STATUS_IO, "%s: cannot read: %s", path,
                             strerror(errno));
        if (!got)
            return STATUS_OK;
        status = blob_add(out, piece, (size_t)got);
        if (status == STATUS_FULL)
            return error_set(err, status, "%s: larger than %zu bytes", path,
                             out->size_max);
        if (status)
            return error_set(err, status, "%s: out of memory after %zu bytes", path,
                             out->size);
    }
}

enum status file_read(const char *path, struct blob *out, struct error *err)
{
    struct stat about;
    enum status status;
    int fd;

    blob_clear(out);
    if (!strcmp(path, "-"))
        return read_all(STDIN_FILENO, "standard input", out, err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "%s: cannot open: %s", path, strerror(errno));
    if (!fstat(fd, &about) && S_ISDIR(about.st_mode))
        status = error_set(err, STATUS_IO, "%s: is a folder, expected a file", path);
    else if (S_ISREG(about.st_mode) && (uint64_t)about.st_size > out->size_max)
        status = error_set(err, STATUS_FULL, "%s: %lld bytes, at most %zu are read", path,
                           (long long)about.st_size, out->size_max);
    else
        status = read_all(fd, path, out, err);
    close(fd);
    return status;
}

static enum status write_all(int fd, struct bytes data)
{
    for (size_t done = 0; done < data.size;) {
        const ssize_t put = write(fd, data.data + done, data.size - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return STATUS_IO;
        done += (size_t)put;
    }
    return fsync(fd) ? STATUS_IO : STATUS_OK;
}

/* A rename is durable only once its folder is. */
static void sync_folder_of(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
             slash ? path : ".");
    fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

enum status file_write(const char *path, struct bytes data, struct error *err)
{
    char temporary[4096];
    int fd, saved;

    if (snprintf(temporary, sizeof temporary, "%s.%ld.part", path, (long)getpid()) >=
        (int)sizeof temporary)
        return error_set(err, STATUS_IO, "%s: the name is too long", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, STATUS_IO, "%s: cannot create: %s", temporary,
                         strerror(errno));
    if (!write_all(fd, data) && !close(fd) && !rename(temporary, path)) {
        sync_folder_of(path);
        return STATUS_OK;
    }
    saved = errno;
    close(fd);
    unlink(temporary);
    return error_set(err, STATUS_IO, "%s: cannot write %zu bytes: %s", path, data.size,
                     strerror(saved));
}

enum status file_make_folder(const char *path, struct error *err)
{
    char part[4096];
    size_t size = strlen(path);

    if (!size || size >= sizeof part)
        return error_set(err, STATUS_IO, "\"%s\": expected the name of a folder", path);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i])
            continue;
        part[i] = 0;
        if (mkdir(part, 0755) && errno != EEXIST)
            return error_set(err, STATUS_IO, "%s: cannot make the folder: %s", part,
                             strerror(errno));
        part[i] = i < size ? '/' : 0;
    }
    return STATUS_OK;
}

enum status file_join(const char *folder, const char *name, char *out, size_t cap,
                      struct error *err)
{
    const int size = snprintf(out, cap, "%s/%s", folder, name);

    if (size < 0 || (size_t)size >= cap)
        return error_set(err, STATUS_BAD_DATA, "%s/%s: longer than %zu characters",
                         folder, name, cap);
    return STATUS_OK;
}

bool file_exists(const char *path)
{
    return !access(path, F_OK);
}

enum status random_bytes(void *out, size_t size, struct error *err)
{
    uint8_t *to = out;

    while (size) {
        const ssize_t got = getrandom(to, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, STATUS_IO, "no random bytes from the system: %s",
                             strerror(errno));
        to += got;
        size -= (size_t)got;
    }
    return STATUS_OK;
}
