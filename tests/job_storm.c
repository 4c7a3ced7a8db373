/*
 * job_storm.c - one job after another, until told to end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/job_storm.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void job_storm_main(void *context)
{
    struct job_storm *storm = context;

    for (uint32_t i = 0; !__atomic_load_n(&storm->over, __ATOMIC_RELAXED); i++) {
        memcpy(storm->job.header, &i, sizeof i);
        mailbox_put(storm->jobs, job_new(&storm->job));
        sched_yield();
    }
}

void job_storm_begin(struct job_storm *storm, struct mailbox *jobs, const struct job *job)
{
    *storm = (struct job_storm){.jobs = jobs, .job = *job};
    assert_int_equal(thread_start("storm", job_storm_main, storm, &storm->thread),
                     STATUS_OK);
}

void job_storm_end(struct job_storm *storm)
{
    __atomic_store_n(&storm->over, 1, __ATOMIC_RELAXED);
    thread_join(storm->thread);
}
