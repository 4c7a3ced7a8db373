/*
 * device_trial.c - opens a device for a moment and lets it show that it can work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/device_trial.h"

#include <assert.h>

#include "backends/device.h"
#include "miner/base/clock.h"
#include "miner/selftest.h"

void device_trial_run(struct device_entry *entry, const char *kernel_cache,
                      struct device_trial *out)
{
    const struct device_options options = {.kernel_cache = kernel_cache};
    struct device *device = NULL;

    assert(!entry->info.reason[0]);
    *out = (struct device_trial){.is_run = true};
    enum status status =
        device_open(entry->backend, entry->index, &options, &device, &out->err);
    if (status) {
        error_prefix(&out->err, "cannot be opened");
        return;
    }
    const uint64_t begin_ms = clock_ms();
    status = selftest_short(device, &out->err);
    out->seconds = (double)(clock_ms() - begin_ms) / 1000;
    entry->info = *device_info(device);
    device_close(device);
    if (status)
        error_prefix(&out->err, "failed its self-test");
    out->is_passed = !status;
}
