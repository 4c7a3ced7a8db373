/*
 * opencl_shim.h - how a test tells the stand-in for libOpenCL what to do.
 *
 * The stand-in passes everything on to the real loader but for what is asked here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_STAND_IN_OPENCL_SHIM_H
#define MINERVA_TESTS_STAND_IN_OPENCL_SHIM_H

#include <stdbool.h>
#include <stdint.h>

struct opencl_shim {
    bool has_no_platform, has_no_device, has_no_compiler, is_gone;
    bool refuses_binaries;
    const char *version, *profile; /* of every device; NULL: its own */
    uint32_t pci[4];               /* domain, bus, device, function; all 0: none */
    uint64_t piece_max;            /* the largest allocation; 0: its own */
    const char *line, *instead;    /* a line of program text, and what is compiled */
    uint64_t lose_at;              /* the n-th launch from now fails; 0: none */
    uint64_t items;                /* of a group, where a kernel takes any; 0: as asked */
    uint64_t lanes;                /* of a launch of those at most; 0: as asked */
    uint64_t slow;                 /* launches say that they took so many times as long */
    uint64_t raise_at;             /* at the n-th launch from now ... */
    uint64_t *raised;              /* ... this becomes one more */
    uint64_t one_factor; /* noise names factor 7 first at so many first positions */
    uint64_t limbs;      /* bit i: a product was corrected in i limbs */
    uint64_t sources, binaries, launches; /* how often so far */
};

/* Programs say piece_max, lose_at, items, lanes and slow in OPENCL_SHIM.  Tests find it
 * as `struct opencl_shim *opencl_shim(void)` in the library. */
typedef struct opencl_shim *opencl_shim_find(void);

#endif
