/*
 * hits.h - winning tiles in ascending order, by row, then by column: devices find them in
 * any.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_HITS_H
#define MINERVA_BACKENDS_HITS_H

#include "backends/backend.h"

void hits_sort(struct hit *hits, uint32_t count);

#endif
