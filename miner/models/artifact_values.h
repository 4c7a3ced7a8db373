/*
 * artifact_values.h - the limits that numbers in an artifact keep (numerics.md 1.2).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_ARTIFACT_VALUES_H
#define MINERVA_MODELS_ARTIFACT_VALUES_H

#include "miner/models/artifact.h"

/* values: some whole elements of tensor, of which the first is number `first`.  Floats
 * are finite; scales (`.s`) are 0 or 2^-40 to 2^20; norm weights (`norm.w`) are 0 or,
 * with either sign, 2^-126 to 2^20; int8 lies in [-64, 64]. */
MUST_CHECK enum status artifact_values_check(const struct tensor *tensor,
                                             struct bytes values, uint64_t first,
                                             struct error *err);

#endif
