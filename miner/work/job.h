/*
 * job.h - what a proof is made against: a header, a target, a certificate version.
 *
 * Reference counted, never changed after it was published.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_JOB_H
#define MINERVA_WORK_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/pattern.h"
#include "miner/base/error.h"
#include "miner/work/target.h"

enum { JOB_HEADER_SIZE = 76, JOB_ID_MAX = 128 };

/* The problem where the pool fixes it instead of the miner.  Every number is checked for
 * being one a proof can have; whether it fits the memory at hand is the run's to say. */
struct job_shape {
    bool is_dictated; /* false: m, n, k, rank and patterns are the miner's choice */
    uint64_t m, n, k;
    uint32_t rank;
    struct pattern rows, columns;
};
bool job_shape_is_same(const struct job_shape *a, const struct job_shape *b);

struct job {
    char id[JOB_ID_MAX + 1]; /* opaque, echoed byte for byte; "" for a local run */
    uint8_t header[JOB_HEADER_SIZE]; /* as sent; never edited */
    struct target target;            /* T, before the work factor */
    uint64_t height;
    uint32_t cert_version; /* 1..3 */
    uint32_t min_rank;     /* 32, 64 or 128 */
    bool unassigned;       /* whether shares without a task count */
    uint64_t received_ms;  /* clock_ms() when it came */
    uint32_t pool;         /* whose: its number in the person's order */
    struct job_shape shape;
};

/* A copy of from, held once; NULL without memory. */
struct job *job_new(const struct job *from);
struct job *job_keep(struct job *job); /* NULL stays NULL */
void job_release(struct job *job);     /* the last holder frees; NULL is fine */
/* The same two as mailbox_keep and mailbox_release want them. */
void *job_hold(void *job);
void job_drop(void *job);

#endif
