/*
 * kernels_c.h - the kernels as C functions: prototypes made of kernels.def.
 *
 * Views are host pointers; a range may be split over threads in any way.  Any thread;
 * kernels keep no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_KERNELS_C_H
#define MINERVA_KERNELS_KERNELS_C_H

#include "kernels/vocabulary.h"

/* Scalar cores by the number that kernel_scalar_core takes. */
enum scalar_core {
    CORE_RCP,
    CORE_RSQRT,
    CORE_EXP2,
    CORE_EXPW,
    CORE_SIGMOID,
    CORE_SILU,
    CORE_TANH,
    CORE_GELU,
    CORE_GELU_TANH,
    CORE_SIN_Q30,
    CORE_COS_Q30,
    CORE_COUNT
};

#define VIEWS1(a)                         a *
#define VIEWS2(a, b)                      VIEWS1(a), b *
#define VIEWS3(a, b, c)                   VIEWS2(a, b), c *
#define VIEWS4(a, b, c, d)                VIEWS3(a, b, c), d *
#define VIEWS5(a, b, c, d, e)             VIEWS4(a, b, c, d), e *
#define VIEWS6(a, b, c, d, e, f)          VIEWS5(a, b, c, d, e), f *
#define VIEWS9(a, b, c, d, e, f, g, h, i) VIEWS6(a, b, c, d, e, f), g *, h *, i *
#define SCALARS0()
#define SCALARS1(a)                , a
#define SCALARS2(a, b)             , a, b
#define SCALARS3(a, b, c)          , a, b, c
#define SCALARS4(a, b, c, d)       , a, b, c, d
#define SCALARS5(a, b, c, d, e)    , a, b, c, d, e
#define SCALARS6(a, b, c, d, e, f) , a, b, c, d, e, f
#define KERNEL(name, folder, file, views, scalars)                                       \
    void kernel_##name(u64 first, u64 last, views scalars);
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
