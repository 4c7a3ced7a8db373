/*
 * run.h - builds every object of the ring, connects them, and stops them in reverse.
 *
 *     pool -> jobs, assignments -> workers -> findings -> prover -> outbox -> pool ->
 * news
 *
 * Main thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_RUN_H
#define MINERVA_MINER_RUN_H

#include "miner/config.h"
#include "miner/report.h"
#include "pool-protocol/wire_log.h"

struct run;

/* Builds the objects, starts a worker on every device and waits for their self-tests.
 * Devices that fail are said and left out.  NO_DEVICE or MISMATCH when none is left.
 * config and devices are lent. */
MUST_CHECK enum status run_open(const struct config *config,
                                const struct device_list *devices, struct run **out,
                                struct error *err);
/* Logs in to the pools and lets the workers begin. wire is lent for the run's life, or
 * NULL. */
MUST_CHECK enum status run_begin(struct run *run, struct wire_log *wire,
                                 struct error *err);
/* Waits up to wait_ms for one piece of news and reports it. */
void run_pump(struct run *run, uint64_t wait_ms);
/* OK while a worker lives; else why the last one ended. */
MUST_CHECK enum status run_check(struct run *run);
/* When an assigned task was last worked on, clock_ms(): now, while one is. */
uint64_t run_busy_ms(const struct run *run);
struct report *run_report(struct run *run);
/* While paused, devices finish the task they have and begin nothing. */
void run_pause(struct run *run, bool is_paused);
bool run_is_paused(const struct run *run);
void run_next_pool(struct run *run);       /* goes on with the next pool of the list */
uint32_t run_tasks(const struct run *run); /* that devices have now */
/* Finishes what takes no longer than wait_ms, hands back the rest, sends what is left and
 * says the rest of the news.  A product that runs is not interrupted. */
void run_stop(struct run *run, uint64_t wait_ms);
void run_close(struct run *run); /* NULL is fine */

#endif
