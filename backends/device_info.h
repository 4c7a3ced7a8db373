/*
 * device_info.h - what a backend says of a device before anybody opens it, and again,
 * complete, once it is open.
 *
 * Plain data.  What a backend does not know stays zero or "".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_DEVICE_INFO_H
#define MINERVA_BACKENDS_DEVICE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/ways.h"

enum { DEVICE_TEXT_MAX = 96 };

enum device_vendor { VENDOR_OTHER, VENDOR_NVIDIA, VENDOR_AMD, VENDOR_INTEL };

struct device_info {
    char name[DEVICE_TEXT_MAX];   /* "AMD EPYC", "NVIDIA H100" */
    char detail[DEVICE_TEXT_MAX]; /* driver, or the instruction set chosen */
    /* PCI address: domain (left out when 0), bus, device, function in lower-case hex:
     * "01:00.0", "10000:01:00.0"; "-": it has none. */
    char bus[16];
    char driver[48];     /* "580.65.06", "OpenCL 3.0 PoCL 3.1" */
    char capability[16]; /* CUDA: "9.0" */
    char variant[48]; /* of the kernels: "sm_90a", "avx512", "khr-dot barrier"; chosen at
                         the latest when it was opened */
    enum device_vendor vendor;
    bool is_gpu;        /* OpenCL devices of type CPU or accelerator are none */
    bool is_integrated; /* a GPU that lives in the processor's memory */
    uint64_t memory_bytes;
    uint64_t memory_free_bytes; /* when it was opened; 0: it does not say */
    uint64_t piece_bytes;       /* of memory at most in one piece; 0: no such limit */
    uint32_t threads;           /* processors, or compute units */
    uint32_t products_ahead;    /* how many may still run when multiply() returns */
    struct ways ways;           /* on trial here; known when it was opened */
    char reason[160];           /* "" when usable; otherwise why not and the next step */
};

#endif
