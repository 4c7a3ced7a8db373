/*
 * executed.h - a product's operands in the executor's memory (tests/executor), and CUDA
 * kernels launched on them, as their row of cuda_matmul.def says.
 *
 * Fails the test at the first fault.  For tests of tests/cuda: they hold the kernels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTED_H
#define MINERVA_TESTS_EXECUTED_H

#include "backends/cuda/cuda_matmul.h"
#include "tests/product_case.h"

enum { EXECUTED_MEMORIES_MAX = 20 };

/* One shape on the device. */
struct executed {
    const struct product_case *shape;
    const struct product_plain *plain;
    struct cuda_product product;
    int32_t *c;
    uint32_t mode; /* of the executor */
    void *memories[EXECUTED_MEMORIES_MAX];
    uint32_t count;
};

/* The card that the row is tried on. */
const struct cuda_traits *executed_traits(const struct cuda_matmul *row);
void executed_open(struct executed *run, const struct product_case *shape,
                   const struct product_plain *plain);
void executed_close(struct executed *run);
/* Of the executor; freed by close. */
void *executed_memory(struct executed *run, size_t size);
/* A text's arguments as its CUDA entry takes them: pointers to range, views and scalars;
 * so many. */
size_t executed_arguments(struct launch *launch, void **views, void **out);
/* What the row has made ready before a useful product, in the product's scratch. */
void executed_prepare(struct executed *run, const struct cuda_matmul *row);
/* That kernel, in the row's grid; in two ranges, where there are two parts. */
void executed_multiply(struct executed *run, const struct cuda_matmul *row,
                       enum cuda_mode mode, const char *entry);
/* Exactly the tickets of the text. */
void executed_check_hits(const struct executed *run);
/* The row's own product of that mode, all that it gives compared with the text. */
void executed_row(struct executed *run, const struct cuda_matmul *row,
                  enum cuda_mode mode);

#endif
