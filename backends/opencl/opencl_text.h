/*
 * opencl_text.h - everything this backend compiles, embedded as lines of text.
 *
 * In the order in which they are compiled: headers of kernels/, the texts of kernels.def
 * as plain functions, one entry for each (opencl_entries.cl), then the products.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_TEXT_H
#define MINERVA_BACKENDS_OPENCL_TEXT_H

#include <stddef.h>

struct opencl_text {
    const char *name; /* of its file, from the root */
    const char *const *lines;
    size_t count;
};

extern const struct opencl_text opencl_texts[];
extern const size_t opencl_text_count;

#endif
