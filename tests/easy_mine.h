/*
 * easy_mine.h - a proof-of-work run beside a device, under a job that is easy to win.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EASY_MINE_H
#define MINERVA_TESTS_EASY_MINE_H

#include "miner/pow/scheme.h"
#include "miner/work/plain_proof.h"

struct easy_mine {
    struct matmul_port plain;
    struct mailbox *jobs;
    struct queue *found; /* of struct outgoing: findings */
    struct pow_run *run;
    struct matmul_port *port; /* the run's */
    struct pow_check check;   /* what its proofs are held against */
};

void easy_mine_open(struct easy_mine *mine, struct device *device,
                    const struct pow_limits *limits, uint32_t min_rank,
                    const char *target);
void easy_mine_close(struct easy_mine *mine);
/* The next finding, proved, decoded and accepted by the verifier; false when there is
 * none.  The caller frees both. */
bool easy_mine_take(struct easy_mine *mine, struct share **share, struct proof *proof);

#endif
