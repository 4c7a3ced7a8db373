/*
 * in_turn.c - one launch after the other, which is what launch_then means.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/in_turn.h"

#include "backends/device.h"

enum status in_turn_launch(struct device *device, const struct launch *first,
                           const struct launch *second)
{
    const struct backend *backend = ((const struct device_head *)device)->backend;
    const enum status status = backend->launch(device, first);

    return status ? status : backend->launch(device, second);
}
