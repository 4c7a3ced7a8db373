/*
 * status_desk.h - the main thread's side of the status server: keeps the standing new and
 * takes orders.
 *
 * Main thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_DESK_H
#define MINERVA_MINER_STATUS_DESK_H

#include "miner/config.h"
#include "miner/run.h"
#include "miner/status_server.h"

struct status_desk;
/* Listens as the settings say and says where; with api-port 0 it only keeps silent.  A
 * port that cannot be had is warned of: work goes on.  BAD_CONFIG for an address that is
 * none.  config is lent. */
MUST_CHECK enum status status_desk_open(const struct config *config,
                                        struct status_desk **out, struct error *err);
void status_desk_close(struct status_desk *desk); /* NULL is fine */
/* Makes a new standing when the last one is old. */
void status_desk_update(struct status_desk *desk, struct run *run, uint64_t now_ms);
/* The next order; false: none came. */
bool status_desk_order(struct status_desk *desk, enum status_order *out);

#endif
