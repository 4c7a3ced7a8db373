/*
 * kernel_thunks.h - for every row of kernels.def a static run_<name>() that unpacks views
 * and scalars into the arguments of kernel_<name>, with the types of the row.
 *
 * The kernels themselves are declared or defined by whoever includes this.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_KERNEL_THUNKS_H
#define MINERVA_KERNELS_KERNEL_THUNKS_H

#include "kernels/kernels.h"

#define VIEW(type, index)        (type *)views[index]
#define VIEWS1(a)                VIEW(a, 0)
#define VIEWS2(a, b)             VIEWS1(a), VIEW(b, 1)
#define VIEWS3(a, b, c)          VIEWS2(a, b), VIEW(c, 2)
#define VIEWS4(a, b, c, d)       VIEWS3(a, b, c), VIEW(d, 3)
#define VIEWS5(a, b, c, d, e)    VIEWS4(a, b, c, d), VIEW(e, 4)
#define VIEWS6(a, b, c, d, e, f) VIEWS5(a, b, c, d, e), VIEW(f, 5)
#define VIEWS9(a, b, c, d, e, f, g, h, i)                                                \
    VIEWS6(a, b, c, d, e, f), VIEW(g, 6), VIEW(h, 7), VIEW(i, 8)
#define SCALARS0()
#define SCALARS1(a)                , scalars[0].a
#define SCALARS2(a, b)             SCALARS1(a), scalars[1].b
#define SCALARS3(a, b, c)          SCALARS2(a, b), scalars[2].c
#define SCALARS4(a, b, c, d)       SCALARS3(a, b, c), scalars[3].d
#define SCALARS5(a, b, c, d, e)    SCALARS4(a, b, c, d), scalars[4].e
#define SCALARS6(a, b, c, d, e, f) SCALARS5(a, b, c, d, e), scalars[5].f
#define KERNEL(name, folder, file, view_list, scalar_list)                               \
    static __attribute__((unused)) void run_##name(                                      \
        uint64_t first, uint64_t last, void *const *views, const union scalar *scalars)  \
    {                                                                                    \
        (void)scalars;                                                                   \
        kernel_##name(first, last, view_list scalar_list);                               \
    }
#include "kernels/kernels.def"
#undef KERNEL
#undef VIEWS1
#undef VIEWS2
#undef VIEWS3
#undef VIEWS4
#undef VIEWS5
#undef VIEWS6
#undef VIEWS9
#undef SCALARS0
#undef SCALARS1
#undef SCALARS2
#undef SCALARS3
#undef SCALARS4
#undef SCALARS5
#undef SCALARS6

#endif
