/*
 * kernel_table.c - every row of kernels.def as something that can be called by number.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/kernels_c.h"

#include "kernels/kernel_thunks.h"

#define VIEWS1(...)   1
#define VIEWS2(...)   2
#define VIEWS3(...)   3
#define VIEWS4(...)   4
#define VIEWS5(...)   5
#define VIEWS6(...)   6
#define VIEWS9(...)   9
#define SCALARS0()    0
#define SCALARS1(...) 1
#define SCALARS2(...) 2
#define SCALARS3(...) 3
#define SCALARS4(...) 4
#define SCALARS5(...) 5
#define SCALARS6(...) 6
#define KERNEL(name, folder, file, views, scalars)                                       \
    [KERNEL_##name] = {#name, views, scalars, run_##name},
const struct kernel_info kernel_table[KERNEL_COUNT] = {
#include "kernels/kernels.def"
};
