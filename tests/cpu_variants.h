/*
 * cpu_variants.h - kernels on every variant of the cpu backend beside the text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_CPU_VARIANTS_H
#define MINERVA_TESTS_CPU_VARIANTS_H

#include "backends/device.h"

enum { CPU_VARIANTS = 3 };

struct cpu_variants {
    uint32_t views;
    size_t sizes[KERNEL_VIEWS_MAX];
    void *host[KERNEL_VIEWS_MAX]; /* filled by the test, in the order of kernels.def */
    struct device *devices[CPU_VARIANTS]; /* NULL: this processor lacks it */
    struct buffer *buffers[CPU_VARIANTS][KERNEL_VIEWS_MAX];
    void *found;
};

/* So many views, of these sizes in bytes. */
void cpu_variants_open(struct cpu_variants *all, const size_t *sizes, uint32_t views);
void cpu_variants_close(struct cpu_variants *all);
/* Launches on each and fails the test where the kernel's last view, the output, is not
 * the text's. */
void cpu_variants_check(const struct cpu_variants *all, struct launch launch);

#endif
