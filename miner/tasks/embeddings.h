/*
 * embeddings.h - one vector an item as a task's output, and the record of a numeric
 * fault.
 *
 * The canonical bytes of `embeddings` F32 [sequences, width] and of `fault` I32 [3]
 * (task-pool.md section 4).  No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TASKS_EMBEDDINGS_H
#define MINERVA_TASKS_EMBEDDINGS_H

#include "miner/models/model.h"

struct embeddings {
    uint32_t count, width;
    const float *values; /* [count][width]; lent */
};

/* Bytes of the canonical form, exactly. */
uint64_t embeddings_size(uint64_t count, uint64_t width);
MUST_CHECK enum status embeddings_write(const struct embeddings *vectors,
                                        struct blob *out, struct error *err);
/* out->values lies in file, whose data must be aligned as a blob's is.  A fault record
 * answers FAULT with a sentence that says where. */
MUST_CHECK enum status embeddings_parse(struct bytes file, struct embeddings *out,
                                        struct error *err);
/* task_kind.join for all kinds of this output.  Where a part is a fault record, the first
 * of them, as it is, is the whole's answer: its pack counts from its own part's start. */
MUST_CHECK enum status embeddings_join(const struct bytes *parts, uint32_t count,
                                       struct blob *out, struct error *err);

struct fault_record {
    int32_t pack;
    int32_t product; /* the one before the operation, -1: none */
    int32_t row;     /* in the pack */
};
uint64_t
fault_record_size(void); /* of the canonical form: any task may answer with one */
MUST_CHECK enum status fault_record_write(const struct fault_record *record,
                                          struct blob *out, struct error *err);
bool fault_record_parse(struct bytes file, struct fault_record *out); /* false: is none */

#endif
