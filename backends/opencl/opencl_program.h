/*
 * opencl_program.h - the text compiled for one device, or read from the cache.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_PROGRAM_H
#define MINERVA_BACKENDS_OPENCL_PROGRAM_H

#include "backends/opencl/opencl_device.h"

struct opencl_build {
    cl_platform_id platform;
    const char *folder; /* of the cache; NULL: nothing is kept */
};

/* device->program, by its row and barrier.  When the compiler refuses the text, its whole
 * log goes to a file and the sentence holds its first error and the file's name. */
MUST_CHECK enum status opencl_program_make(struct device *device,
                                           const struct opencl_build *build,
                                           struct error *err);
void opencl_program_free(struct device *device);

#endif
