/*
 * in_turn.h - two launches of a device that makes nothing of their being two.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_IN_TURN_H
#define MINERVA_BACKENDS_IN_TURN_H

#include "backends/backend.h"

/* The slot launch_then of struct backend, by its slot launch. */
MUST_CHECK enum status in_turn_launch(struct device *device, const struct launch *first,
                                      const struct launch *second);

#endif
