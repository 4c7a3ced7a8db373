/*
 * opencl_plain.cl - from here on the texts of kernels.def are plain functions: what is
 * launched is in opencl_entries.cl.
 *
 * SPDX-License-Identifier: MIT
 */
#undef KERNEL_FN
#define KERNEL_FN DEVICE_FN
/* Where sums pass by address: called, they would have to leave their registers. */
#define INLINE_FN static inline __attribute__((always_inline))
