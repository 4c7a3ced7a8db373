/*
 * cuda_driver.h - the CUDA driver, opened at run time: our own declarations of the
 * functions of cuda_driver.def, so that no toolkit is needed to build.
 *
 * Handles are the driver's own, of types that do not mix; addresses on the device are
 * 64-bit numbers.  A struct cuda_driver may be copied; close what was opened once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_DRIVER_H
#define MINERVA_BACKENDS_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

struct cuda_context;
struct cuda_stream;
struct cuda_event;
struct cuda_module;
struct cuda_function;

/* Numbers of the driver's interface; they do not change. */
enum {
    CUDA_OK = 0,
    CUDA_NO_MEMORY = 2,
    CUDA_NO_DEVICE = 100,
    CUDA_NO_BINARY = 209,
    CUDA_NOT_FOUND = 500,

    CUDA_ATTRIBUTE_PROCESSORS = 16,
    CUDA_ATTRIBUTE_INTEGRATED = 18,
    CUDA_ATTRIBUTE_CACHE = 38, /* bytes of the second one */
    CUDA_ATTRIBUTE_MAJOR = 75,
    CUDA_ATTRIBUTE_MINOR = 76,
    CUDA_ATTRIBUTE_SHARED_MAX = 97, /* a block may opt in to so much */
    CUDA_FUNCTION_SHARED_MAX = 8,
    CUDA_FUNCTION_SHARED_SHARE = 9, /* percent of the first cache, a wish */

    CUDA_CONTEXT_BLOCKS = 4, /* a waiting thread sleeps */
    CUDA_STREAM_APART = 1,   /* does not wait for the default stream */
    CUDA_EVENT_PLAIN = 3,    /* a waiting thread sleeps; no timing */

    CUDA_LAUNCH_CLUSTER = 4,

    CUDA_TENSOR_U8 = 0,
    CUDA_TENSOR_SWIZZLE_128 = 3,
    CUDA_TENSOR_PROMOTE_256 = 3,
};

/* CUlaunchConfig with at most one attribute: the cluster's size. */
struct cuda_launch_attribute {
    int id;
    char pad[4];
    union {
        char size[64];
        unsigned cluster[3];
    } value;
};
struct cuda_launch_config {
    unsigned grid[3], block[3];
    unsigned shared;
    struct cuda_stream *stream;
    struct cuda_launch_attribute *attributes;
    unsigned attribute_count;
};
_Static_assert(sizeof(struct cuda_launch_attribute) == 72, "the driver's own layout");
_Static_assert(sizeof(struct cuda_launch_config) == 56, "the driver's own layout");

/* CUtensorMap: opaque; 64 bytes of alignment were enough before CUDA 13. */
struct cuda_tensor_map {
    _Alignas(128) uint64_t words[16];
};

struct cuda_driver {
    void *library;
#define CUDA_CALL(slot, symbol, need, parameters) int(*slot) parameters;
#include "backends/cuda/cuda_driver.def"
#undef CUDA_CALL
};

/* Opens libcuda.so.1 and initialises it.  NO_DEVICE, with the reason and the next step in
 * a sentence of at most 159 characters: no library, a function missing, no device. */
MUST_CHECK enum status cuda_driver_open(struct cuda_driver *out, struct error *err);
void cuda_driver_close(struct cuda_driver *driver); /* one that is not open is fine */
/* "a kernel failed (CUDA_ERROR_LAUNCH_FAILED)", into out, and out. */
const char *cuda_driver_text(const struct cuda_driver *driver, int code, char *out,
                             size_t cap);

#endif
