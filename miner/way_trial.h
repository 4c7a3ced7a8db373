/*
 * way_trial.h - one way on trial is tried on one card: in a process of its own, for a
 * kernel that was never seen to run may hang, or take the card's context with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WAY_TRIAL_H
#define MINERVA_MINER_WAY_TRIAL_H

#include "miner/device_list.h"

enum { WAY_LINE_SIZE = 400 };

struct way_verdict {
    enum way_state state; /* WAY_SLOWER: it is right, whatever its rate */
    uint32_t products, permille;
    char why[WAY_LINE_SIZE]; /* it is wrong, or could not be tried */
};

/* In that process: a line on standard output, and an exit code. */
int way_trial_print(const struct device_entry *entry, const char *name);
/* Such a line, or what came of it; a line that is none: WAY_WRONG. */
void way_trial_parse(const char *line, struct way_verdict *out);
/* Starts the process, waits for it limit_s seconds at most, and ends it. */
void way_trial_run(const struct device_entry *entry, const char *name, uint32_t limit_s,
                   struct way_verdict *out);

#endif
