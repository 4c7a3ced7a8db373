/*
 * finding.h - what a device claims to have found, with everything needed to prove it.
 *
 * Owns its opened chunks, so that it outlives the buffers it came from.  Made by a
 * proof-of-work run on the worker's thread, handed to the prover, who turns it into a
 * share or counts it against the device.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_FINDING_H
#define MINERVA_WORK_FINDING_H

#include "miner/work/job.h"
#include "miner/work/proof.h"
#include "miner/work/site.h"

enum { TASK_ID_SIZE = 32, MODEL_ID_SIZE = 64 }; /* hex digits */

struct finding {
    struct job *job;                /* held */
    char task_id[TASK_ID_SIZE + 1]; /* "" when no task was assigned */
    struct site site;
    struct proof proof;
    uint8_t ticket[DIGEST_SIZE]; /* as the device computed it */
    uint32_t device;             /* index in the program's list, for the ledger */
    uint64_t found_ms;
};

void finding_free(struct finding *finding); /* releases the job too; NULL is fine */

#endif
