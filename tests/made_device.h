/*
 * made_device.h - a device opened by its backend's name, and memory on it, for tests that
 * end where there is none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_MADE_DEVICE_H
#define MINERVA_TESTS_MADE_DEVICE_H

#include "backends/device.h"

/* The first one; the row of products to use, or NULL. */
struct device *made_device(const char *backend, const char *variant);
/* data NULL: nothing is in it yet. */
struct buffer *made_buffer(struct device *device, const void *data, size_t size);

#endif
