/*
 * dry_run.h - `minerva mine --dry-run`: what would work, without working.
 *
 * Every pool is tried at once, whatever its role: connected to, logged in to, and heard
 * until its first job; nothing is taken and nothing sent.  The table goes to the standard
 * output.  Main thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_DRY_RUN_H
#define MINERVA_MINER_DRY_RUN_H

#include "miner/config.h"
#include "miner/device_list.h"
#include "pool-protocol/wire_log.h"

/* OK where every pool gives work.  Otherwise why the first that does not gives none:
 * REFUSED, NOT_SUPPORTED (it wants a newer program), or NETWORK.  wire may be NULL. */
MUST_CHECK enum status dry_run(const struct config *config,
                               const struct device_list *devices, struct wire_log *wire,
                               struct error *err);

#endif
