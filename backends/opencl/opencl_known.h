/*
 * opencl_known.h - what a device must reproduce before it is used at all: the scalar
 * cores, and one product with its tickets and its clean result (numerics.md 1.9).
 *
 * The program's own self-test, which every device passes as well, is larger; this one is
 * here because it decides how the kernels are compiled.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_KNOWN_H
#define MINERVA_BACKENDS_OPENCL_KNOWN_H

#include "backends/device.h"

/* MISMATCH with a sentence when one of them is not what it must be.  Any device of
 * whatever backend can be asked. */
MUST_CHECK enum status opencl_known_cores_check(struct device *device, struct error *err);
MUST_CHECK enum status opencl_known_product_check(struct device *device,
                                                  struct error *err);

#endif
