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

#include "miner/base/error.h"
#include "miner/work/target.h"

enum { JOB_HEADER_SIZE = 76, JOB_ID_MAX = 128 };

struct job {
    char id[JOB_ID_MAX + 1]; /* opaque, echoed byte for byte; "" for a local run */
    uint8_t header[JOB_HEADER_SIZE]; /* as sent; never edited */
    struct target target;            /* T, before the work factor */
    uint64_t height;
    uint32_t cert_version; /* 1..3 */
    uint32_t min_rank;     /* 32, 64 or 128 */
    bool unassigned;       /* whether shares without a task count */
    uint64_t received_ms;  /* clock_ms() when it came */
};

/* A copy of from, held once; NULL without memory. */
struct job *job_new(const struct job *from);
struct job *job_keep(struct job *job); /* NULL stays NULL */
void job_release(struct job *job);     /* the last holder frees; NULL is fine */

#endif
