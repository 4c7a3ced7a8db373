/*
 * opencl_shim_open.h - the stand-in for libOpenCL as this process's loader, and a usable
 * device behind it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_STAND_IN_OPENCL_SHIM_OPEN_H
#define MINERVA_TESTS_STAND_IN_OPENCL_SHIM_OPEN_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "tests/stand_in/opencl_shim.h"

enum { OPENCL_SHIM_LIST_MAX = 64, OPENCL_SHIM_PATH_SIZE = 400 };

struct opencl_shim_opened {
    struct opencl_shim *shim;
    char library[OPENCL_SHIM_PATH_SIZE];
    uint32_t index; /* of the device */
};

static inline bool opencl_shim_device(uint32_t *index)
{
    struct device_info list[OPENCL_SHIM_LIST_MAX];
    size_t count = 0;

    if (backend_opencl.absent || backend_opencl.probe(list, OPENCL_SHIM_LIST_MAX, &count))
        return false;
    for (*index = 0; *index < count; ++*index)
        if (!list[*index].reason[0])
            return true;
    return false;
}

/* Ends the program as skipped where there is no device, as failed where
 * MINERVA_TEST_OPENCL says that there must be one, or the stand-in is missing. */
static inline void opencl_shim_open(struct opencl_shim_opened *out)
{
    const char *build = getenv("BUILD"), *needed = getenv("MINERVA_TEST_OPENCL");
    opencl_shim_find *find;
    void *library, *symbol;

    if (!opencl_shim_device(&out->index)) {
        puts("no usable OpenCL device");
        exit(needed && *needed ? 1 : 77);
    }
    snprintf(out->library, sizeof out->library, "%s/stand-in/libopencl_shim.so",
             build ? build : "build");
    library = dlopen(out->library, RTLD_NOW);
    symbol = library ? dlsym(library, "opencl_shim") : NULL;
    if (!symbol) {
        printf("%s is not there\n", out->library);
        exit(1);
    }
    memcpy(&find, &symbol, sizeof find);
    out->shim = find();
    setenv("MINERVA_OPENCL", out->library, 1);
}

#endif
