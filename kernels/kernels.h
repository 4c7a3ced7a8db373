/*
 * kernels.h - the kernels by name, and what a launch of one needs.
 *
 * enum kernel is made of kernels.def; kernels_c.h has the C prototypes of the text
 * compiled as C.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_KERNELS_H
#define MINERVA_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { KERNEL_VIEWS_MAX = 9, KERNEL_SCALARS_MAX = 6 };

enum kernel {
#define KERNEL(name, folder, file, views, scalars) KERNEL_##name,
#include "kernels/kernels.def"
#undef KERNEL
    KERNEL_COUNT
};

union scalar {
    uint32_t u32;
    int32_t i32;
    float f32;
    uint64_t u64;
};

/* The text compiled as C: views are host pointers, scalars in the order of kernels.def.
 */
typedef void kernel_function(uint64_t first, uint64_t last, void *const *views,
                             const union scalar *scalars);

struct kernel_info {
    const char *name;
    uint32_t views, scalars; /* how many it takes */
    kernel_function *run;    /* the definition */
};
extern const struct kernel_info kernel_table[KERNEL_COUNT];

#endif
