/*
 * registry.c - every backend this program knows, built in or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "backends/backend.h"

const struct backend *const backend_table[] = {
#define BACKEND(folder) &backend_##folder,
#include "backends/backends.def"
#undef BACKEND
};

const size_t backend_count = sizeof backend_table / sizeof backend_table[0];

const struct backend *backend_find(const char *name)
{
    for (size_t i = 0; i < backend_count; i++)
        if (strcmp(backend_table[i]->name, name) == 0)
            return backend_table[i];
    return NULL;
}
