/*
 * devices_json.h - what `minerva devices --json` prints.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_DEVICES_JSON_H
#define MINERVA_MINER_DEVICES_JSON_H

#include "miner/base/bytes.h"
#include "miner/device_trial.h"

/* The devices of the list with their trials, in the same order, and the backends that are
 * not in this build, as one object and a line end, appended to out. */
MUST_CHECK enum status devices_json(const struct device_list *list,
                                    const struct device_trial *trials, struct blob *out);

#endif
