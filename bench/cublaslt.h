/*
 * cublaslt.h - NVIDIA's own int8 product, opened at run time: our own declarations of the
 * few functions that are needed, so that no toolkit is.
 *
 * Only benchmarks know it: nothing that is sent was ever computed here.  Belongs to the
 * device's thread, whose context is current.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_CUBLASLT_H
#define MINERVA_BENCH_CUBLASLT_H

#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

enum { CUBLASLT_WAYS_MAX = 8, CUBLASLT_WORKSPACE = 32 << 20 };

struct cublaslt; /* the library and one shape */

/* c[m][n] = a[m][k] times bt[n][k], bytes to 32 bits, all row major on the device. */
struct cublaslt_product {
    uint32_t m, n, k;
    uint64_t a, bt, c, workspace; /* addresses; CUBLASLT_WORKSPACE bytes of the last */
    void *stream;
};

/* path NULL: the first of libcublasLt.so.13, .12 and .11 that is found.  ABSENT with a
 * sentence where there is none, NOT_SUPPORTED where it has no way to this shape. */
MUST_CHECK enum status cublaslt_open(const char *path,
                                     const struct cublaslt_product *product,
                                     struct cublaslt **out, struct error *err);
void cublaslt_close(struct cublaslt *lt); /* NULL is fine */
/* The ways that the library proposes, best guess first: at most CUBLASLT_WAYS_MAX. */
uint32_t cublaslt_ways(const struct cublaslt *lt);
/* Queues the product by one of them. */
MUST_CHECK enum status cublaslt_run(struct cublaslt *lt, uint32_t way, struct error *err);
/* Of the file: "libcublasLt.so.13". */
const char *cublaslt_name(const struct cublaslt *lt);

#endif
