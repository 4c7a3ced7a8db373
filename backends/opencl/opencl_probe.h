/*
 * opencl_probe.h - which OpenCL devices there are, and what each says of itself.
 *
 * A place that could hold devices and holds none (no loader, no platform, a platform
 * without devices) is an entry too: one without a device and with the reason.  Any
 * thread; entries stay valid while the program runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_PROBE_H
#define MINERVA_BACKENDS_OPENCL_PROBE_H

#include "backends/device_info.h"
#include "backends/opencl/opencl_api.h"

enum { OPENCL_ENTRIES_MAX = 64 };

struct opencl_entry {
    cl_platform_id platform;
    cl_device_id device; /* NULL: none */
    struct device_info info;
};

struct opencl_entries {
    struct opencl_api api; /* not loaded where the only entry says so */
    size_t count;
    struct opencl_entry list[OPENCL_ENTRIES_MAX];
};

void opencl_probe_all(struct opencl_entries *out);

/* A number the device tells of itself; 0 when it does not. */
uint64_t opencl_device_number(const struct opencl_api *api, cl_device_id device,
                              cl_device_info what);
/* A text, cut to cap; "" when it has none. */
void opencl_device_text(const struct opencl_api *api, cl_device_id device,
                        cl_device_info what, char *out, size_t cap);
bool opencl_device_has(const struct opencl_api *api, cl_device_id device,
                       const char *extension);

#endif
