/*
 * audit.h - does over what a worker says it did, on this pool's own processor, and
 * compares bits.
 *
 * One thread with one device; questions are answered in the order they came.  The
 * arithmetic is exact, so a difference is proof and not suspicion.  What a run multiplied
 * is kept for a while, so that a second question about the same pack costs a read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_AUDIT_H
#define MINERVA_POOL_AUDIT_H

#include "miner/work/proof.h"
#include "pool/works.h"

struct audit {
    struct work *work; /* held until the answer was given */
    /* One row of a site's left operand; bytes NULL: not asked. */
    struct site row_site;
    uint64_t row;
    const uint8_t *row_bytes; /* k of them */
    /* The root of a site's whole left operand; job_key NULL: not asked. */
    struct site root_site;
    const uint8_t *job_key, *root;
    /* The whole result; data NULL: not asked. */
    struct bytes output;

    /* Called on the auditor's thread: OK, MISMATCH with a sentence, or what kept it from
     * being checked. */
    void (*done)(struct audit *audit, enum status status, const struct error *err);
    void *context;
};

struct auditor;
MUST_CHECK enum status auditor_open(struct auditor **out, struct error *err);
/* Nothing is answered but CANCELLED any more; the thread is gone afterwards. */
void auditor_stop(struct auditor *auditor);
void auditor_close(struct auditor *auditor); /* NULL is fine */
/* audit must live until done() was called. */
void auditor_ask(struct auditor *auditor, struct audit *audit);

#endif
