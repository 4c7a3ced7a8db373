/*
 * made_device.c - opens it, fills it, or fails the test.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/made_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct device *made_device(const char *backend, const char *variant)
{
    const struct device_options options = {.variant = variant};
    struct error err = {0};
    struct device *device;

    if (device_open(backend_find(backend), 0, &options, &device, &err))
        fail_msg("%s", error_text(&err));
    return device;
}

struct buffer *made_buffer(struct device *device, const void *data, size_t size)
{
    struct buffer *buffer;

    assert_int_equal(device_buffer_new(device, size, &buffer), STATUS_OK);
    if (data)
        assert_int_equal(device_write(device, buffer, 0, data, size), STATUS_OK);
    return buffer;
}
