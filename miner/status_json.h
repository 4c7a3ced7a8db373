/*
 * status_json.h - how things stand, for programs: our own shapes and those of two panels.
 *
 * Rates are hashes a second (1 hash is 1 multiply-accumulate); what is not known is null,
 * never zero, but where a panel's own contract wants a number.  Any thread.  FULL or
 * NO_MEMORY: nothing useful was written.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_JSON_H
#define MINERVA_MINER_STATUS_JSON_H

#include "miner/standing.h"

MUST_CHECK enum status status_json_summary(const struct standing *standing,
                                           struct blob *out);
MUST_CHECK enum status status_json_pools(const struct standing *standing,
                                         struct blob *out);
MUST_CHECK enum status status_json_devices(const struct standing *standing,
                                           struct blob *out);
MUST_CHECK enum status status_json_tasks(const struct standing *standing,
                                         struct blob *out);
/* {"status": "ok"}, or why not. */
MUST_CHECK enum status status_json_health(const struct standing *standing,
                                          struct blob *out);
/* "ok", "paused", "no pool" or "no device". */
const char *status_json_condition(const struct standing *standing);
/* The statistics of HiveOS' and mmpOS' agents. */
MUST_CHECK enum status status_json_hive(const struct standing *standing,
                                        struct blob *out);
MUST_CHECK enum status status_json_mmpos(const struct standing *standing,
                                         struct blob *out);
/* {"error": sentence} */
MUST_CHECK enum status status_json_error(const char *sentence, struct blob *out);

#endif
