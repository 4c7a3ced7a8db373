/*
 * assignment.h - a useful task as the pool gave it: kind, model, input, parameters,
 * lease.
 *
 * Owns its input.  Handed from the pool thread to one worker.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_ASSIGNMENT_H
#define MINERVA_WORK_ASSIGNMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/bytes.h"
#include "miner/work/finding.h"

enum { TASK_KIND_MAX = 31, ASSIGNMENT_ROWS_DEFAULT = 4096 };

/* Parameters of all kinds; a kind reads its own and refuses what it does not know. */
struct task_parameters {
    bool has_shape; /* matmul */
    uint64_t m, n, k, seed;
};

struct assignment {
    char id[TASK_ID_SIZE + 1];
    char kind[TASK_KIND_MAX + 1];
    char model[MODEL_ID_SIZE + 1]; /* "" for kinds without a model */
    struct blob input;             /* canonical safetensors; empty for matmul */
    char input_hash[65];           /* set when the input must be fetched first, else "" */
    uint64_t input_size;
    struct task_parameters parameters;
    uint32_t rows; /* token rows a pack */
    uint32_t lease_s;
    uint64_t work_units;
    uint64_t received_ms;
};

/* struct assignment *; fits queue_release.  NULL is fine. */
void assignment_free(void *assignment);

#endif
