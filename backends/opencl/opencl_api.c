/*
 * opencl_api.c - opens the OpenCL loader.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define OPENCL_FUNCTION(name) {#name, offsetof(struct opencl_api, name)},
#include "backends/opencl/opencl_functions.def"
#undef OPENCL_FUNCTION
};

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym gives functions too");

enum status opencl_api_load(struct opencl_api *out, struct error *err)
{
    const char *given = getenv("MINERVA_OPENCL");
    const char *name = given && *given ? given : "libOpenCL.so.1";
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return error_set(err, STATUS_ABSENT,
                         "%.60s cannot be opened: install an OpenCL loader (Debian: "
                         "ocl-icd-libopencl1) and the driver",
                         name);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(library, functions[i].name);

        if (!function)
            return error_set(err, STATUS_ABSENT,
                             "%.60s lacks %s: it is older than OpenCL 1.2", name,
                             functions[i].name);
        memcpy((char *)out + functions[i].offset, &function, sizeof function);
    }
    return STATUS_OK;
}

enum status opencl_status(cl_int code)
{
    switch (code) {
    case CL_SUCCESS:
        return STATUS_OK;
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE:
    case CL_OUT_OF_RESOURCES:
    case CL_OUT_OF_HOST_MEMORY:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_DEVICE_LOST;
    }
}
