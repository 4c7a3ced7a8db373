/*
 * opencl_api.h - the functions of OpenCL, out of whatever loader this machine has when
 * the program runs.
 *
 * The library stays loaded until the program ends: drivers do not survive less.  Each
 * device and each probe has a copy of the pointers.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_API_H
#define MINERVA_BACKENDS_OPENCL_API_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "miner/base/error.h"

struct opencl_api {
#define OPENCL_FUNCTION(name) __typeof__(name) *name;
#include "backends/opencl/opencl_functions.def"
#undef OPENCL_FUNCTION
};

/* libOpenCL.so.1, or what MINERVA_OPENCL names.  ABSENT with a sentence and the next
 * step. */
MUST_CHECK enum status opencl_api_load(struct opencl_api *out, struct error *err);

/* What a device's answer means to a caller: OK, NO_MEMORY or DEVICE_LOST. */
enum status opencl_status(cl_int code);

#endif
