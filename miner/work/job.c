/*
 * job.c - a job is copied once, then only counted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/job.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "miner/base/memory.h"

bool job_shape_is_same(const struct job_shape *a, const struct job_shape *b)
{
    return a->is_dictated == b->is_dictated && a->m == b->m && a->n == b->n &&
           a->k == b->k && a->rank == b->rank && pattern_is_same(&a->rows, &b->rows) &&
           pattern_is_same(&a->columns, &b->columns);
}

/* The count lives beside the job, so that struct job stays plain data for those who fill
 * one. */
struct counted_job {
    struct job job; /* first: a pointer to it is a pointer to the whole */
    atomic_uint holders;
};

_Static_assert(offsetof(struct counted_job, job) == 0,
               "a job is found by its own address");

struct job *job_new(const struct job *from)
{
    struct counted_job *counted = memory_new(struct counted_job);

    if (!counted)
        return NULL;
    counted->job = *from;
    atomic_init(&counted->holders, 1);
    return &counted->job;
}

struct job *job_keep(struct job *job)
{
    if (job)
        atomic_fetch_add_explicit(&((struct counted_job *)job)->holders, 1,
                                  memory_order_relaxed);
    return job;
}

void job_release(struct job *job)
{
    struct counted_job *counted = (struct counted_job *)job;

    if (!job)
        return;
    assert(atomic_load(&counted->holders) > 0);
    if (atomic_fetch_sub_explicit(&counted->holders, 1, memory_order_acq_rel) == 1)
        memory_free(counted);
}

void *job_hold(void *job)
{
    return job_keep(job);
}

void job_drop(void *job)
{
    job_release(job);
}
