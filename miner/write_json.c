/*
 * write_json.c - a finished object as text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/write_json.h"

static int append(const char *text, size_t size, void *out)
{
    return blob_add(out, text, size) ? -1 : 0;
}

enum status write_json(json_t *object, size_t flags, struct blob *out)
{
    const int failed =
        !object || json_dump_callback(object, append, out, flags) || append("\n", 1, out);

    json_decref(object);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}
