/*
 * answer.h - what a worker says about a task: taken, declined, how far, or done.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_ANSWER_H
#define MINERVA_WORK_ANSWER_H

#include "miner/base/bytes.h"
#include "miner/work/assignment.h"

enum answer_kind { ANSWER_ACCEPT, ANSWER_DECLINE, ANSWER_PROGRESS, ANSWER_DONE };

struct answer {
    enum answer_kind kind;
    char task_id[TASK_ID_SIZE + 1];
    char reason[256];     /* DECLINE: a sentence a person understands */
    uint64_t done, total; /* PROGRESS: items */
    struct blob output;   /* DONE: canonical safetensors, owned */
    char result_hash[65]; /* DONE: task-pool.md section 9 */
    double seconds;       /* DONE */
    uint64_t macs, proved_macs;
};

void answer_free(struct answer *answer); /* NULL is fine */

/* The result hash of task-pool.md section 9 as 64 hex digits. */
void answer_result_hash(const char *model, const char *task_id, struct bytes output,
                        char out[65]);

#endif
