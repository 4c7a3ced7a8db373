/*
 * way_untried.h - the sentence about ways on trial that nobody tried here yet.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WAY_UNTRIED_H
#define MINERVA_MINER_WAY_UNTRIED_H

#include <stdbool.h>

#include "backends/device_info.h"

enum { WAY_UNTRIED_SIZE = WAYS_MAX * (WAY_NAME_SIZE + 2) + 80 };

/* Of an open device; false: there is nothing to say. */
bool way_untried_text(const struct device_info *info, char text[WAY_UNTRIED_SIZE]);

#endif
