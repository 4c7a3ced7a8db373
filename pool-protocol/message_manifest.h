/*
 * message_manifest.h - what a fetcher must know of a model's manifest: which tensors to
 * ask for, and in which file they are to lie.
 *
 * The rest of a manifest is judged by whoever opens the model.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_MANIFEST_H
#define MINERVA_PROTOCOL_MESSAGE_MANIFEST_H

#include "miner/base/bytes.h"

enum {
    MANIFEST_TEXT_MAX = 4 << 20,
    MANIFEST_COUNT_MAX = 8192, /* tensors */
    MANIFEST_TENSOR_NAME_MAX = 95,
    MANIFEST_RANK_MAX = 4
};

struct manifest_tensor {
    char name[MANIFEST_TENSOR_NAME_MAX + 1]; /* printable, needs no escapes */
    char dtype[8];
    uint32_t rank;
    uint64_t shape[MANIFEST_RANK_MAX];
    uint64_t size;
    char hash[65];
};

struct message_manifest {
    uint32_t count;
    struct manifest_tensor *tensors; /* owned; in the order of the file */
    uint64_t size;                   /* of all tensors */
    char vocab_hash[65];             /* "" where there is no tokenizer */
};

void message_manifest_free(
    struct message_manifest *manifest); /* what it holds; NULL is fine */
/* On OK the caller frees out. */
MUST_CHECK enum status message_manifest_decode(struct bytes text,
                                               struct message_manifest *out,
                                               struct error *err);
/* The head of model.safetensors: length and JSON header, a multiple of 64 bytes; the
 * tensors follow in their order without gaps. */
MUST_CHECK enum status message_manifest_file_head(const struct message_manifest *manifest,
                                                  struct blob *out);

#endif
