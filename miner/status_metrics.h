/*
 * status_metrics.h - how things stand, as Prometheus reads it: base units, labels, prefix
 * minerva_.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_METRICS_H
#define MINERVA_MINER_STATUS_METRICS_H

#include "miner/standing.h"

/* Text exposition format 0.0.4.  What is not known is left out. */
MUST_CHECK enum status status_metrics(const struct standing *standing, struct blob *out);

#endif
