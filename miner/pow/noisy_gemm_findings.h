/*
 * noisy_gemm_findings.h - from a device's hits to findings in the queue.
 *
 * A finding takes with it what is needed to prove it: opened chunks and siblings are read
 * from the device while the operands still lie there.  Belongs to the run's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_NOISY_GEMM_FINDINGS_H
#define MINERVA_POW_NOISY_GEMM_FINDINGS_H

#include "miner/pow/commitment.h"
#include "miner/pow/scheme.h"

struct findings_outlet {
    struct pow_outlet to;
    struct hits *hits; /* the device's, on the host */
    uint64_t dropped;  /* hits and findings that could not be handed on */
};

struct findings_operand {
    struct view values, tree; /* tree: layers as merkle.h has them */
    uint32_t rows;
    const uint8_t *root;
};

/* The product that the hits are of. */
struct findings_source {
    struct device *device;
    struct job *job;
    const char *task_id; /* of at most TASK_ID_SIZE letters */
    struct site site;
    const struct configuration *configuration;
    struct findings_operand a, b;
};

MUST_CHECK enum status findings_outlet_open(struct findings_outlet *outlet,
                                            const struct pow_outlet *to,
                                            uint32_t hits_max);
void findings_outlet_close(struct findings_outlet *outlet);

/* Reads hits and sends a finding for each, by row, then column.  Where the queue stays
 * full findings are dropped, counted and reported; that is no error. */
MUST_CHECK enum status findings_send(struct findings_outlet *outlet,
                                     const struct findings_source *source,
                                     const struct buffer *hits, uint32_t hits_max);

#endif
