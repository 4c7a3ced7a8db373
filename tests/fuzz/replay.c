/*
 * replay.c - runs a fuzz target over every file of a folder, so that a corpus is an
 * ordinary test.
 *
 * An empty folder is a failure: a corpus that vanished must not look like a pass.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "miner/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    char path[4096];
    struct error err = {0};
    struct blob blob = blob_empty((size_t)64 << 20);

    if (file_join(folder, name, path, sizeof path, &err) ||
        file_read(path, &blob, &err)) {
        fprintf(stderr, "%s\n", error_text(&err));
        return 1;
    }
    LLVMFuzzerTestOneInput(blob.data ? blob.data : (const uint8_t *)"", blob.size);
    blob_free(&blob);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int files = 0, bad = 0;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER (a corpus that can be read)\n", argv[0]);
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        bad += replay_file(argv[1], entry->d_name);
        files++;
    }
    closedir(folder);
    printf("%d inputs replayed\n", files);
    return bad || !files;
}
