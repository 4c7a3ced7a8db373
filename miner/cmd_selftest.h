/*
 * cmd_selftest.h - the part of `minerva selftest` that has a file of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_CMD_SELFTEST_H
#define MINERVA_MINER_CMD_SELFTEST_H

#include <stdint.h>

#include "miner/device_list.h"

struct trial_options {
    const char *way; /* NULL: all */
    uint32_t limit_s;
    const char *kernel_cache; /* where it is kept, as in struct device_options */
};

/* Tries what is on trial on these devices, a line each, and keeps what was seen; the exit
 * code. */
int cmd_selftest_trial(const struct device_list *list,
                       const struct trial_options *options);

#endif
