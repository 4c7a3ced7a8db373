/*
 * job_storm.h - a thread that replaces a mailbox's job as fast as it can, each with a
 * header of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_JOB_STORM_H
#define MINERVA_TESTS_JOB_STORM_H

#include "miner/base/mailbox.h"
#include "miner/base/thread.h"
#include "miner/work/job.h"

struct job_storm {
    struct mailbox *jobs;
    struct job job; /* all but the header */
    struct thread *thread;
    int over; /* by __atomic */
};

/* Stays where it is until job_storm_end(). */
void job_storm_begin(struct job_storm *storm, struct mailbox *jobs,
                     const struct job *job);
void job_storm_end(struct job_storm *storm);

#endif
