/*
 * recording.h - one pack of a task, run again with every left operand written down.
 *
 * For the auditor's thread alone.  Operands lie in an unnamed file: a pack of a small
 * model has a hundred megabytes of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_RECORDING_H
#define MINERVA_POOL_RECORDING_H

#include "kernels/blake3_host.h"
#include "pool/works.h"

struct operand {              /* of one product */
    uint64_t offset, rows, k; /* rows 0: not written down */
};

struct recording {
    char task[TASK_ID_SIZE + 1];
    uint32_t pack;
    uint64_t used; /* the larger, the newer */
    int file;
    uint32_t count;
    struct operand *operands; /* [count]: by product */
    struct blob output;       /* the pack's own result */
};

/* Runs end with CANCELLED when *stop becomes true. */
struct recorder; /* the device, a station, the last recordings */
MUST_CHECK enum status recorder_open(const atomic_bool *stop, struct recorder **out,
                                     struct error *err);
void recorder_close(struct recorder *recorder); /* NULL is fine */
void recorder_rest(struct recorder *recorder);  /* lets the station's memory go */
/* The recording of a pack that has that product; lent until the next call. */
MUST_CHECK enum status recorder_pack(struct recorder *recorder, const struct work *work,
                                     const struct site *site,
                                     const struct recording **out, struct error *err);
/* size bytes of an operand from offset. */
MUST_CHECK enum status recording_read(const struct recording *recording, uint32_t product,
                                      uint64_t offset, struct blob *out, uint64_t size,
                                      struct error *err);
/* The keyed root of the whole operand, zero-padded to whole chunks. */
MUST_CHECK enum status recording_root(const struct recording *recording, uint32_t product,
                                      const uint8_t *key, uint8_t root[BLAKE3_SIZE],
                                      struct error *err);

#endif
