/*
 * report.h - makes ledger entries and log lines of the pool's news and of the totals.
 *
 * Numbers of shares always stand in one order: accepted, stale, rejected.  Main thread
 * only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_REPORT_H
#define MINERVA_MINER_REPORT_H

#include "miner/device_list.h"
#include "miner/ledger.h"
#include "miner/pool_ledger.h"
#include "miner/sensors.h"
#include "pool-protocol/pool.h"

struct report {
    struct ledger *ledger;
    const struct device_list *devices; /* in the ledger's order */
    struct pool_ledger *pools;
    struct sensors *sensors;        /* or NULL */
    uint32_t sides, hopeless_sides; /* lists of pools, and those without hope */
    uint64_t results;               /* finished tasks that the pool took */
    uint64_t unknown;               /* shares whose answer was lost */
    uint64_t lost;                  /* shares that were never sent */
    uint64_t jobs;
    enum status hopeless; /* why no pool can be worked for; OK: that is not so */
    bool has_expected;
};

/* Takes news. */
void report_news(struct report *report, struct news *news);
/* The line about speed; `now_ms` as the ledger's. */
void report_speed(struct report *report, uint64_t now_ms);
/* Once a rate and a job are known: how often a share should come. */
void report_expect(struct report *report, uint64_t now_ms);
/* What there was in all, at the end. */
void report_end(struct report *report, uint64_t now_ms);

#endif
