/*
 * kernel_ranges.h - hashes, tickets and noise launched on ranges of any length and place,
 * for kernels that a device has its own form of.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_KERNEL_RANGES_H
#define MINERVA_TESTS_KERNEL_RANGES_H

#include "backends/device.h"

/* Every launch gives the bytes of the text and touches nothing else. */
void kernel_ranges_check(struct device *device);

#endif
