/*
 * opencl_call.h - one kernel over a range: its arguments, then slices of a few
 * milliseconds each, by what its units took before.
 *
 * A launch that should fit one slice is queued and not waited for; its time is read when
 * it is over.  Longer ones are waited for slice by slice, so that a device that also
 * draws a desktop stays responsive and a product can be left off.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_CALL_H
#define MINERVA_BACKENDS_OPENCL_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"
#include "backends/opencl/opencl_api.h"

struct opencl_kernel {
    cl_kernel kernel;
    double ns;           /* of one unit's work, as measured; 0: not yet */
    uint64_t units_most; /* of a slice that was measured */
};

enum { OPENCL_PENDING_MAX = 16 };

struct opencl_launched {
    cl_event event;
    struct opencl_kernel *kernel;
    uint64_t units, work;
};

struct opencl_pending {
    size_t count;
    struct opencl_launched list[OPENCL_PENDING_MAX]; /* oldest first */
};

struct opencl_call {
    struct device *device;
    struct opencl_kernel *kernel;
    cl_uint next;   /* argument */
    cl_int code;    /* of the first that failed */
    uint32_t items; /* of a work group that is one unit; 0: work items share the range */
    uint64_t work;  /* of a unit, to compare calls by; 0: 1 */
    const struct mining *mining; /* NULL, or when to leave off */
};

/* The arguments after the range, in order. */
struct opencl_call opencl_call_begin(struct device *device, struct opencl_kernel *kernel);
void opencl_call_memory(struct opencl_call *call, cl_mem memory);
void opencl_call_view(struct opencl_call *call, struct view view);
void opencl_call_value(struct opencl_call *call, const void *value, size_t size);
/* STALE: left off in the middle. */
MUST_CHECK enum status opencl_call_run(struct opencl_call *call, uint64_t first,
                                       uint64_t last);
/* Every launch so far is over, and well. */
MUST_CHECK enum status opencl_call_settle(struct device *device);
/* All that was queued is done. */
MUST_CHECK enum status opencl_call_finish(struct device *device);
void opencl_pending_free(struct device *device);
/* Whether nobody waits for the rest of it. */
bool opencl_is_over(const struct mining *mining);

#endif
