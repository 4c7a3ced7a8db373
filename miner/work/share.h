/*
 * share.h - a proof the CPU verifier has accepted, encoded and ready to be sent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_SHARE_H
#define MINERVA_WORK_SHARE_H

#include "miner/base/bytes.h"
#include "miner/work/finding.h"
#include "miner/work/target.h"

struct share {
    struct job *job; /* held */
    char task_id[TASK_ID_SIZE + 1];
    struct site site;
    struct blob plain_proof; /* PlainProof bytes */
    uint8_t ticket[DIGEST_SIZE];
    uint64_t m, n, k, rank;
    uint32_t row_count, column_count; /* h and w: the tile */
    uint32_t rows[128], columns[128];
    uint32_t device;
    uint64_t found_ms, proved_ms;
};

void share_free(struct share *share); /* NULL is fine */

#endif
