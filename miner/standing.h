/*
 * standing.h - how things stand now: all that the status line, the status server and
 * panels show, in one piece.
 *
 * The main thread makes one twice a second and puts it into a mailbox; whoever is asked
 * takes the newest.  One never changes once it is there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STANDING_H
#define MINERVA_MINER_STANDING_H

#include <stdatomic.h>

#include "miner/report.h"

enum { STANDING_TEXT_MAX = 192 };

struct standing_device {
    uint32_t number; /* as `minerva devices` has it */
    char backend[16], bus[16], name[DEVICE_TEXT_MAX];
    struct ledger_device books;
    struct sensors_reading sensors;
};

struct standing {
    atomic_uint holders;
    uint64_t now_ms;   /* clock_ms() when it was made */
    uint64_t uptime_s; /* of the process' work */
    char worker[STANDING_TEXT_MAX];
    bool is_paused;
    uint32_t tasks_running;
    uint64_t unknown, lost; /* shares */
    struct ledger_totals totals;
    size_t pool_count, device_count;
    struct pool_account
        pools[POOL_LINKS_MAX]; /* their texts live as long as the settings */
    struct standing_device devices[DEVICE_LIST_MAX];
};

/* For one holder, emptied; NULL without memory. */
struct standing *standing_new(void);
void *standing_keep(void *standing); /* fits mailbox_keep */
void standing_release(void *standing);

/* What the report, its ledgers and its sensors know. */
void standing_fill(struct standing *out, const struct report *report, uint64_t now_ms);
/* The first pool that is worked for; NULL: none. */
const struct pool_account *standing_current(const struct standing *standing);
/* The rate over 60 s, else over 10 s, else 0: what panels with one number show. */
double standing_rate(const struct ledger_device *books);

#endif
