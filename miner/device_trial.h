/*
 * device_trial.h - opens a device for a moment and lets it show that it can work.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_DEVICE_TRIAL_H
#define MINERVA_MINER_DEVICE_TRIAL_H

#include "miner/device_list.h"

struct device_trial {
    bool is_run, is_passed;
    double seconds;   /* of the self-test, without the opening */
    struct error err; /* why it did not pass */
};

/* Runs the short self-test.  The entry's info becomes that of the open device, which
 * knows its free memory and the kernels it chose.  kernel_cache as in device_options. */
void device_trial_run(struct device_entry *entry, const char *kernel_cache,
                      struct device_trial *out);

#endif
